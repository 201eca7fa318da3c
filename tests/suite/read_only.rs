//! A project that may only be read: another user's, or one on a read-only disk (U5, X13).

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use crate::workbench::{BATCH, Run, Workbench};

/// A user that owns nothing here.
const NOBODY: u32 = 65534;

/// Commands that read.
const READING: [&[&str]; 7] = [
    &["list"],
    &["show", "summary"],
    &["lineage", "summary"],
    &["runs"],
    &["plan"],
    &["batch-build", "list"],
    &["batch-build", "status"],
];

/// Sets the mode of all that is in a folder: `folders` of folders, `files` of files.
fn set_modes(path: &Path, folders: u32, files: u32) {
    let mode = if path.is_dir() { folders } else { files };
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            set_modes(&entry.unwrap().path(), folders, files);
        }
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A project that was built and then closed, and opened again when this is dropped.
struct Shut {
    bench: Workbench,
    home: tempfile::TempDir,
}

impl Shut {
    /// `hold` keeps a connection to the database while it is closed, so that its log stays.
    fn new(bench: Workbench) -> Self {
        let home = tempfile::tempdir().unwrap();
        set_modes(home.path(), 0o777, 0o666);
        set_modes(bench.path("").parent().unwrap(), 0o555, 0o444);
        Self { bench, home }
    }

    /// Runs a command as somebody who may not write the project.
    fn run(&self, arguments: &[&str]) -> Run {
        let mut command = self.bench.command(arguments);
        command
            .env("HOME", self.home.path())
            .env_remove("XDG_CACHE_HOME");
        let mut command = command.process();
        // The owner of everything may write anything.
        if self.home.path().metadata().unwrap().uid() == 0 {
            command.uid(NOBODY).gid(NOBODY);
        }
        Run::of(&mut command)
    }
}

impl Drop for Shut {
    fn drop(&mut self) {
        set_modes(self.bench.path("").parent().unwrap(), 0o755, 0o644);
    }
}

/// The names of the files in the state folder.
fn files(bench: &Workbench) -> Vec<String> {
    let entries = fs::read_dir(bench.path(".synix")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn assert_readable(shut: &Shut) {
    let before = files(&shut.bench);
    for arguments in READING {
        let run = shut.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {run:?}");
    }
    let listed = shut.run(&["list", "--json"]).json();
    assert_eq!(listed["artifacts"].as_array().unwrap().len(), 7);
    let plan = shut.run(&["plan", "--json"]).json();
    assert!(
        plan["layers"]
            .as_array()
            .unwrap()
            .iter()
            .all(|layer| layer["stale"] == 0),
        "{plan}"
    );
    assert_eq!(files(&shut.bench), before);
}

#[test]
fn a_state_without_a_log_is_read() {
    let bench = Workbench::team();
    bench.ok(&BATCH);
    assert!(!bench.path(".synix/state.sqlite3-wal").exists());
    assert_readable(&Shut::new(bench));
}

/// A build was killed, so what it wrote last is in the log.
#[test]
fn a_state_with_a_log_is_read_with_what_is_in_it() {
    let bench = Workbench::team();
    bench.ok(&BATCH);
    let database = bench.database();
    database
        .execute_batch("PRAGMA wal_autocheckpoint = 0; UPDATE build SET error = 'from the log'")
        .unwrap();
    let state = bench.path(".synix");
    let kept = tempfile::tempdir().unwrap();
    for name in ["state.sqlite3", "state.sqlite3-wal"] {
        fs::copy(state.join(name), kept.path().join(name)).unwrap();
    }
    drop(database);
    for name in ["state.sqlite3", "state.sqlite3-wal"] {
        fs::copy(kept.path().join(name), state.join(name)).unwrap();
    }
    let shut = Shut::new(bench);
    assert_readable(&shut);
    let runs = shut.run(&["runs", "--json"]).stdout;
    assert!(runs.contains("from the log"), "{runs}");
}

/// What cannot be done says whose the project is.
#[test]
fn a_state_that_may_not_be_written_names_its_owner() {
    let bench = Workbench::team();
    bench.ok(&["build"]);
    let shut = Shut::new(bench);
    let owner = shut.bench.path(".synix").metadata().unwrap().uid();
    for arguments in [&["build", "--trust"][..], &["clean"], &["gc"]] {
        let run = shut.run(arguments);
        assert!(
            run.code == 1 && run.says("it belongs to") && run.says(&format!("user {owner}")),
            "{arguments:?}: {run:?}"
        );
    }
    assert_eq!(shut.bench.sent(), 4);
}

/// A state of somebody who lets nobody in.
#[test]
fn a_state_that_may_not_be_read_names_its_owner() {
    let bench = Workbench::team();
    bench.ok(&["build"]);
    let shut = Shut::new(bench);
    let state = shut.bench.path(".synix");
    let owner = state.metadata().unwrap().uid();
    fs::set_permissions(&state, fs::Permissions::from_mode(0o000)).unwrap();
    for arguments in [&["list"][..], &["plan"], &["runs"]] {
        let run = shut.run(arguments);
        assert!(
            run.code == 1 && run.says("it belongs to") && run.says(&format!("user {owner}")),
            "{arguments:?}: {run:?}"
        );
    }
}

/// A first build in a folder that may not be written says so, sends nothing and leaves nothing.
#[test]
fn a_project_without_a_state_can_be_planned_and_not_built() {
    let shut = Shut::new(Workbench::team());
    assert_eq!(shut.run(&["plan"]).code, 0);
    let run = shut.run(&["build"]);
    assert!(run.code == 1 && run.says("it belongs to"), "{run:?}");
    assert_eq!(shut.bench.sent(), 0);
    assert!(!shut.bench.path(".synix").exists());
}

/// A project with a plugin of its own, which is not the one that its lock file pins.
fn with_a_changed_plugin() -> Workbench {
    let bench = Workbench::guest("moody", &[("calm", "a quiet day")]);
    bench.ok(&["plan"]);
    let other = synix_test_components::bytes("echo");
    fs::write(bench.path("plugins/moody.wasm"), other).unwrap();
    bench
}

/// The lock file cannot be brought up to date: a plan says what differs, and only a build needs it written.
#[test]
fn a_lock_file_that_may_not_be_written_keeps_nobody_from_planning() {
    for pinned in [true, false] {
        let bench = with_a_changed_plugin();
        if !pinned {
            bench.remove("synix.lock");
        }
        let before = fs::read(bench.path("synix.lock")).ok();
        let shut = Shut::new(bench);
        let plan = shut.run(&["plan"]);
        assert!(plan.code == 0 && plan.says("synix.lock: "), "{plan:?}");
        let build = shut.run(&["build", "--trust"]);
        assert!(build.code == 1 && build.says("synix.lock"), "{build:?}");
        assert_eq!(shut.run(&["plan", "--locked"]).code, 5);
        assert_eq!(fs::read(shut.bench.path("synix.lock")).ok(), before);
        assert_eq!(shut.bench.sent(), 0);
    }
}

/// What the lock file pins is not known where it cannot be read, so nothing is planned past it.
#[test]
fn a_lock_file_that_may_not_be_read_is_named() {
    let shut = Shut::new(with_a_changed_plugin());
    let lock = shut.bench.path("synix.lock");
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o000)).unwrap();
    let plan = shut.run(&["plan"]);
    assert!(plan.code == 1 && plan.says("synix.lock"), "{plan:?}");
}
