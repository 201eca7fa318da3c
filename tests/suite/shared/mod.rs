//! Shared answers over a folder that two projects have in common. Both have one provider, and so one ledger.

mod accidents;
mod builds;
mod commands;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::folders::copy;
use crate::support::invocation::{Invocation, Run};
use crate::support::test_project::{TestProject, command_in};

/// Two copies of a project, and the folder of their shared answers.
struct Team {
    first: TestProject,
    second: PathBuf,
    temporary: TempDir,
}

impl Team {
    fn new() -> Self {
        Self::of(TestProject::team())
    }

    fn of(first: TestProject) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let second = temporary.path().join("second");
        copy(&first.path(""), &second);
        fs::create_dir(temporary.path().join("answers")).unwrap();
        Self {
            first,
            second,
            temporary,
        }
    }

    /// The folder of the store.
    fn answers(&self) -> PathBuf {
        self.temporary.path().join("answers")
    }

    fn url(&self) -> String {
        format!("file://{}", self.answers().display())
    }

    /// A command in the first project.
    fn in_first(&self, arguments: &[&str]) -> Invocation {
        self.sharing(self.first.command(arguments))
    }

    /// A command in the second project.
    fn in_second(&self, arguments: &[&str]) -> Invocation {
        self.sharing(command_in(&self.second, arguments))
    }

    fn sharing(&self, mut command: Invocation) -> Invocation {
        command.env("SYNIX_SHARED_URL", self.url());
        command
    }

    /// Returns the contents of every object by path.
    fn objects(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut objects = BTreeMap::new();
        collect(&self.answers(), &mut objects);
        objects
    }

    /// Returns the objects in one of the folders of the namespace.
    fn objects_in(&self, folder: &str) -> Vec<PathBuf> {
        let folder = self.answers().join("v1/default").join(folder);
        let paths = self.objects().into_keys();
        paths.filter(|path| path.starts_with(&folder)).collect()
    }

    /// Asserts that no claim and no heartbeat is left, so that nobody has to wait for this build.
    #[track_caller]
    fn assert_nothing_claimed(&self) {
        for folder in ["claims", "holders"] {
            assert_eq!(self.objects_in(folder), [] as [PathBuf; 0]);
        }
    }

    fn artifacts_of_second(&self) -> serde_json::Value {
        let listed = self.in_second(&["list", "--json"]).run().json();
        listed["artifacts"].clone()
    }

    fn artifacts_of_first(&self) -> serde_json::Value {
        let listed = self.in_first(&["list", "--json"]).run().json();
        listed["artifacts"].clone()
    }
}

fn collect(folder: &Path, objects: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, objects);
        } else if let Ok(content) = fs::read(&path) {
            objects.insert(path, content);
        }
    }
}

/// Returns the ids of artifacts, whatever build made them.
fn ids(artifacts: &serde_json::Value) -> Vec<String> {
    let artifacts = artifacts.as_array().unwrap().iter();
    artifacts.map(|one| one["id"].to_string()).collect()
}

fn ok(command: &Invocation) -> Run {
    command.run().expect_code(0)
}
