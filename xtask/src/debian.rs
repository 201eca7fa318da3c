//! Gets the source of the standard library from a Debian package.
//!
//! For machines that can only reach the packages of their distribution. The package must have the version of the
//! compiler, which is often in another suite than that of the machine. This module downloads and unpacks it without
//! installing it, and does not change the settings and lists of apt.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use synix_guest_build::toolchain::{Toolchain, source_library};

use crate::probe::{create_folder, work_folder, write};
use crate::shell::{Failure, read, run, say, works};

const PACKAGE: &str = "rust-src";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Links the source of the standard library into the sysroot, and downloads it first if necessary.
pub(crate) fn link_source(toolchain: &Toolchain) -> Result<(), Failure> {
    let version = toolchain.version()?;
    let link = source_library(&toolchain.sysroot()?);
    if link.join("std/Cargo.toml").is_file() {
        say(&format!(
            "source of the standard library: {}",
            link.display()
        ));
        return Ok(());
    }
    let folder = work_folder(&format!("{PACKAGE}-{version}"))?;
    let library = folder.join(format!("usr/src/rustc-{version}/library"));
    if !library.join("std/Cargo.toml").is_file() {
        download(&version, &folder)?;
    }
    if !library.join("std/Cargo.toml").is_file() {
        return Err(Failure(format!(
            "the package {PACKAGE} does not contain {}",
            library.display()
        )));
    }
    make_link(&library, &link)?;
    say(&format!(
        "source of the standard library: {} -> {}",
        link.display(),
        library.display()
    ));
    Ok(())
}

fn download(version: &str, folder: &Path) -> Result<(), Failure> {
    let missing = ["apt-get", "apt-cache", "dpkg-deb"]
        .into_iter()
        .find(|program| !works(program, &["--version"]));
    if let Some(program) = missing {
        return Err(Failure(format!(
            "the guests' standard library is missing and `{program}` is not there to get it from Debian\n\
             get it by hand: rustup target add wasm32-unknown-unknown, or your distribution's package of it"
        )));
    }
    let (mirror, suites) = mirror()?;
    for suite in suites {
        let apt = Apt::new(folder, &mirror, &suite)?;
        if let Some(found) = apt.find(version)? {
            say(&format!(
                "downloading {PACKAGE} {found} from {mirror} {suite}"
            ));
            let package = apt.download(&found)?;
            run(Command::new("dpkg-deb").arg("-x").arg(package).arg(folder))?;
            return Ok(());
        }
        say(&format!("{mirror} {suite} has no {PACKAGE} {version}"));
    }
    Err(Failure(format!(
        "no suite of {mirror} has {PACKAGE} {version}; use another compiler or rustup"
    )))
}

/// Returns the Debian mirror of this machine and the suites to search, the most likely first.
fn mirror() -> Result<(String, Vec<String>), Failure> {
    let listed = read(Command::new("apt-get").args(["update", "--print-uris"]))?;
    let own = sources(&listed);
    let Some((mirror, _)) = own.first() else {
        return Err(Failure(
            "the sources of apt include no Debian mirror".to_owned(),
        ));
    };
    let mut suites = vec!["trixie-backports".to_owned()];
    suites.extend(
        own.iter()
            .filter(|(other, _)| other == mirror)
            .map(|(_, suite)| suite.clone()),
    );
    suites.extend(["forky", "sid"].map(str::to_owned));
    Ok((mirror.clone(), suites))
}

/// Parses the mirror and the suite from lines such as `'http://deb.debian.org/debian/dists/trixie/InRelease' NAME 0`.
fn sources(listed: &str) -> Vec<(String, String)> {
    let release = |line: &str| {
        let uri = line.strip_prefix('\'')?.split('\'').next()?;
        let (mirror, rest) = uri.split_once("/dists/")?;
        let suite = rest.strip_suffix("/InRelease")?;
        mirror
            .ends_with("/debian")
            .then(|| (mirror.to_owned(), suite.to_owned()))
    };
    listed.lines().filter_map(release).collect()
}

/// An apt configuration with a single source and separate lists.
struct Apt {
    folder: PathBuf,
    settings: Vec<String>,
}

impl Apt {
    fn new(work: &Path, mirror: &str, suite: &str) -> Result<Self, Failure> {
        let folder = work.join("apt").join(suite);
        let source = folder.join("sources.list");
        let signed = if Path::new(KEYRING).is_file() {
            format!("[signed-by={KEYRING}] ")
        } else {
            String::new()
        };
        write(&source, &format!("deb {signed}{mirror} {suite} main\n"))?;
        for part in ["lists/partial", "cache/archives/partial"] {
            create_folder(&folder.join(part))?;
        }
        let settings = [
            format!("Dir::Etc::SourceList={}", source.display()),
            "Dir::Etc::SourceParts=-".to_owned(),
            format!("Dir::State::Lists={}", folder.join("lists").display()),
            format!("Dir::Cache={}", folder.join("cache").display()),
            "Acquire::Languages=none".to_owned(),
            // By default, root downloads as a user who may not enter this folder.
            "APT::Sandbox::User=root".to_owned(),
        ];
        Ok(Self {
            folder,
            settings: settings.into(),
        })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for setting in &self.settings {
            command.args(["-o", setting]);
        }
        command.current_dir(&self.folder);
        command
    }

    /// Returns the newest version of the package for this version of the compiler.
    fn find(&self, version: &str) -> Result<Option<String>, Failure> {
        // The mirror may not have this suite.
        if read(self.command("apt-get").args(["-q", "update"])).is_err() {
            return Ok(None);
        }
        let known = read(self.command("apt-cache").args(["madison", PACKAGE]))?;
        Ok(matching_version(&known, version).map(str::to_owned))
    }

    fn download(&self, found: &str) -> Result<PathBuf, Failure> {
        read(
            self.command("apt-get")
                .args(["-q", "download", &format!("{PACKAGE}={found}")]),
        )?;
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let package = entries
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|end| end == "deb"));
        package.ok_or_else(|| {
            Failure(format!(
                "apt-get downloaded no package to {}",
                self.folder.display()
            ))
        })
    }
}

/// Parses lines such as `rust-src | 1.95.0+dfsg1-1~bpo13+1 | MIRROR SUITE Packages`.
fn matching_version<'a>(known: &'a str, version: &str) -> Option<&'a str> {
    known
        .lines()
        .filter_map(|line| line.split('|').nth(1))
        .map(str::trim)
        .find(|found| {
            found
                .strip_prefix(version)
                .is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
        })
}

fn make_link(library: &Path, link: &Path) -> Result<(), Failure> {
    if let Some(folder) = link.parent() {
        create_folder(folder)?;
    }
    // An existing link is broken, or the source would have been found.
    if link.is_symlink() {
        let _ = fs::remove_file(link);
    }
    link_folder(library, link).map_err(|error| {
        Failure(format!(
            "cannot link {} to {}: {error}",
            link.display(),
            library.display()
        ))
    })
}

#[cfg(unix)]
fn link_folder(library: &Path, link: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(library, link)
}

#[cfg(not(unix))]
fn link_folder(_: &Path, _: &Path) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_debian_mirrors_are_used() {
        let listed = "\
'https://packages.example.com/apt/dists/tools/InRelease' a 0
'http://deb.debian.org/debian/dists/bookworm/InRelease' b 0
'http://deb.debian.org/debian/dists/bookworm/main/binary-amd64/Packages.xz' c 0
'http://deb.debian.org/debian-security/dists/bookworm-security/InRelease' d 0 ";
        assert_eq!(
            sources(listed),
            [(
                "http://deb.debian.org/debian".to_owned(),
                "bookworm".to_owned()
            )]
        );
    }

    #[test]
    fn a_version_with_the_same_prefix_does_not_match() {
        let known = " rust-src | 1.95.01-1 | x\n rust-src | 1.95.0+dfsg1-1~bpo13+1 | x\n";
        assert_eq!(
            matching_version(known, "1.95.0"),
            Some("1.95.0+dfsg1-1~bpo13+1")
        );
        assert_eq!(matching_version(known, "1.9"), None);
    }
}
