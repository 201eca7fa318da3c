//! A file of the user that an attack must not change, and a project with a state.

#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::folders;
use crate::support::invocation::Run;
use crate::support::test_project::TestProject;

/// The file that an attacker wants to replace, empty or read.
pub(crate) const USER_FILE_CONTENT: &str = "export PATH=/home/me/bin # nobody else's concern\n";

/// A file of the user, outside of any project.
pub(crate) struct UserFile {
    pub folder: tempfile::TempDir,
}

impl UserFile {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".bashrc"), USER_FILE_CONTENT).unwrap();
        Self { folder }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join(".bashrc")
    }

    #[track_caller]
    pub(crate) fn assert_untouched(&self) {
        assert_eq!(fs::read_to_string(self.file()).unwrap(), USER_FILE_CONTENT);
        assert_eq!(fs::read_dir(self.folder.path()).unwrap().count(), 1);
    }
}

/// Commands that read a state.
pub(crate) const READING_COMMANDS: [&[&str]; 6] = [
    &["list"],
    &["plan"],
    &["runs"],
    &["show", "summary"],
    &["lineage", "summary"],
    &["batch-build", "status"],
];

/// A project with a state that this user built.
pub(crate) fn built_project() -> TestProject {
    let project = TestProject::team();
    project.ok(&["build"]);
    project
}

/// Puts a link in the place of whatever has the name in the project.
pub(crate) fn link(project: &TestProject, name: &str, target: &Path) {
    folders::link(&project.path(name), target);
}

#[track_caller]
pub(crate) fn assert_clear_error(run: &Run, message: &str) {
    assert!((1..=5).contains(&run.code), "{run:?}");
    assert!(run.says(message), "{message}: {run:?}");
    assert!(
        !run.says("panicked") && !run.says(USER_FILE_CONTENT.trim()),
        "{run:?}"
    );
}
