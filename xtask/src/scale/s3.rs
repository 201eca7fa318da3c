//! An S3 server for the tests of shared answers in a bucket: moto, a mock of AWS, in a Python environment of its own.
//!
//! The suite starts it behind a lock. moto and `s3s-fs` look for an object before they create it, so several writers could
//! create one object if requests were handled side by side.

use std::path::PathBuf;
use std::process::Command;

use crate::languages::{interpreter, python_packages};
use crate::probe::target_folder;
use crate::shell::{Failure, read, say};

/// Names the interpreter to the tests.
pub(crate) const VARIABLE: &str = "SYNIX_S3_PYTHON";

/// The server, and what its extra `server` would install with twice as many packages.
const PACKAGES: [&str; 3] = ["moto[s3]==5.2.5", "flask==3.1.3", "flask-cors==6.0.5"];

/// Returns the interpreter that has the server.
pub(crate) fn find_or_install() -> Result<PathBuf, Failure> {
    let environment = target_folder("servers")?.join("s3");
    python_packages(&environment, &PACKAGES)?;
    let python = interpreter(&environment);
    let version = "import moto, moto.server; print(moto.__version__)";
    let version = read(Command::new(&python).args(["-c", version])).map_err(|Failure(cause)| {
        Failure(format!(
            "{} does not have moto: {cause}\ndelete {} and run this task again",
            python.display(),
            environment.display()
        ))
    })?;
    say(&format!("S3 server: moto {}", version.trim()));
    Ok(python)
}
