//! Installs what the build needs and checks it. Does nothing if everything is installed.

use std::process::Command;

use synix_guest_build::BuildError;
use synix_guest_build::toolchain::{StandardLibrary, TARGET, Toolchain};

use crate::shell::{self, Failure, say, works};
use crate::{debian, probe};

/// The source of the standard library for guests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LibrarySource {
    /// An installed one, or else rustup, or else Debian.
    Easiest,
    /// Debian's source package, even if another source is available.
    Debian,
}

pub(crate) fn run(source: LibrarySource) -> Result<(), Failure> {
    println!("setup");
    find_c_compiler()?;
    let toolchain = Toolchain::from_environment();
    say(&format!("Rust: {}", toolchain.version()?));
    let standard_library = match source {
        LibrarySource::Easiest => standard_library(&toolchain)?,
        LibrarySource::Debian => {
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
    say("a guest compiles; the setup is complete");
    Ok(())
}

fn standard_library(toolchain: &Toolchain) -> Result<StandardLibrary, Failure> {
    match toolchain.standard_library() {
        Err(BuildError::NoStandardLibrary) => {}
        other => return Ok(other?),
    }
    if works("rustup", &["--version"]) {
        say(&format!("installing {TARGET} with rustup"));
        let added = shell::run(Command::new("rustup").args(["target", "add", TARGET]));
        match (added, toolchain.standard_library()) {
            (_, Ok(found)) => return Ok(found),
            (Err(Failure(reason)), _) => say(&format!("rustup cannot install it: {reason}")),
            (Ok(()), Err(_)) => say("rustup manages another toolchain than the one in use"),
        }
    }
    debian::link_source(toolchain)?;
    Ok(toolchain.standard_library()?)
}

/// Finds the C compiler that SQLite needs.
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
