//! What the user said yes to, in the user's own configuration folder.
//!
//! ```text
//! trust/PROJECT/YES.json     one yes: the project's path, and what was asked
//! states/ID.json             a state that synix made for this user, or that the user said yes to
//! ```
//!
//! Each yes is a file that is written once and never changed, so that two commands cannot lose each other's. Its name is
//! the digest of what it says: a file that was damaged or moved says nothing, and takes no other with it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Permission;
use super::owner::Owners;
use synix_core::clock::Timestamp;
use synix_core::digest::Digest;
use synix_disk::SymlinkPolicy;

/// More than any file of ours has.
const MOST: u64 = 1 << 20;

/// Why the configuration folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// There is none.
    #[error(
        "you have no configuration folder to keep a yes in: set HOME, XDG_CONFIG_HOME or SYNIX_CONFIG_DIR"
    )]
    NoFolder,
    /// Somebody else could write a yes there.
    #[error("{} cannot hold what you say yes to: it is no folder of yours alone", .path.display())]
    Unsafe {
        /// The folder.
        path: PathBuf,
    },
    /// A clone could have brought it along, with whatever the user is said to have said.
    #[error("{} came with the project or its repository, so it cannot hold what you say yes to: set SYNIX_CONFIG_DIR to a folder elsewhere", .path.display())]
    InCheckout {
        /// The folder.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("cannot {action} {}", .path.display())]
    Disk {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What is kept of one yes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrustGrant {
    schema: u32,
    /// The project's folder.
    pub project: PathBuf,
    /// When it was said.
    pub given: String,
    /// What was asked.
    pub asked: Vec<GrantedPermission>,
}

/// What is kept of one thing that was asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GrantedPermission {
    /// The digest of it.
    pub digest: Digest,
    /// In words, without what is often a secret.
    pub what: String,
}

/// A state that is this user's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KnownState {
    /// The folder `.synix`.
    pub(super) path: PathBuf,
    /// The folder's number in its file system: it stays when a project is moved, and no copy has it.
    pub(super) inode: Option<u64>,
    /// Whether the user said yes to it, and did not make it.
    pub(super) adopted: bool,
}

/// The configuration folder, as far as trust is concerned.
pub(super) struct Kept {
    folder: PathBuf,
}

impl Kept {
    /// Opens the folder, which need not be there yet.
    pub(super) fn open(folder: Option<PathBuf>, owners: &Owners) -> Result<Self, TrustError> {
        let folder = folder.ok_or(TrustError::NoFolder)?;
        for path in [folder.clone(), folder.join("trust"), folder.join("states")] {
            if !owners.alone(&path) {
                return Err(TrustError::Unsafe { path });
            }
        }
        Ok(Self { folder })
    }

    fn of_project(&self, project: &Path) -> PathBuf {
        let name = Digest::of(project.as_os_str().as_encoded_bytes());
        self.folder.join("trust").join(name.to_string())
    }

    /// Returns every yes for a project.
    pub(super) fn yeses(&self, project: &Path) -> Vec<TrustGrant> {
        let mut found = read_folder(&self.of_project(project));
        found.retain(|yes| yes.project == project);
        found
    }

    /// Returns every yes for any project.
    pub(super) fn all(&self) -> Vec<TrustGrant> {
        let folder = self.folder.join("trust");
        let mut found: Vec<TrustGrant> = names(&folder)
            .into_iter()
            .flat_map(|name| read_folder(&folder.join(name)))
            .collect();
        found.sort_by(|one, other| (&one.project, &one.given).cmp(&(&other.project, &other.given)));
        found
    }

    /// Keeps a yes.
    pub(super) fn say(
        &self,
        project: &Path,
        asked: &[Permission],
        given: Timestamp,
    ) -> Result<(), TrustError> {
        let yes = TrustGrant {
            schema: 1,
            project: project.to_owned(),
            given: given.to_string(),
            asked: asked
                .iter()
                .map(|ask| GrantedPermission {
                    digest: ask.digest(),
                    what: ask.public(),
                })
                .collect(),
        };
        let bytes = text(&yes);
        let name = format!("{}.json", Digest::of(&bytes));
        write(&self.of_project(project).join(name), &bytes)
    }

    /// Takes back what was said for a project, and says whether there was anything.
    pub(super) fn revoke(&self, project: &Path) -> Result<bool, TrustError> {
        let folder = self.of_project(project);
        let mut any = false;
        for name in names(&folder) {
            let path = folder.join(&name);
            fs::remove_file(&path).map_err(failed("remove", &path))?;
            any = true;
        }
        // It stays where another command has just written into it.
        let _ = fs::remove_dir(&folder);
        for (id, state) in self.states() {
            if state.adopted && state.path.parent() == Some(project) {
                let path = self.state_path(&id);
                fs::remove_file(&path).map_err(failed("remove", &path))?;
                any = true;
            }
        }
        Ok(any)
    }

    fn state_path(&self, id: &str) -> PathBuf {
        self.folder.join("states").join(format!("{id}.json"))
    }

    /// Returns what is known of the state with this id.
    pub(super) fn state(&self, id: &str) -> Option<KnownState> {
        let bytes = read(&self.state_path(id))?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Returns all states that are known, with their ids.
    pub(super) fn states(&self) -> Vec<(String, KnownState)> {
        let named = names(&self.folder.join("states")).into_iter();
        named
            .filter_map(|name| {
                let id = name.strip_suffix(".json")?.to_owned();
                let state = self.state(&id)?;
                Some((id, state))
            })
            .collect()
    }

    /// Keeps that a state is this user's.
    pub(super) fn keep_state(&self, id: &str, state: &KnownState) -> Result<(), TrustError> {
        self.forget_temporary();
        write(&self.state_path(id), &text(state))
    }

    /// Forgets a state.
    pub(super) fn forget_state(&self, id: &str) {
        synix_disk::discard(&self.state_path(id));
    }

    /// Forgets states of projects that stood in the folder for temporary files and are gone for a day.
    fn forget_temporary(&self) {
        let Ok(temporary) = std::env::temp_dir().canonicalize() else {
            return;
        };
        for (id, state) in self.states() {
            let project = state.path.parent().unwrap_or(&state.path);
            let path = self.state_path(&id);
            // One that is being moved is not gone.
            if project.starts_with(&temporary) && !project.exists() && is_older(&path, DAY) {
                synix_disk::discard(&path);
            }
        }
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Says whether a file was last written so long ago.
fn is_older(path: &Path, age: Duration) -> bool {
    let written = path.metadata().and_then(|found| found.modified());
    written.is_ok_and(|written| written.elapsed().is_ok_and(|since| since > age))
}

fn text(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// Returns each yes in a folder whose bytes are those that its name stands for.
fn read_folder(folder: &Path) -> Vec<TrustGrant> {
    let named = names(folder).into_iter();
    named
        .filter_map(|name| {
            let bytes = read(&folder.join(&name))?;
            let digest: Digest = name.strip_suffix(".json")?.parse().ok()?;
            let yes: TrustGrant = serde_json::from_slice(&bytes).ok()?;
            (Digest::of(&bytes) == digest && yes.schema == 1).then_some(yes)
        })
        .collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

fn read(path: &Path) -> Option<Vec<u8>> {
    synix_disk::read_limited_if_exists(path, MOST, SymlinkPolicy::Refuse)
        .ok()
        .flatten()
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TrustError {
    move |source| TrustError::Disk {
        action,
        path: path.to_owned(),
        source,
    }
}

/// Creates a folder that its owner alone may enter, and those above it.
pub(super) fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Writes a file that this user alone may read, below folders that this user alone may enter.
fn write(path: &Path, bytes: &[u8]) -> Result<(), TrustError> {
    let folder = path.parent().unwrap_or(path);
    create_folder(folder).map_err(failed("create", folder))?;
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        Ok(file)
    });
    let file = written.map_err(failed("write", path))?;
    file.persist(path)
        .map_err(|error| failed("write", path)(error.error))?;
    if cfg!(unix) {
        // A yes that is lost by a crash is asked for again; the file itself is whole.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(folder: &Path) -> Kept {
        Kept::open(Some(folder.join("synix")), &Owners::of_this_process(None)).unwrap()
    }

    fn fetch(from: &str) -> Permission {
        Permission::Fetch {
            from: from.to_owned(),
        }
    }

    fn digests(kept: &Kept, project: &str) -> Vec<Digest> {
        let yeses = kept.yeses(Path::new(project)).into_iter();
        yeses
            .flat_map(|yes| yes.asked)
            .map(|asked| asked.digest)
            .collect()
    }

    #[test]
    fn only_a_temporary_project_that_is_long_gone_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let kept = kept(folder.path());
        let state = KnownState {
            path: folder.path().join("gone/.synix"),
            inode: None,
            adopted: false,
        };
        kept.keep_state("1", &state).unwrap();
        kept.keep_state("2", &state).unwrap();
        assert!(kept.state("1").is_some());
        let old = std::time::UNIX_EPOCH + Duration::from_secs(1);
        let file = fs::File::options().write(true).open(kept.state_path("1"));
        file.unwrap().set_modified(old).unwrap();
        kept.keep_state("3", &state).unwrap();
        assert!(kept.state("1").is_none() && kept.state("2").is_some());
    }

    #[test]
    fn a_yes_is_for_one_project_until_it_is_revoked() {
        let folder = tempfile::tempdir().unwrap();
        let kept = kept(folder.path());
        let ask = fetch("https://a.example");
        kept.say(Path::new("/a"), std::slice::from_ref(&ask), Timestamp(7))
            .unwrap();
        assert_eq!(digests(&kept, "/a"), [ask.digest()]);
        assert!(digests(&kept, "/b").is_empty());
        assert_eq!(kept.all().len(), 1);
        assert!(!kept.revoke(Path::new("/b")).unwrap());
        assert!(kept.revoke(Path::new("/a")).unwrap());
        assert!(kept.all().is_empty());
    }

    #[test]
    fn writers_side_by_side_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        std::thread::scope(|scope| {
            for writer in 0..8 {
                scope.spawn(move || {
                    for number in 0..5 {
                        let ask = fetch(&format!("https://{writer}.{number}.example"));
                        kept(path)
                            .say(Path::new("/a"), &[ask], Timestamp(7))
                            .unwrap();
                    }
                });
            }
        });
        assert_eq!(digests(&kept(path), "/a").len(), 40);
    }

    #[test]
    fn a_file_that_was_changed_says_nothing_and_hides_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let kept = kept(folder.path());
        let project = Path::new("/a");
        kept.say(project, &[fetch("https://a.example")], Timestamp(7))
            .unwrap();
        let [only] = names(&kept.of_project(project)).try_into().unwrap();
        kept.say(project, &[fetch("https://b.example")], Timestamp(7))
            .unwrap();
        let path = kept.of_project(project).join(only);
        let text = fs::read_to_string(&path).unwrap();
        let other = fetch("https://c.example").digest().to_string();
        let own = fetch("https://a.example").digest().to_string();
        for changed in [
            text.replace(&own, &other),
            text[..40].to_owned(),
            String::new(),
        ] {
            synix_disk::replace(&path, changed.as_bytes()).unwrap();
            assert_eq!(digests(&kept, "/a"), [fetch("https://b.example").digest()]);
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_kept_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let kept = kept(folder.path());
        kept.say(Path::new("/a"), &[fetch("https://a.example")], Timestamp(7))
            .unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        let of_project = kept.of_project(Path::new("/a"));
        for path in [&kept.folder, &kept.folder.join("trust"), &of_project] {
            assert_eq!(mode(path), 0o700, "{path:?}");
        }
        for name in names(&of_project) {
            assert_eq!(mode(&of_project.join(name)), 0o600);
        }
        // Whoever can write there could say yes in the user's place.
        fs::set_permissions(&kept.folder, fs::Permissions::from_mode(0o777)).unwrap();
        let opened = Kept::open(Some(kept.folder.clone()), &Owners::of_this_process(None));
        assert!(matches!(opened, Err(TrustError::Unsafe { .. })));
    }
}
