//! Builds the release binary and packs it: an archive, a wheel and their checksums, in `target/dist`.

mod folding;
pub(crate) mod wheel_check;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use synix_guest_build::toolchain::Toolchain;

use crate::probe::{create_folder, target_folder, write};
use crate::shell::{self, Failure, root, works};

/// The profile of the binary, in `Cargo.toml`.
const PROFILE: &str = "release-small";

/// Creates archives and wheels, in Python because its standard library supports both formats.
const PACK: &str = include_str!("pack.py");

/// Collects the licences of the crates that the binary contains.
const LICENSES: &str = include_str!("licenses.py");

/// The shells, and the file name under which each finds the completions of `synix`.
const SHELLS: [(&str, &str); 5] = [
    ("bash", "synix.bash"),
    ("elvish", "synix.elv"),
    ("fish", "synix.fish"),
    ("powershell", "_synix.ps1"),
    ("zsh", "_synix"),
];

/// The files of an archive besides the binary.
const FILES: [&str; 4] = ["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "README.md"];

/// Runs the task for this machine or for `target`.
pub(crate) fn run(target: Option<&str>) -> Result<(), Failure> {
    let python = python()?;
    println!("dist");
    let toolchain = Toolchain::from_environment();
    let mut cargo = shell::cargo();
    // `rustc` and not `build`: it passes arguments to the linker of the command, and to no other compilation.
    cargo.args([
        "rustc",
        "--profile",
        PROFILE,
        "--locked",
        "--package",
        "synix",
        "--bin",
        "synix",
    ]);
    let host = host(&shell::read(Command::new(&toolchain.rustc).arg("-vV"))?)?;
    let triple = target.unwrap_or(&host);
    let out = target_folder("dist")?;
    let mut folder = out.clone();
    folder.pop();
    if let Some(target) = target {
        cargo.args(["--target", target]);
        folder.push(target);
    }
    if folding::works(&toolchain, triple)? {
        cargo.args(["--", "-C", folding::ARGUMENT]);
    }
    shell::run(cargo.current_dir(root()))?;
    let name = if triple.contains("windows") {
        "synix.exe"
    } else {
        "synix"
    };
    let binary = folder.join(PROFILE).join(name);
    let third_party = out.join("THIRD-PARTY-LICENSES.txt");
    licenses(&python, triple, &third_party)?;
    let mut files = FILES.map(|file| root().join(file)).to_vec();
    files.push(third_party);
    let share = out.join("share");
    write_share(&binary, &share)?;
    let contents = Contents {
        binary: &binary,
        share: &share,
        files: &files,
    };
    pack(&python, triple, &contents, &out)?;
    wheel_check::check(&out)
}

/// Writes the manual pages and completions. The binary generates them, so it must run on this machine.
fn write_share(binary: &Path, share: &Path) -> Result<(), Failure> {
    let man = share.join("man/man1");
    let completions = share.join("completions");
    for folder in [&man, &completions] {
        // Otherwise the archive would contain pages of removed commands.
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Failure(format!(
                    "cannot empty {}: {error}",
                    folder.display()
                )));
            }
            Ok(()) | Err(_) => create_folder(folder)?,
        }
    }
    shell::read(Command::new(binary).args(["man", "--dir"]).arg(&man))?;
    for (name, file) in SHELLS {
        let script = shell::read(Command::new(binary).args(["completions", name]))?;
        write(&completions.join(file), &script)?;
    }
    Ok(())
}

/// Writes the licences of all crates that the binary contains.
fn licenses(python: &str, target: &str, out: &Path) -> Result<(), Failure> {
    let metadata = shell::read(
        shell::cargo()
            .args(["metadata", "--format-version", "1", "--locked"])
            .args(["--filter-platform", target])
            .current_dir(root()),
    )?;
    let mut command = Command::new(python);
    let command = command.args(["-c", LICENSES]).arg(out);
    let failed = |error| Failure(format!("cannot write {}: {error}", out.display()));
    let mut child = command.stdin(Stdio::piped()).spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(metadata.as_bytes()).map_err(failed)?;
    }
    let status = child.wait().map_err(failed)?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure(format!(
            "{python} did not write {}: {status}",
            out.display()
        )))
    }
}

/// The contents of an archive.
struct Contents<'a> {
    binary: &'a Path,
    /// The folder of manual pages and completions.
    share: &'a Path,
    files: &'a [PathBuf],
}

/// Packs an archive and a wheel into `out`.
fn pack(python: &str, target: &str, contents: &Contents<'_>, out: &Path) -> Result<(), Failure> {
    shell::run(
        Command::new(python)
            .args(["-c", PACK, env!("CARGO_PKG_VERSION"), target])
            .arg(contents.binary)
            .arg(contents.share)
            .arg(out)
            .args(contents.files),
    )
}

/// Parses the target from the output of `rustc -vV`.
fn host(printed: &str) -> Result<String, Failure> {
    printed
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .ok_or_else(|| {
            Failure(
                "`rustc -vV` prints no host; pass the target: cargo xtask dist TARGET".to_owned(),
            )
        })
}

/// Returns the name of the Python interpreter, which has no number on Windows.
fn python() -> Result<String, Failure> {
    ["python3", "python"]
        .into_iter()
        .find(|name| works(name, &["--version"]))
        .map(str::to_owned)
        .ok_or_else(|| {
            Failure(
                "python3 is not on PATH; install it to pack the archive and the wheel".to_owned(),
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_parsed_from_the_output_of_rustc() {
        let printed = "rustc 1.95.0\nbinary: rustc\nhost: aarch64-apple-darwin\nrelease: 1.95.0\n";
        assert_eq!(host(printed).unwrap(), "aarch64-apple-darwin");
        assert!(host("rustc 1.95.0\n").is_err());
    }

    /// Packing the same files again gives the same bytes, and the checksum is that of the archive.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the files of a test")]
    fn equal_files_give_equal_archives() {
        let folder = std::env::temp_dir().join(format!("synix-dist-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let binary = folder.join("synix");
        fs::write(&binary, "a command").unwrap();
        let readme = folder.join("README.md");
        fs::write(&readme, "# synix\n").unwrap();
        let share = folder.join("share");
        fs::create_dir_all(share.join("man/man1")).unwrap();
        fs::write(share.join("man/man1/synix.1"), "a page").unwrap();
        let python = python().unwrap();
        let target = "x86_64-apple-darwin";
        let outs = ["one", "two"].map(|name| folder.join(name));
        for out in &outs {
            let contents = Contents {
                binary: &binary,
                share: &share,
                files: std::slice::from_ref(&readme),
            };
            pack(&python, target, &contents, out).unwrap();
        }
        let version = env!("CARGO_PKG_VERSION");
        let names = [
            format!("synix-{version}-{target}.tar.gz"),
            format!("synix-{version}-py3-none-macosx_10_12_x86_64.whl"),
        ];
        for name in names {
            let [one, two] = outs
                .each_ref()
                .map(|out| fs::read(out.join(&name)).unwrap());
            assert!(one == two, "{name} differs");
            let sum = fs::read_to_string(outs[0].join(format!("{name}.sha256"))).unwrap();
            assert!(sum.ends_with(&format!("  {name}\n")), "{sum}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
