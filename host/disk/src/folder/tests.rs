use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

/// Creates a folder to work in and, next to it, a folder that belongs to somebody else.
fn two_folders() -> (tempfile::TempDir, Folder) {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir_all(temp.path().join("theirs/deep")).unwrap();
    crate::replace(&temp.path().join("theirs/file"), b"theirs").unwrap();
    let folder = Folder::open_or_create(&temp.path().join("ours"), SymlinkPolicy::Refuse).unwrap();
    (temp, folder)
}

fn theirs(temp: &tempfile::TempDir) -> Vec<u8> {
    fs::read(temp.path().join("theirs/file")).unwrap()
}

#[test]
fn no_operation_follows_a_link() {
    let (temp, folder) = two_folders();
    symlink("../theirs", folder.path().join("linked")).unwrap();
    symlink("../theirs/file", folder.path().join("file")).unwrap();
    let errors = [
        folder.open_folder("linked").unwrap_err(),
        folder.open_or_create_folder("linked").unwrap_err(),
        folder.read("file", 100).unwrap_err(),
        folder.open_for_writing("file").unwrap_err(),
        folder.lock("file").unwrap_err(),
    ];
    for error in errors {
        assert!(
            error.source.to_string().contains("symbolic link"),
            "{error:?}"
        );
    }
    assert_eq!(theirs(&temp), b"theirs");
}

#[test]
fn a_link_instead_of_the_folder_is_refused() {
    let (temp, _) = two_folders();
    let link = temp.path().join("link");
    symlink("theirs", &link).unwrap();
    assert!(Folder::open(&link, SymlinkPolicy::Refuse).is_err());
    assert!(Folder::open_or_create(&link, SymlinkPolicy::Refuse).is_err());
    assert!(
        Folder::open(&link, SymlinkPolicy::Follow)
            .unwrap()
            .is_some()
    );
}

#[test]
fn replacing_or_removing_a_link_keeps_its_target() {
    let (temp, folder) = two_folders();
    for name in ["replaced", "removed"] {
        symlink("../theirs/file", folder.path().join(name)).unwrap();
    }
    folder.replace("replaced", b"ours").unwrap();
    folder.remove("removed").unwrap();
    assert_eq!(folder.read("replaced", 9).unwrap().unwrap(), b"ours");
    assert_eq!(theirs(&temp), b"theirs");
}

#[test]
fn a_name_must_be_a_single_component_of_a_path() {
    let (temp, folder) = two_folders();
    let absolute = temp.path().join("theirs/file");
    for name in [
        "../theirs/file",
        "..",
        ".",
        "",
        "a/b",
        "a/",
        absolute.to_str().unwrap(),
    ] {
        assert!(folder.read(name, 9).is_err(), "{name}");
        assert!(folder.replace(name, b"x").is_err(), "{name}");
        assert!(folder.remove(name).is_err(), "{name}");
        assert!(folder.rename("x", name).is_err(), "{name}");
    }
    assert_eq!(theirs(&temp), b"theirs");
}

#[test]
fn renaming_never_overwrites_a_file() {
    let (_temp, folder) = two_folders();
    folder.replace("a", b"a").unwrap();
    folder.replace("b", b"b").unwrap();
    assert!(!folder.rename("a", "b").unwrap());
    assert!(!folder.rename("nothing", "c").unwrap());
    assert!(folder.rename("a", "c").unwrap());
    assert_eq!(folder.read("b", 9).unwrap().unwrap(), b"b");
    assert_eq!(folder.read("c", 9).unwrap().unwrap(), b"a");
}

#[test]
fn pipes_and_folders_are_not_accepted_as_files() {
    let (_temp, folder) = two_folders();
    rustix::fs::mkfifoat(&folder.handle, "pipe", rustix::fs::Mode::RWXU).unwrap();
    folder.open_or_create_folder("folder").unwrap();
    for name in ["pipe", "folder"] {
        assert!(folder.read(name, 9).is_err(), "{name}");
        assert!(folder.has_file(name).is_err(), "{name}");
        assert!(folder.lock(name).is_err(), "{name}");
    }
}

#[test]
fn only_the_owner_may_access_created_files_and_folders() {
    let (_temp, folder) = two_folders();
    folder.replace("file", b"x").unwrap();
    folder.open_or_create_folder("below").unwrap();
    drop(folder.lock("lock").unwrap().unwrap());
    let mode = |name: &str| {
        let path = folder.path().join(name);
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    let modes = ["", "below", "file", "lock"].map(mode);
    assert_eq!(modes, [0o700, 0o700, 0o600, 0o600]);
}
