//! A project that can only be read: another user's, one on a read-only disk, or one of a newer synix (U5, X13, L9).

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use crate::support::invocation::{Run, copy_compiled};
use crate::support::pipelines::BATCH_BUILD;
use crate::support::test_project::TestProject;

/// A user who owns nothing here.
const OTHER_USER: u32 = 65534;

/// Commands that only read.
const READING_COMMANDS: [&[&str]; 9] = [
    &["list"],
    &["show", "summary"],
    &["lineage", "summary"],
    &["search", "bela"],
    &["runs"],
    &["plan"],
    &[
        "plan",
        "--limit",
        "1",
        "--set",
        "models.cheap.temperature=1",
    ],
    &["batch-build", "list"],
    &["batch-build", "status"],
];

/// Sets the modes of everything in a folder.
fn set_modes(path: &Path, folders: u32, files: u32) {
    let mode = if path.is_dir() { folders } else { files };
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            set_modes(&entry.unwrap().path(), folders, files);
        }
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Returns whether the tests run as root, who may write to any file.
fn is_root(own_folder: &Path) -> bool {
    own_folder.metadata().unwrap().uid() == 0
}

/// A project that was built and then made read-only. It becomes writable again when this is dropped.
struct ReadOnlyProject {
    project: TestProject,
    home: tempfile::TempDir,
}

impl ReadOnlyProject {
    fn new(project: TestProject) -> Self {
        let home = tempfile::tempdir().unwrap();
        set_modes(home.path(), 0o777, 0o666);
        copy_compiled(home.path(), is_root(home.path()).then_some(OTHER_USER));
        set_modes(project.path("").parent().unwrap(), 0o555, 0o444);
        Self { project, home }
    }

    /// Runs a command as a user who may not write to the project.
    fn run(&self, arguments: &[&str]) -> Run {
        let mut command = self.project.command(arguments);
        command
            .env("HOME", self.home.path())
            .env_remove("XDG_CACHE_HOME");
        let mut command = command.process();
        if is_root(self.home.path()) {
            command.uid(OTHER_USER).gid(OTHER_USER);
        }
        Run::of(&mut command)
    }
}

impl Drop for ReadOnlyProject {
    fn drop(&mut self) {
        set_modes(self.project.path("").parent().unwrap(), 0o755, 0o644);
    }
}

/// Returns the names of the files in the state folder.
fn files(project: &TestProject) -> Vec<String> {
    let entries = fs::read_dir(project.path(".synix")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn assert_readable(read_only: &ReadOnlyProject) {
    let before = files(&read_only.project);
    for arguments in READING_COMMANDS {
        let run = read_only.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {run:?}");
    }
    let listed = read_only.run(&["list", "--json"]).json();
    assert_eq!(listed["artifacts"].as_array().unwrap().len(), 7);
    let plan = read_only.run(&["plan", "--json"]).json();
    assert!(
        plan["layers"]
            .as_array()
            .unwrap()
            .iter()
            .all(|layer| layer["stale"] == 0),
        "{plan}"
    );
    assert_eq!(files(&read_only.project), before);
}

#[test]
fn a_read_only_state_without_a_write_ahead_log_is_read() {
    let project = TestProject::team();
    project.ok(&BATCH_BUILD);
    assert!(!project.path(".synix/state.sqlite3-wal").exists());
    assert_readable(&ReadOnlyProject::new(project));
}

/// The index that is there is used; a missing one is made for one search.
#[test]
fn a_read_only_state_is_searched() {
    for has_index in [true, false] {
        let project = TestProject::team();
        project.ok(&BATCH_BUILD);
        if has_index {
            project.ok(&["search", "bela"]);
        }
        let read_only = ReadOnlyProject::new(project);
        let run = read_only.run(&["search", "bela", "--layer", "bios"]);
        assert!(
            run.code == 0 && run.stdout.starts_with("bios/bela "),
            "{run:?}"
        );
        assert_eq!(run.says("for this search alone"), !has_index, "{run:?}");
    }
}

/// A build was killed, so its last writes are in the log.
#[test]
fn a_read_only_state_is_read_with_its_write_ahead_log() {
    let project = TestProject::team();
    project.ok(&BATCH_BUILD);
    let database = project.database();
    database
        .execute_batch("PRAGMA wal_autocheckpoint = 0; UPDATE build SET error = 'from the log'")
        .unwrap();
    let state = project.path(".synix");
    let backup = tempfile::tempdir().unwrap();
    for name in ["state.sqlite3", "state.sqlite3-wal"] {
        fs::copy(state.join(name), backup.path().join(name)).unwrap();
    }
    drop(database);
    for name in ["state.sqlite3", "state.sqlite3-wal"] {
        fs::copy(backup.path().join(name), state.join(name)).unwrap();
    }
    let read_only = ReadOnlyProject::new(project);
    assert_readable(&read_only);
    let runs = read_only.run(&["runs", "--json"]).stdout;
    assert!(runs.contains("from the log"), "{runs}");
}

#[test]
fn a_read_only_state_is_reported_with_its_owner() {
    let project = TestProject::team();
    project.ok(&["build"]);
    let read_only = ReadOnlyProject::new(project);
    let owner = read_only.project.path(".synix").metadata().unwrap().uid();
    for arguments in [&["build", "--trust"][..], &["clean"], &["gc"]] {
        let run = read_only.run(arguments);
        assert!(
            run.code == 1 && run.says("it belongs to") && run.says(&format!("user {owner}")),
            "{arguments:?}: {run:?}"
        );
    }
    assert_eq!(read_only.project.sent(), 4);
}

/// A state that only its owner can read.
#[test]
fn an_unreadable_state_is_reported_with_its_owner() {
    let project = TestProject::team();
    project.ok(&["build"]);
    let read_only = ReadOnlyProject::new(project);
    let state = read_only.project.path(".synix");
    let owner = state.metadata().unwrap().uid();
    fs::set_permissions(&state, fs::Permissions::from_mode(0o000)).unwrap();
    for arguments in [&["list"][..], &["plan"], &["runs"]] {
        let run = read_only.run(arguments);
        assert!(
            run.code == 1 && run.says("it belongs to") && run.says(&format!("user {owner}")),
            "{arguments:?}: {run:?}"
        );
    }
}

/// A first build fails, sends nothing and writes nothing.
#[test]
fn a_read_only_project_without_a_state_can_be_planned_but_not_built() {
    let read_only = ReadOnlyProject::new(TestProject::team());
    assert_eq!(read_only.run(&["plan"]).code, 0);
    let run = read_only.run(&["build"]);
    assert!(run.code == 1 && run.says("it belongs to"), "{run:?}");
    assert_eq!(read_only.project.sent(), 0);
    assert!(!read_only.project.path(".synix").exists());
}

/// A project with a plugin that differs from the pin in the lock file.
fn with_a_changed_plugin() -> TestProject {
    let project = TestProject::guest("moody", &[("calm", "a quiet day")]);
    project.ok(&["plan"]);
    let other = synix_test_components::bytes("echo");
    fs::write(project.path("plugins/moody.wasm"), other).unwrap();
    project
}

/// A plan reports the difference. Only a build must write the lock file.
#[test]
fn a_read_only_lock_file_does_not_prevent_a_plan() {
    for pinned in [true, false] {
        let project = with_a_changed_plugin();
        if !pinned {
            project.remove("synix.lock");
        }
        let before = fs::read(project.path("synix.lock")).ok();
        let read_only = ReadOnlyProject::new(project);
        let plan = read_only.run(&["plan"]);
        assert!(plan.code == 0 && plan.says("synix.lock: "), "{plan:?}");
        let build = read_only.run(&["build", "--trust"]);
        assert!(build.code == 1 && build.says("synix.lock"), "{build:?}");
        assert_eq!(read_only.run(&["plan", "--locked"]).code, 5);
        assert_eq!(fs::read(read_only.project.path("synix.lock")).ok(), before);
        assert_eq!(read_only.project.sent(), 0);
    }
}

/// The pins are unknown, so there is no plan.
#[test]
fn an_unreadable_lock_file_is_named() {
    let read_only = ReadOnlyProject::new(with_a_changed_plugin());
    let lock = read_only.project.path("synix.lock");
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o000)).unwrap();
    let plan = read_only.run(&["plan"]);
    assert!(plan.code == 1 && plan.says("synix.lock"), "{plan:?}");
}

/// L9: every command that only reads can read the state of a newer synix, and no command writes it.
#[test]
fn a_newer_state_is_read_but_not_written() {
    let project = TestProject::team();
    project.ok(&BATCH_BUILD);
    project
        .database()
        .pragma_update(None, "user_version", 1000)
        .unwrap();
    let before = std::fs::read(project.path(".synix/state.sqlite3")).unwrap();
    let reading: [&[&str]; 7] = [
        &["list"],
        &["show", "summary"],
        &["lineage", "summary"],
        &["runs"],
        &["plan"],
        &["batch-build", "list"],
        &["batch-build", "status", "--latest"],
    ];
    for arguments in reading {
        project.ok(arguments);
    }
    let writing: [&[&str]; 4] = [
        &["build"],
        &BATCH_BUILD,
        &["clean"],
        &["build", "--reset-state"],
    ];
    for arguments in writing {
        let run = project.run(arguments).expect_code(1);
        assert!(run.says("format 1000"), "{run:?}");
    }
    let after = std::fs::read(project.path(".synix/state.sqlite3")).unwrap();
    assert!(before == after, "the file was written");
}
