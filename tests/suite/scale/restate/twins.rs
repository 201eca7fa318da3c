//! Two copies of a project: one builds on this machine, the other on workers or through a service.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::machines::{Machines, Process};
use crate::support::folders::copy;
use crate::support::invocation::{Invocation, Run};
use crate::support::test_project::{TestProject, command_in};

/// Two copies of a project with one provider.
pub(super) struct Twins {
    pub(super) here: TestProject,
    elsewhere: PathBuf,
    _temporary: TempDir,
}

impl Twins {
    pub(super) fn of(here: TestProject) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let elsewhere = temporary.path().join("project");
        copy(&here.path(""), &elsewhere);
        Self {
            here,
            elsewhere,
            _temporary: temporary,
        }
    }

    /// The folder of the copy.
    pub(super) fn folder(&self) -> &Path {
        &self.elsewhere
    }

    /// A command in the copy, which runs units on the workers.
    pub(super) fn elsewhere(&self, machines: &Machines, arguments: &[&str]) -> Invocation {
        machines.elsewhere(command_in(&self.elsewhere, arguments))
    }

    /// Starts a command in the copy in its own process.
    pub(super) fn start(&self, machines: &Machines, arguments: &[&str]) -> Process {
        let mut command = self.elsewhere(machines, arguments).process();
        Process::start(&mut command, false)
    }

    /// Asserts that both copies have the same artifacts, byte by byte, with the same provenance.
    #[track_caller]
    pub(super) fn assert_equal(&self, layer: &str) {
        let export = |run: Run| run.expect_code(0).stdout;
        let arguments = ["export", layer];
        let here = export(self.here.run(&arguments));
        let elsewhere = export(command_in(&self.elsewhere, &arguments).run());
        assert_eq!(here.lines().count(), elsewhere.lines().count());
        // A build that was killed was continued by the second one.
        let elsewhere = elsewhere.replace("\"build\":\"build-2\"", "\"build\":\"build-1\"");
        for (here, elsewhere) in here.lines().zip(elsewhere.lines()) {
            assert_eq!(here, elsewhere);
        }
        assert!(!here.is_empty());
        let names = ["list", "--json"];
        let ids = |run: Run| {
            let listed = run.json()["artifacts"].clone();
            let listed = listed.as_array().unwrap().iter();
            listed
                .map(|one| one["id"].to_string())
                .collect::<Vec<String>>()
        };
        assert_eq!(
            ids(self.here.run(&names)),
            ids(command_in(&self.elsewhere, &names).run())
        );
    }

    /// Opens the database of the copy.
    pub(super) fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.elsewhere.join(".synix/state.sqlite3")).unwrap()
    }
}
