//! The compile cache.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

fn open(folder: &Path) -> Sandbox {
    let cache = CompileCache {
        folder: folder.join("cache"),
        secrets: folder.join("secrets"),
    };
    Sandbox::new(1, Some(cache)).unwrap()
}

fn is_cached(folder: &Path, component: &[u8]) -> bool {
    let sandbox = open(folder);
    let shared = sandbox.shared();
    shared
        .cache
        .as_ref()
        .unwrap()
        .get(&shared.engine, Digest::of(component))
        .is_some()
}

fn only_file(folder: &Path) -> PathBuf {
    let files: Vec<_> = fs::read_dir(folder.join("cache"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[test]
fn compiled_code_is_stored_across_processes() {
    let folder = tempfile::tempdir().unwrap();
    let component = Guest {
        execute: ASK,
        ..Guest::default()
    }
    .component();
    let compiled = open(folder.path()).load("guest", &component).unwrap();
    assert!(is_cached(folder.path(), &component));

    let cached = open(folder.path()).load("guest", &component).unwrap();
    assert_eq!(cached.descriptor(), compiled.descriptor());
    assert_eq!(
        text_of(run(&cached, &mut Script::of([answered("so")])).unwrap()),
        "so"
    );
}

#[test]
fn a_damaged_file_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let component = Guest::default().component();
    open(folder.path()).load("guest", &component).unwrap();
    let file = only_file(folder.path());
    let whole = fs::read(&file).unwrap();
    let damages: [&[u8]; 3] = [b"", &whole[..27], &whole[..whole.len() - 1]];
    for damage in damages {
        synix_disk::replace(&file, damage).unwrap();
        assert!(!is_cached(folder.path(), &component));
    }
    for at in [0, 30, 70, whole.len() / 2, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        synix_disk::replace(&file, &damaged).unwrap();
        assert!(!is_cached(folder.path(), &component), "byte {at}");
    }
    open(folder.path()).load("guest", &component).unwrap();
    assert!(is_cached(folder.path(), &component));
}

/// W19: a file is valid only for the component that it was compiled from.
#[test]
fn swapped_files_are_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let one = Guest::default().component();
    let other = Guest {
        execute: ASK,
        ..Guest::default()
    }
    .component();
    open(folder.path()).load("one", &one).unwrap();
    let of_one = only_file(folder.path());
    let bytes = fs::read(&of_one).unwrap();
    fs::remove_file(&of_one).unwrap();
    open(folder.path()).load("other", &other).unwrap();
    let of_other = only_file(folder.path());
    assert!(is_cached(folder.path(), &other));
    synix_disk::replace(&of_other, &bytes).unwrap();
    assert!(!is_cached(folder.path(), &other));
    synix_disk::replace(&of_one, &bytes).unwrap();
    assert!(is_cached(folder.path(), &one));
}

/// W1: somebody who writes files into the folder does not know the user's secret.
#[test]
fn files_sealed_with_another_secret_are_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let component = Guest::default().component();
    open(folder.path()).load("guest", &component).unwrap();
    let secret = folder.path().join("secrets/compile-cache-secret");
    let known = fs::read(&secret).unwrap();
    synix_disk::replace_private(&secret, &[7; 32]).unwrap();
    assert!(!is_cached(folder.path(), &component));
    synix_disk::replace_private(&secret, &known).unwrap();
    assert!(is_cached(folder.path(), &component));
}

/// W19: another user who can read the secret can seal files.
#[cfg(unix)]
#[test]
fn a_secret_that_others_can_read_is_replaced() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let component = Guest::default().component();
    open(folder.path()).load("guest", &component).unwrap();
    let secret = folder.path().join("secrets/compile-cache-secret");
    let known = fs::read(&secret).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(!is_cached(folder.path(), &component));
    assert_ne!(fs::read(&secret).unwrap(), known);
    let mode = fs::metadata(&secret).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// W19: other users cannot enter the folder, even one that an earlier synix created.
#[cfg(unix)]
#[test]
fn only_the_owner_can_access_compiled_code() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    fs::create_dir(&cache).unwrap();
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o775)).unwrap();
    let component = Guest::default().component();
    open(folder.path()).load("guest", &component).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(&cache), mode(&only_file(folder.path()))),
        (0o700, 0o600)
    );
    assert!(is_cached(folder.path(), &component));
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_write_is_not_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let component = Guest::default().component();
    open(folder.path()).load("guest", &component).unwrap();
    fs::set_permissions(only_file(folder.path()), fs::Permissions::from_mode(0o666)).unwrap();
    assert!(!is_cached(folder.path(), &component));
}

#[test]
fn a_folder_that_cannot_be_written_is_not_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    synix_disk::replace(&file, b"").unwrap();
    assert!(
        open(&file.join("cache"))
            .load("guest", &Guest::default().component())
            .is_ok()
    );
}
