//! Gets what the build needs and checks it; quick where all is there.

use std::process::Command;

use synix_guest_build::BuildError;
use synix_guest_build::toolchain::{StandardLibrary, TARGET, Toolchain};

use crate::shell::{self, Failure, say, works};
use crate::{debian, probe};

/// Where the guests' standard library may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// What is there already, else rustup, else Debian.
    Easiest,
    /// Debian's source package, whatever else is there.
    Debian,
}

/// Runs the task.
pub(crate) fn run(way: Way) -> Result<(), Failure> {
    println!("setup");
    find_c_compiler()?;
    let toolchain = Toolchain::from_environment();
    say(&format!("Rust: {}", toolchain.version()?));
    let standard_library = match way {
        Way::Easiest => standard_library(&toolchain)?,
        Way::Debian => {
            debian::link_source(&toolchain)?;
            StandardLibrary::FromSource
        }
    };
    match standard_library {
        StandardLibrary::Installed => say(&format!("standard library for {TARGET}: installed")),
        StandardLibrary::FromSource => {
            say(&format!(
                "standard library for {TARGET}: compiled from source, about a minute the first time"
            ));
        }
    }
    probe::compile(toolchain, standard_library)?;
    say("a guest compiles: all is ready");
    Ok(())
}

fn standard_library(toolchain: &Toolchain) -> Result<StandardLibrary, Failure> {
    match toolchain.standard_library() {
        Err(BuildError::NoStandardLibrary) => {}
        other => return Ok(other?),
    }
    if works("rustup", &["--version"]) {
        say(&format!("asking rustup for {TARGET}"));
        let added = shell::run(Command::new("rustup").args(["target", "add", TARGET]));
        match (added, toolchain.standard_library()) {
            (_, Ok(found)) => return Ok(found),
            (Err(Failure(reason)), _) => say(&format!("rustup cannot get it: {reason}")),
            (Ok(()), Err(_)) => say("rustup manages another toolchain than the one in use"),
        }
    }
    debian::link_source(toolchain)?;
    Ok(toolchain.standard_library()?)
}

/// SQLite is compiled from its C source.
fn find_c_compiler() -> Result<(), Failure> {
    if cfg!(windows) {
        return Ok(());
    }
    match ["cc", "gcc", "clang"]
        .into_iter()
        .find(|name| works(name, &["--version"]))
    {
        Some(name) => {
            say(&format!("C compiler: {name}"));
            Ok(())
        }
        None => Err(Failure(
            "no C compiler (cc, gcc or clang) is on the path\n\
             Debian, Ubuntu: apt-get install gcc libc6-dev\n\
             Fedora: dnf install gcc\n\
             macOS: xcode-select --install"
                .to_owned(),
        )),
    }
}
