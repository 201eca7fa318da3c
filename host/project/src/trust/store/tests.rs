use std::time::Duration;

use super::super::registered_states::RegisteredState;
use super::*;

fn store(folder: &Path) -> TrustStore {
    TrustStore::open(Some(folder.join("synix")), &Owners::of_this_process(None)).unwrap()
}

fn fetch(from: &str) -> Permission {
    Permission::Fetch {
        from: from.to_owned(),
    }
}

fn digests(store: &TrustStore, project: &str) -> Vec<Digest> {
    let grants = store.grants(Path::new(project)).into_iter();
    grants
        .flat_map(|grant| grant.permissions)
        .map(|permission| permission.digest)
        .collect()
}

#[test]
fn a_temporary_state_is_unregistered_a_day_after_its_project_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let state = RegisteredState {
        path: folder.path().join("deleted/.synix"),
        inode: None,
        adopted: false,
    };
    store.register_state("ab1", &state).unwrap();
    store.register_state("ab2", &state).unwrap();
    assert!(store.state("ab1").is_some());
    let old = std::time::UNIX_EPOCH + Duration::from_secs(1);
    let file = fs::File::options()
        .write(true)
        .open(store.state_path("ab1"));
    file.unwrap().set_modified(old).unwrap();
    store.register_state("cd3", &state).unwrap();
    assert!(store.state("ab1").is_some());
    store.register_state("ab3", &state).unwrap();
    assert!(store.state("ab1").is_none() && store.state("ab2").is_some());
}

#[test]
fn a_grant_applies_to_one_project_until_it_is_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let permission = fetch("https://a.example");
    store
        .record_grant(
            Path::new("/a"),
            std::slice::from_ref(&permission),
            Timestamp(7),
        )
        .unwrap();
    assert_eq!(digests(&store, "/a"), [permission.digest()]);
    assert!(digests(&store, "/b").is_empty());
    assert_eq!(store.all().len(), 1);
    assert!(!store.revoke(Path::new("/b")).unwrap());
    assert!(store.revoke(Path::new("/a")).unwrap());
    assert!(store.all().is_empty());
}

#[test]
fn concurrent_writers_lose_no_grant() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            scope.spawn(move || {
                for number in 0..5 {
                    let permission = fetch(&format!("https://{writer}.{number}.example"));
                    store(path)
                        .record_grant(Path::new("/a"), &[permission], Timestamp(7))
                        .unwrap();
                }
            });
        }
    });
    assert_eq!(digests(&store(path), "/a").len(), 40);
}

#[test]
fn a_changed_file_grants_nothing_and_hides_no_other_grant() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let project = Path::new("/a");
    store
        .record_grant(project, &[fetch("https://a.example")], Timestamp(7))
        .unwrap();
    let [only] = file_names(&store.project_folder(project))
        .try_into()
        .unwrap();
    store
        .record_grant(project, &[fetch("https://b.example")], Timestamp(7))
        .unwrap();
    let path = store.project_folder(project).join(only);
    let text = fs::read_to_string(&path).unwrap();
    let other = fetch("https://c.example").digest().to_string();
    let own = fetch("https://a.example").digest().to_string();
    for changed in [
        text.replace(&own, &other),
        text[..40].to_owned(),
        String::new(),
    ] {
        synix_disk::replace(&path, changed.as_bytes()).unwrap();
        assert_eq!(digests(&store, "/a"), [fetch("https://b.example").digest()]);
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_grants() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    store
        .record_grant(Path::new("/a"), &[fetch("https://a.example")], Timestamp(7))
        .unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let project_folder = store.project_folder(Path::new("/a"));
    for path in [&store.folder, &store.folder.join("trust"), &project_folder] {
        assert_eq!(mode(path), 0o700, "{path:?}");
    }
    for name in file_names(&project_folder) {
        assert_eq!(mode(&project_folder.join(name)), 0o600);
    }
    // Whoever can write there could grant permissions in the user's place.
    fs::set_permissions(&store.folder, fs::Permissions::from_mode(0o777)).unwrap();
    let opened = TrustStore::open(Some(store.folder.clone()), &Owners::of_this_process(None));
    assert!(matches!(opened, Err(TrustError::Unsafe { .. })));
}
