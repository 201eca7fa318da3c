//! Links, pipes and permissions in the state folder.

use std::os::unix::fs::symlink;

use super::*;

/// A state in use, and a file of the user next to its folder.
fn state_folder() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join(".synix");
    let store = Store::open(&folder).unwrap();
    open_build(&store);
    drop(store);
    let victim = temp.path().join("victim");
    synix_disk::replace(&victim, b"mine").unwrap();
    (temp, folder, victim)
}

#[track_caller]
fn assert_untouched(victim: &Path) {
    assert_eq!(fs::read(victim).unwrap(), b"mine");
}

/// W5: whatever file of the folder is a link, the command fails and does not change the target.
#[test]
fn no_file_of_the_folder_may_be_a_link() {
    for name in [
        "state.sqlite3",
        "state.sqlite3-wal",
        "state.sqlite3-shm",
        "state.sqlite3-journal",
        "damage.json",
    ] {
        let (_temp, folder, victim) = state_folder();
        let _ = fs::remove_file(folder.join(name));
        symlink(&victim, folder.join(name)).unwrap();
        assert_refused(&folder, "symbolic link");
        assert_untouched(&victim);
    }
}

/// W5: the same for locks.
#[test]
fn a_lock_that_is_a_link_is_not_taken() {
    let (_temp, folder, victim) = state_folder();
    let store = Store::open(&folder).unwrap();
    symlink(&victim, folder.join("locks/build-1")).unwrap();
    assert!(store.lock_build(BuildId(1)).is_err());
    assert_eq!(store.build_holder(BuildId(1)), "");
    assert_untouched(&victim);
    drop(store);
    let locks = folder.join("locks");
    fs::remove_dir_all(&locks).unwrap();
    symlink(victim.parent().unwrap(), &locks).unwrap();
    assert_refused(&folder, "symbolic link");
}

/// W5: an examination of a damaged database takes the lock `state`.
#[test]
fn a_damaged_state_locks_no_file_of_the_user() {
    let (_temp, folder, victim) = state_folder();
    synix_disk::replace(&super::super::path(&folder), b"no database").unwrap();
    fs::remove_file(folder.join("locks/state")).unwrap();
    symlink(&victim, folder.join("locks/state")).unwrap();
    assert_refused(&folder, "symbolic link");
    assert_untouched(&victim);
}

/// W5: a hard link is the file itself, so synix must not truncate it.
#[test]
fn a_lock_that_is_a_hard_link_is_not_truncated() {
    let (_temp, folder, victim) = state_folder();
    let store = Store::open(&folder).unwrap();
    fs::hard_link(&victim, folder.join("locks/build-1")).unwrap();
    assert!(store.lock_build(BuildId(1)).is_err());
    assert_untouched(&victim);
}

#[test]
fn a_state_folder_that_is_a_link_is_refused() {
    let (temp, folder, _) = state_folder();
    let link = temp.path().join("link");
    symlink(&folder, &link).unwrap();
    assert_refused(&link, "is a symbolic link");
}

/// W11: reading a pipe would block forever, and a device never ends.
#[test]
fn pipes_and_folders_are_refused() {
    for name in [
        "state.sqlite3",
        "state.sqlite3-wal",
        "damage.json",
        "locks/state",
        "locks",
    ] {
        for pipe in [true, false] {
            let (_temp, folder, _) = state_folder();
            let path = folder.join(name);
            let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
            if pipe {
                rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).unwrap();
            } else if name == "locks" {
                continue;
            } else {
                fs::create_dir(&path).unwrap();
            }
            assert_eq!(refusals(&folder).len(), 2, "{name}");
        }
    }
}

/// W5: the same for objects and batch files.
#[test]
fn contents_are_not_written_through_links() {
    let (temp, folder, victim) = state_folder();
    let store = Store::open(&folder).unwrap();
    let text = "x".repeat(objects::MAX_INLINE_BYTES + 1);
    let digest = Digest::of(text.as_bytes()).to_string();
    symlink(temp.path(), folder.join("objects")).unwrap();
    assert!(store.write(|tx| tx.put_object(text.as_bytes())).is_err());
    fs::remove_file(folder.join("objects")).unwrap();
    fs::create_dir_all(folder.join("objects").join(&digest[..2])).unwrap();
    let object = folder.join("objects").join(&digest[..2]).join(&digest[2..]);
    symlink(&victim, &object).unwrap();
    assert!(store.write(|tx| tx.put_object(text.as_bytes())).is_err());
    assert!(store.object(Digest::of(b"mine"), 4).is_err());
    symlink(temp.path(), folder.join("batches")).unwrap();
    assert!(store.batch_file("synix-0a", ".jsonl").is_err());
    assert_untouched(&victim);
}

/// W5: garbage collection follows no link and deletes only files with names that synix gives.
#[test]
fn garbage_collection_deletes_only_files_of_synix() -> io::Result<()> {
    let rules = GcRules {
        before: Timestamp(u64::MAX),
        max_bytes: None,
        snapshots: 1,
        answers: true,
        dry_run: false,
    };
    let (temp, folder, victim) = state_folder();
    let store = Store::open(&folder).unwrap();
    let photos = temp.path().join("photos/ab");
    let name = Digest::of(b"anything").to_string();
    fs::create_dir_all(&photos)?;
    synix_disk::replace(&photos.join(&name[2..]), b"photo").unwrap();
    let objects = folder.join("objects");
    fs::create_dir_all(objects.join("ab"))?;
    fs::create_dir_all(objects.join("cd").join(&name[2..]))?;
    symlink(&photos, objects.join("ef"))?;
    symlink(&victim, objects.join("ab").join(&name[2..]))?;
    synix_disk::replace(&objects.join("ab/diary.txt"), b"mine").unwrap();
    synix_disk::replace(&objects.join("readme"), b"mine").unwrap();
    let other = Digest::of(b"other").to_string();
    fs::hard_link(&victim, objects.join("ab").join(&other[2..]))?;
    fs::create_dir_all(folder.join("batches"))?;
    symlink(&victim, folder.join("batches/synix-00.jsonl"))?;
    synix_disk::replace(&folder.join("batches/mine"), b"mine").unwrap();
    let freed = store
        .collect_garbage(&rules, &[BuildId(1)])
        .unwrap()
        .unwrap();
    // Only the hard link with the name of an object is deleted; the user's file remains.
    assert_eq!((freed.objects, freed.files), (1, 0));
    assert_untouched(&victim);
    assert_eq!(fs::read(photos.join(&name[2..]))?, b"photo");
    for fallback in ["ab/diary.txt", "readme", "ef", "cd"] {
        assert!(objects.join(fallback).exists(), "{fallback}");
    }
    fs::remove_dir_all(&objects)?;
    symlink(temp.path().join("photos"), &objects)?;
    assert!(store.collect_garbage(&rules, &[BuildId(1)]).is_err());
    assert_eq!(fs::read(photos.join(&name[2..]))?, b"photo");
    Ok(())
}

/// W19: prompts and answers are private.
#[test]
fn only_the_owner_can_access_a_state() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_temp, folder, _) = state_folder();
    let store = Store::open(&folder).unwrap();
    store
        .write(|tx| tx.put_object(&[b'x'; objects::MAX_INLINE_BYTES + 1]))
        .unwrap();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o077;
            assert_eq!(mode, 0, "{}", path.display());
            if path.is_dir() {
                folders.push(path);
            }
        }
        let mode = fs::metadata(&folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{}", folder.display());
    }
}
