//! Whose a state is: a random id in `.synix`, and in the user's configuration folder.
//!
//! A clone can bring a `.synix` along, with answers that no provider gave. What synix makes here it marks before it
//! writes anything else, so that a state without a mark of this user is told from one of the user's.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::kept::{self, Kept, KnownState, TrustError};
use synix_disk::SymlinkPolicy;

/// The file with the id.
const ID: &str = "id";
/// How a file on its way to that name is called.
const UNFINISHED: &str = ".id-";
/// More than the file has.
const MOST: u64 = 256;

/// Whose a state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StateOrigin {
    /// There is none yet.
    Nobodys,
    /// Synix made it for this user, or the user said yes to it.
    Own,
    /// Neither.
    Foreign,
}

/// Says whose the state in `folder` is.
pub(super) fn whose(folder: &Path, kept: Option<&Kept>) -> StateOrigin {
    if is_vacant(folder) {
        return StateOrigin::Nobodys;
    }
    let known = kept.and_then(|kept| kept.state(&id(folder)?));
    match known {
        Some(known) if is_that(folder, &known) => StateOrigin::Own,
        Some(_) | None => StateOrigin::Foreign,
    }
}

/// Marks a state that is about to be made. One that is there already keeps what it has.
pub(super) fn claim(folder: &Path, kept: &Kept) -> Result<(), TrustError> {
    match whose(folder, Some(kept)) {
        StateOrigin::Foreign => Ok(()),
        StateOrigin::Own => follow(folder, kept),
        StateOrigin::Nobodys => mark(folder, kept, false),
    }
}

/// Marks a state as one that the user said yes to.
pub(super) fn adopt(folder: &Path, kept: &Kept) -> Result<(), TrustError> {
    mark(folder, kept, true)
}

fn mark(folder: &Path, kept: &Kept, adopted: bool) -> Result<(), TrustError> {
    let failed = |source| TrustError::Disk {
        action: "mark",
        path: folder.join(ID),
        source,
    };
    if !adopted {
        kept::create_folder(folder).map_err(failed)?;
    }
    // Nothing is written through a link.
    if !fs::symlink_metadata(folder).map_err(failed)?.is_dir() {
        return Err(failed(io::ErrorKind::NotADirectory.into()));
    }
    let id = new_id().map_err(failed)?;
    let state = KnownState {
        path: resolved(folder),
        inode: inode(folder),
        adopted,
    };
    // In this order: a state with an id that nobody knows would be a stranger's.
    kept.keep_state(&id, &state)?;
    let written = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempfile_in(folder)
        .and_then(|mut file| {
            writeln!(file, "{id}")?;
            file.as_file().sync_all()?;
            Ok(file)
        });
    let file = written.map_err(failed)?;
    let path = folder.join(ID);
    if adopted {
        file.persist(path).map_err(|error| failed(error.error))?;
        return Ok(());
    }
    match file.persist_noclobber(path) {
        // Another process has made it at the same moment: its mark holds.
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            kept.forget_state(&id);
            Ok(())
        }
        Err(error) => Err(failed(error.error)),
        Ok(_) => Ok(()),
    }
}

/// Keeps up with a project that was moved.
fn follow(folder: &Path, kept: &Kept) -> Result<(), TrustError> {
    let path = resolved(folder);
    let Some((id, known)) = id(folder).and_then(|id| Some((id.clone(), kept.state(&id)?))) else {
        return Ok(());
    };
    if known.path == path {
        return Ok(());
    }
    kept.keep_state(
        &id,
        &KnownState {
            path,
            inode: inode(folder),
            ..known
        },
    )
}

/// A copy has the id as well, but neither the place nor the number of the folder.
fn is_that(folder: &Path, known: &KnownState) -> bool {
    known.path == resolved(folder) || (known.inode.is_some() && known.inode == inode(folder))
}

/// Says whether nothing is there, a folder that nothing was ever put into, or a link, which the store refuses anyway.
fn is_vacant(folder: &Path) -> bool {
    match fs::symlink_metadata(folder) {
        Err(error) => error.kind() == io::ErrorKind::NotFound,
        Ok(found) if found.is_symlink() => true,
        Ok(found) if !found.is_dir() => false,
        Ok(_) => fs::read_dir(folder).is_ok_and(|mut entries| {
            entries.all(|entry| {
                entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with(UNFINISHED))
            })
        }),
    }
}

fn id(folder: &Path) -> Option<String> {
    if !fs::symlink_metadata(folder).ok()?.is_dir() {
        return None;
    }
    let bytes = synix_disk::read_limited_if_exists(&folder.join(ID), MOST, SymlinkPolicy::Refuse)
        .ok()??;
    let id = String::from_utf8(bytes).ok()?.trim().to_owned();
    // It becomes the name of a file.
    let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then_some(id)
}

fn new_id() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn resolved(folder: &Path) -> PathBuf {
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}

#[cfg(unix)]
fn inode(folder: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    folder.metadata().ok().map(|found| found.ino())
}

#[cfg(not(unix))]
const fn inode(_: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::super::owner::Owners;
    use super::*;

    struct Fixture {
        folder: tempfile::TempDir,
        kept: Kept,
    }

    fn fixture() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let config = Some(folder.path().join("config"));
        Fixture {
            kept: Kept::open(config, &Owners::of_this_process(None)).unwrap(),
            folder,
        }
    }

    impl Fixture {
        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        /// A state that synix made, with something in it.
        fn made(&self, name: &str) -> PathBuf {
            let state = self.path(name);
            claim(&state, &self.kept).unwrap();
            synix_disk::replace(&state.join("state.sqlite3"), b"rows").unwrap();
            state
        }

        fn whose(&self, state: &Path) -> StateOrigin {
            whose(state, Some(&self.kept))
        }
    }

    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }

    #[test]
    fn a_state_that_was_made_here_is_ours_wherever_it_is_moved() {
        let fixture = fixture();
        let state = fixture.made("a/.synix");
        assert_eq!(fixture.whose(&state), StateOrigin::Own);
        fs::rename(fixture.path("a"), fixture.path("b")).unwrap();
        let moved = fixture.path("b/.synix");
        assert_eq!(fixture.whose(&moved), StateOrigin::Own);
        claim(&moved, &fixture.kept).unwrap();
        // A backup that is put back has another number, and the place.
        copy(&moved, &fixture.path("backup"));
        fs::remove_dir_all(&moved).unwrap();
        copy(&fixture.path("backup"), &moved);
        assert_eq!(fixture.whose(&moved), StateOrigin::Own);
    }

    /// W5, W12: what came along with a clone is nothing that this user made.
    #[test]
    fn a_state_from_elsewhere_is_foreign() {
        let fixture = fixture();
        let planted = fixture.path("planted/.synix");
        synix_disk::replace(&planted.join("state.sqlite3"), b"rows").unwrap();
        assert_eq!(fixture.whose(&planted), StateOrigin::Foreign);
        // Whoever saw the id can copy it, and no more.
        let state = fixture.made("a/.synix");
        let copied = fixture.path("copied/.synix");
        copy(&state, &copied);
        assert_eq!(fixture.whose(&copied), StateOrigin::Foreign);
        claim(&copied, &fixture.kept).unwrap();
        assert_eq!(fixture.whose(&copied), StateOrigin::Foreign);
        // Without a configuration folder nothing is known.
        assert_eq!(whose(&state, None), StateOrigin::Foreign);
    }

    #[test]
    fn an_id_that_is_none_leads_nowhere() {
        let fixture = fixture();
        let state = fixture.path("a/.synix");
        for id in ["", "../../../../etc/passwd", "..", "0123", &"z".repeat(32)] {
            synix_disk::replace(&state.join(ID), id.as_bytes()).unwrap();
            assert_eq!(fixture.whose(&state), StateOrigin::Foreign, "{id:?}");
        }
    }

    #[test]
    fn a_foreign_state_is_ours_after_a_yes_until_it_is_taken_back() {
        let fixture = fixture();
        let state = fixture.path("a/.synix");
        synix_disk::replace(&state.join("state.sqlite3"), b"rows").unwrap();
        adopt(&state, &fixture.kept).unwrap();
        assert_eq!(fixture.whose(&state), StateOrigin::Own);
        let project = fixture.path("a").canonicalize().unwrap();
        assert!(fixture.kept.revoke(&project).unwrap());
        assert_eq!(fixture.whose(&state), StateOrigin::Foreign);
        let own = fixture.made("b/.synix");
        let project = fixture.path("b").canonicalize().unwrap();
        assert!(!fixture.kept.revoke(&project).unwrap());
        assert_eq!(fixture.whose(&own), StateOrigin::Own);
    }

    #[test]
    fn processes_that_start_at_once_agree_on_one_mark() {
        let fixture = fixture();
        let state = fixture.path("a/.synix");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| claim(&state, &fixture.kept).unwrap());
            }
        });
        assert_eq!(fixture.whose(&state), StateOrigin::Own);
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_marked_through_a_link() {
        let fixture = fixture();
        let target = fixture.path("target");
        fs::create_dir_all(&target).unwrap();
        let state = fixture.path("link");
        std::os::unix::fs::symlink(&target, &state).unwrap();
        // The store refuses it whatever the user says, so nobody is asked.
        assert_eq!(fixture.whose(&state), StateOrigin::Nobodys);
        assert!(claim(&state, &fixture.kept).is_err());
        assert!(adopt(&state, &fixture.kept).is_err());
        assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
    }
}
