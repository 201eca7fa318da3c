//! The origin of a state: a random id in `.synix`, registered in the user's configuration folder.
//!
//! A clone may contain a `.synix` with answers that no provider gave. So synix registers a new state before it writes
//! anything else to it, and a state that is not registered comes from elsewhere.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use super::files;
use super::registered_states::RegisteredState;
use super::state_id::{ID_FILE, inode, new_id, read_id, resolved};
use super::store::{TrustError, TrustStore};

/// The beginning of the name of the file with the id while it is written.
const TEMPORARY_PREFIX: &str = ".id-";

/// The origin of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StateOrigin {
    /// The state does not exist yet.
    Absent,
    /// Synix created it for this user, or the user adopted it.
    Own,
    /// It comes from elsewhere.
    Foreign,
}

/// Returns the origin of the state in `folder`.
pub(super) fn origin(folder: &Path, store: Option<&TrustStore>) -> StateOrigin {
    if is_absent_or_empty(folder) {
        return StateOrigin::Absent;
    }
    let registered = store.and_then(|store| store.state(&read_id(folder)?));
    match registered {
        Some(registered) if is_same_state(folder, &registered) => StateOrigin::Own,
        Some(_) | None => StateOrigin::Foreign,
    }
}

/// Registers a state that is about to be created. An existing state keeps its origin.
pub(super) fn claim(folder: &Path, store: &TrustStore) -> Result<(), TrustError> {
    match origin(folder, Some(store)) {
        StateOrigin::Foreign => Ok(()),
        StateOrigin::Own => update_path(folder, store),
        StateOrigin::Absent => register(folder, store, false),
    }
}

/// Registers a state that the user trusts although it comes from elsewhere.
pub(super) fn adopt(folder: &Path, store: &TrustStore) -> Result<(), TrustError> {
    register(folder, store, true)
}

fn register(folder: &Path, store: &TrustStore, adopted: bool) -> Result<(), TrustError> {
    let failed = |source| TrustError::Disk {
        action: "write",
        path: folder.join(ID_FILE),
        source,
    };
    if !adopted {
        files::create_folder(folder).map_err(failed)?;
    }
    // The id must not be written through a link.
    if !fs::symlink_metadata(folder).map_err(failed)?.is_dir() {
        return Err(failed(io::ErrorKind::NotADirectory.into()));
    }
    let id = new_id().map_err(failed)?;
    let state = RegisteredState {
        path: resolved(folder),
        inode: inode(folder),
        adopted,
    };
    // In this order, because a state with an unregistered id counts as one from elsewhere.
    store.register_state(&id, &state)?;
    let written = tempfile::Builder::new()
        .prefix(TEMPORARY_PREFIX)
        .tempfile_in(folder)
        .and_then(|mut file| {
            writeln!(file, "{id}")?;
            file.as_file().sync_all()?;
            Ok(file)
        });
    let file = written.map_err(failed)?;
    let path = folder.join(ID_FILE);
    if adopted {
        file.persist(path).map_err(|error| failed(error.error))?;
        return Ok(());
    }
    match file.persist_noclobber(path) {
        // Another process has registered the state at the same time: its id remains.
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            store.unregister_state(&id);
            Ok(())
        }
        Err(error) => Err(failed(error.error)),
        Ok(_) => Ok(()),
    }
}

/// Records the new path of a project that was moved.
fn update_path(folder: &Path, store: &TrustStore) -> Result<(), TrustError> {
    let path = resolved(folder);
    let Some((id, registered)) =
        read_id(folder).and_then(|id| Some((id.clone(), store.state(&id)?)))
    else {
        return Ok(());
    };
    if registered.path == path {
        return Ok(());
    }
    store.register_state(
        &id,
        &RegisteredState {
            path,
            inode: inode(folder),
            ..registered
        },
    )
}

/// Returns whether a state is the registered one: a copy has the same id, but another path and another inode.
fn is_same_state(folder: &Path, registered: &RegisteredState) -> bool {
    registered.path == resolved(folder)
        || (registered.inode.is_some() && registered.inode == inode(folder))
}

/// Returns whether the folder does not exist, is empty, or is a link, which the store refuses later.
fn is_absent_or_empty(folder: &Path) -> bool {
    match fs::symlink_metadata(folder) {
        Err(error) => error.kind() == io::ErrorKind::NotFound,
        Ok(found) if found.is_symlink() => true,
        Ok(found) if !found.is_dir() => false,
        Ok(_) => fs::read_dir(folder).is_ok_and(|mut entries| {
            entries.all(|entry| {
                entry.is_ok_and(|entry| {
                    entry
                        .file_name()
                        .to_string_lossy()
                        .starts_with(TEMPORARY_PREFIX)
                })
            })
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::owner::Owners;
    use super::*;

    struct Fixture {
        folder: tempfile::TempDir,
        store: TrustStore,
    }

    fn fixture() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let config = Some(folder.path().join("config"));
        Fixture {
            store: TrustStore::open(config, &Owners::of_this_process(None)).unwrap(),
            folder,
        }
    }

    impl Fixture {
        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        /// Creates a state with some content, as synix does.
        fn create_state(&self, name: &str) -> PathBuf {
            let state = self.path(name);
            claim(&state, &self.store).unwrap();
            synix_disk::replace(&state.join("state.sqlite3"), b"rows").unwrap();
            state
        }

        fn origin(&self, state: &Path) -> StateOrigin {
            origin(state, Some(&self.store))
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
    fn a_state_that_synix_created_stays_the_users_when_it_is_moved() {
        let fixture = fixture();
        let state = fixture.create_state("a/.synix");
        assert_eq!(fixture.origin(&state), StateOrigin::Own);
        fs::rename(fixture.path("a"), fixture.path("b")).unwrap();
        let moved = fixture.path("b/.synix");
        assert_eq!(fixture.origin(&moved), StateOrigin::Own);
        claim(&moved, &fixture.store).unwrap();
        // A restored backup has another inode, but the same path.
        copy(&moved, &fixture.path("backup"));
        fs::remove_dir_all(&moved).unwrap();
        copy(&fixture.path("backup"), &moved);
        assert_eq!(fixture.origin(&moved), StateOrigin::Own);
    }

    /// W5, W12: the user did not create a state that comes with a clone.
    #[test]
    fn a_state_from_elsewhere_is_foreign() {
        let fixture = fixture();
        let planted = fixture.path("planted/.synix");
        synix_disk::replace(&planted.join("state.sqlite3"), b"rows").unwrap();
        assert_eq!(fixture.origin(&planted), StateOrigin::Foreign);
        // Somebody may copy the id, but neither the path nor the inode.
        let state = fixture.create_state("a/.synix");
        let copied = fixture.path("copied/.synix");
        copy(&state, &copied);
        assert_eq!(fixture.origin(&copied), StateOrigin::Foreign);
        claim(&copied, &fixture.store).unwrap();
        assert_eq!(fixture.origin(&copied), StateOrigin::Foreign);
        // Without a configuration folder no state is registered.
        assert_eq!(origin(&state, None), StateOrigin::Foreign);
    }

    #[test]
    fn an_invalid_id_makes_a_state_foreign() {
        let fixture = fixture();
        let state = fixture.path("a/.synix");
        for id in ["", "../../../../etc/passwd", "..", "0123", &"z".repeat(32)] {
            synix_disk::replace(&state.join(ID_FILE), id.as_bytes()).unwrap();
            assert_eq!(fixture.origin(&state), StateOrigin::Foreign, "{id:?}");
        }
    }

    #[test]
    fn an_adopted_state_is_the_users_until_trust_is_revoked() {
        let fixture = fixture();
        let state = fixture.path("a/.synix");
        synix_disk::replace(&state.join("state.sqlite3"), b"rows").unwrap();
        adopt(&state, &fixture.store).unwrap();
        assert_eq!(fixture.origin(&state), StateOrigin::Own);
        let project = fixture.path("a").canonicalize().unwrap();
        assert!(fixture.store.revoke(&project).unwrap());
        assert_eq!(fixture.origin(&state), StateOrigin::Foreign);
        let own = fixture.create_state("b/.synix");
        let project = fixture.path("b").canonicalize().unwrap();
        assert!(!fixture.store.revoke(&project).unwrap());
        assert_eq!(fixture.origin(&own), StateOrigin::Own);
    }

    #[test]
    fn concurrent_processes_agree_on_one_id() {
        let fixture = fixture();
        let state = fixture.path("a/.synix");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| claim(&state, &fixture.store).unwrap());
            }
        });
        assert_eq!(fixture.origin(&state), StateOrigin::Own);
    }

    #[cfg(unix)]
    #[test]
    fn a_state_behind_a_link_is_not_registered() {
        let fixture = fixture();
        let target = fixture.path("target");
        fs::create_dir_all(&target).unwrap();
        let state = fixture.path("link");
        std::os::unix::fs::symlink(&target, &state).unwrap();
        // The store refuses it anyway, so the user is not asked.
        assert_eq!(fixture.origin(&state), StateOrigin::Absent);
        assert!(claim(&state, &fixture.store).is_err());
        assert!(adopt(&state, &fixture.store).is_err());
        assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
    }
}
