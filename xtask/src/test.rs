//! Builds everything and runs all tests, or those that need no tools of other languages.

use crate::browser;
use crate::languages;
use crate::setup::{self, LibrarySource};
use crate::shell::{self, Failure, root};

/// The modules of the suite that the quick tests skip: they compile plugins, kill thousands of processes, reach limits of
/// time and memory, run every command in a hundred hostile projects, or need a browser. `.config/nextest.toml` skips the same.
const SLOW: [&str; 19] = [
    "builds::limits",
    "crash",
    "embeddings::crashes",
    "failures::repairs::crashes",
    "hostile_plugins",
    "hostile_projects",
    "hostile_reading",
    "mcp::python_client",
    "plugin_check",
    "plugin_languages",
    "python_wheel",
    "readers::hostile_files",
    "readers::references",
    "releases::other_programs",
    "scale",
    "shared::torture",
    "telemetry",
    "torture",
    "web_page::browser",
];

/// Runs every test.
pub(crate) fn run() -> Result<(), Failure> {
    setup::run(LibrarySource::Easiest)?;
    let tools = languages::run_setup()?;
    browser::run_setup()?;
    println!("test");
    shell::run(
        shell::cargo()
            .args(["test", "--workspace", "--locked"])
            .env("SYNIX_TOOLS", tools)
            .current_dir(root()),
    )
}

/// Runs the tests that need only Rust and a C compiler, with nextest if it is installed.
pub(crate) fn run_quick() -> Result<(), Failure> {
    setup::run(LibrarySource::Easiest)?;
    println!("test");
    let mut command = shell::cargo();
    if shell::works("cargo", &["nextest", "--version"]) {
        command.args(["nextest", "run", "--workspace", "--locked"]);
    } else {
        command.args([
            "test",
            "--workspace",
            "--locked",
            "--lib",
            "--bins",
            "--tests",
            "--",
        ]);
        for module in SLOW {
            command.args(["--skip", &format!("{module}::")]);
        }
    }
    shell::run(command.current_dir(root()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nextest_skips_the_same_modules() {
        let config = std::fs::read_to_string(root().join(".config/nextest.toml")).unwrap();
        let (_, filter) = config.split_once("default-filter = '''").unwrap();
        let (filter, _) = filter.split_once("'''").unwrap();
        let groups = filter.split("/^(").skip(1);
        let mut named: Vec<&str> = groups
            .filter_map(|group| group.split_once(')'))
            .flat_map(|(names, _)| names.split('|'))
            .collect();
        named.sort_unstable();
        assert_eq!(named, SLOW);
    }

    #[test]
    fn the_skipped_modules_exist() {
        for module in SLOW {
            let path = root().join("tests/suite").join(module.replace("::", "/"));
            assert!(
                path.is_dir() || path.with_extension("rs").is_file(),
                "{}",
                path.display()
            );
        }
    }
}
