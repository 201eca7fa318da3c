//! Installs Chromium and its driver, which the tests of the web page use. Does nothing if both are installed.

use std::fs;
use std::process::Command;

use crate::shell::{self, Failure, read, say, works};

/// The names of a browser that `chromedriver` finds.
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];
const DRIVER: &str = "chromedriver";
/// The packages of Debian that have both, in one version.
const PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];

const BY_HAND: &str = "Chromium or chromedriver is not on the path\n\
    Debian: apt-get install chromium chromium-driver\n\
    Fedora: dnf install chromium chromedriver\n\
    macOS: brew install --cask chromium chromedriver\n\
    other systems: https://googlechromelabs.github.io/chrome-for-testing/";

/// Returns the name of the installed browser.
pub(crate) fn find() -> Option<&'static str> {
    let runs = |name: &&str| works(name, &["--version"]);
    BROWSERS.into_iter().find(runs)
}

pub(crate) fn run_setup() -> Result<(), Failure> {
    println!("setting up the browser");
    if find().is_none() || !works(DRIVER, &["--version"]) {
        install()?;
    }
    let browser = find().filter(|_| works(DRIVER, &["--version"]));
    let browser = browser.ok_or_else(|| Failure(BY_HAND.to_owned()))?;
    say(&format!("browser: {browser}, driven by {DRIVER}"));
    Ok(())
}

fn install() -> Result<(), Failure> {
    let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
    // Ubuntu has a snap under this name, which cannot read a profile in a temporary folder.
    if !is_debian(&system) {
        return Err(Failure(BY_HAND.to_owned()));
    }
    let is_root = read(Command::new("id").arg("-u")).is_ok_and(|user| user.trim() == "0");
    say(&format!(
        "installing {} with apt-get",
        PACKAGES.join(" and ")
    ));
    let apt = |arguments: &[&str]| {
        let mut command = if is_root {
            Command::new("apt-get")
        } else {
            let mut command = Command::new("sudo");
            command.arg("apt-get");
            command
        };
        command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        shell::run(&mut command)
    };
    // A list that cannot be read may be one of other packages: whether these are there, the installation says.
    if let Err(Failure(reason)) = apt(&["update"]) {
        say(&reason);
    }
    apt(&[
        &["install", "--yes", "--no-install-recommends"][..],
        &PACKAGES,
    ]
    .concat())?;
    Ok(())
}

/// Reads the id of the system in `/etc/os-release`.
fn is_debian(system: &str) -> bool {
    let mut ids = system.lines().filter_map(|line| line.strip_prefix("ID="));
    ids.any(|id| id.trim_matches('"') == "debian")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_is_recognised_by_its_id() {
        assert!(is_debian("NAME=\"Debian GNU/Linux\"\nID=debian\n"));
        assert!(is_debian("ID=\"debian\""));
        assert!(!is_debian("ID=ubuntu\nID_LIKE=debian"));
        assert!(!is_debian(""));
    }

    #[test]
    fn the_advice_names_what_is_installed() {
        for package in PACKAGES {
            assert!(BY_HAND.contains(package));
        }
    }
}
