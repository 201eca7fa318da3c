//! What needs the servers of several machines. `cargo xtask test --scale` gets them from package registries and names them.
//!
//! Without its server, a test says that it is skipped and passes.

mod restate;
mod s3;

use std::io::Write as _;
use std::path::PathBuf;

/// Returns the server that `cargo xtask test --scale` names in a variable.
pub(crate) fn server(variable: &str) -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "where a server is, is the runner's choice"
    )]
    let named = std::env::var_os(variable).map(PathBuf::from);
    if named.is_none() {
        let test = std::thread::current();
        let test = test.name().unwrap_or("a test").to_owned();
        let line =
            format!("SKIPPED {test}: {variable} names no server; run `cargo xtask test --scale`\n");
        // A macro's line is hidden, because the test passes.
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    named
}
