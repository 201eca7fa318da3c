//! Two copies of a project that share answers. Both have one provider, and so one ledger.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use synix_shared::Objects;
use tempfile::TempDir;

use crate::support::folders::copy;
use crate::support::invocation::{Invocation, Run};
use crate::support::s3::S3Server;
use crate::support::test_project::{TestProject, command_in};

/// The largest object that a test reads.
const MAX_BYTES: u64 = 1 << 20;

/// Makes a team of a project, over a store of some kind.
pub(crate) type MakeTeam<'a> = &'a dyn Fn(TestProject) -> Team;

/// Two copies of a project, and the store of their answers.
pub(crate) struct Team {
    pub(crate) first: TestProject,
    second: PathBuf,
    store: TeamStore,
    _temporary: TempDir,
}

/// A store of shared answers, as the environment of a command names it.
#[derive(Clone)]
pub(crate) struct TeamStore {
    pub(crate) url: String,
    pub(crate) namespace: String,
    pub(crate) variables: BTreeMap<String, String>,
}

impl TeamStore {
    /// A store in a folder.
    pub(crate) fn folder(folder: &Path) -> Self {
        Self {
            url: format!("file://{}", folder.display()),
            namespace: "default".to_owned(),
            variables: BTreeMap::new(),
        }
    }

    /// A namespace in the bucket of a server that no other test has.
    pub(crate) fn bucket(server: &S3Server) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let namespace = format!("test-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        Self {
            url: format!("s3://{}/{namespace}", S3Server::BUCKET),
            namespace,
            variables: server.variables(),
        }
    }

    /// The same store, with another value of a variable.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.variables.insert(name.to_owned(), value.to_owned());
        other
    }

    /// The same store for another user.
    pub(crate) fn with_all(&self, variables: BTreeMap<String, String>) -> Self {
        let mut other = self.clone();
        other.variables.extend(variables);
        other
    }

    /// Gives a command what it needs to use the store.
    pub(crate) fn share(&self, mut command: Invocation) -> Invocation {
        command.env("SYNIX_SHARED_URL", &self.url);
        command.envs(&self.variables);
        command
    }

    pub(crate) fn open(&self) -> Arc<dyn Objects> {
        let variable = |name: &str| self.variables.get(name).cloned();
        synix_objects::open(&self.url, &variable).unwrap().objects
    }

    /// Returns the paths of the objects in one of the folders of the namespace.
    pub(crate) fn paths(&self, folder: &str) -> Vec<String> {
        let prefix = format!("v1/{}/{folder}/", self.namespace);
        let infos = wait(self.open().list(&prefix)).unwrap();
        let mut paths: Vec<String> = infos.into_iter().map(|info| info.path).collect();
        paths.sort_unstable();
        paths
    }

    pub(crate) fn read(&self, path: &str) -> Vec<u8> {
        let read = wait(self.open().get(path, MAX_BYTES)).unwrap();
        read.unwrap_or_else(|| panic!("{path} is gone"))
    }

    /// Writes an object in the place of another one, as synix never does.
    pub(crate) fn replace(&self, path: &str, bytes: &[u8]) {
        let objects = self.open();
        wait(objects.delete(path)).unwrap();
        wait(objects.create(path, bytes.to_vec())).unwrap();
    }

    /// Returns the contents of every object by path.
    pub(crate) fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let folders = ["answers", "claims", "holders"].into_iter();
        let paths = folders.flat_map(|folder| self.paths(folder));
        paths.map(|path| (path.clone(), self.read(&path))).collect()
    }
}

impl Team {
    /// A team of three people's texts over a folder.
    pub(crate) fn new() -> Self {
        Self::in_folder(TestProject::team())
    }

    pub(crate) fn in_folder(first: TestProject) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().join("answers");
        fs::create_dir(&folder).unwrap();
        Self::with_store(first, TeamStore::folder(&folder), temporary)
    }

    pub(crate) fn in_bucket(first: TestProject, server: &S3Server) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        Self::with_store(first, TeamStore::bucket(server), temporary)
    }

    fn with_store(first: TestProject, store: TeamStore, temporary: TempDir) -> Self {
        let second = temporary.path().join("second");
        copy(&first.path(""), &second);
        Self {
            first,
            second,
            store,
            _temporary: temporary,
        }
    }

    pub(crate) const fn store(&self) -> &TeamStore {
        &self.store
    }

    /// The folder of a store that is one.
    pub(crate) fn answers(&self) -> PathBuf {
        PathBuf::from(self.store.url.strip_prefix("file://").unwrap())
    }

    /// A command in the first project.
    pub(crate) fn in_first(&self, arguments: &[&str]) -> Invocation {
        self.store.share(self.first.command(arguments))
    }

    /// A command in the second project.
    pub(crate) fn in_second(&self, arguments: &[&str]) -> Invocation {
        self.store.share(command_in(&self.second, arguments))
    }

    /// Asserts that no claim and no heartbeat is left, so that nobody has to wait for this build.
    #[track_caller]
    pub(crate) fn assert_nothing_claimed(&self) {
        for folder in ["claims", "holders"] {
            assert_eq!(self.store.paths(folder), [] as [String; 0]);
        }
    }

    /// Asserts that both projects have the same artifacts.
    #[track_caller]
    pub(crate) fn assert_equal_artifacts(&self) {
        let list = ["list", "--json"];
        let listed = [self.in_first(&list), self.in_second(&list)];
        let [first, second] = listed.map(|command| ids(&command.run().json()["artifacts"]));
        assert_eq!(first, second);
    }
}

/// Returns the ids of artifacts, whatever build made them.
pub(crate) fn ids(artifacts: &serde_json::Value) -> Vec<String> {
    let artifacts = artifacts.as_array().unwrap().iter();
    artifacts.map(|one| one["id"].to_string()).collect()
}

#[track_caller]
pub(crate) fn ok(command: &Invocation) -> Run {
    command.run().expect_code(0)
}

/// Waits for an operation of a store.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}
