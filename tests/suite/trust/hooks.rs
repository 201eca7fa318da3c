//! The hooks `on_done` and `on_done_url` need permission, and a command gets nothing beyond its environment.

use std::fs;
#[cfg(unix)]
use std::process::Command;

#[cfg(target_os = "linux")]
use crate::support::invocation::KEY;
use crate::support::proxy::RecordingProxy;
use crate::support::test_project::TestProject;
use crate::trust::{SENDING_COMMANDS, with_pipeline_key};

/// W9: the permission is for exactly this command in this folder.
#[test]
fn a_command_runs_only_after_permission() {
    let mut project = TestProject::team();
    let layers = fs::read_to_string(project.path("synix.toml")).unwrap();
    let on_done = |project: &TestProject, line: &str| {
        project.write(
            "synix.toml",
            &layers.replacen("name = \"suite\"", &format!("name = \"suite\"\n{line}"), 1),
        );
    };
    on_done(&project, "on_done = \"touch ran\"");
    for arguments in SENDING_COMMANDS {
        let run = project.run(arguments).expect_code(5);
        assert!(run.says("touch ran") && run.says("synix trust"), "{run:?}");
    }
    assert_eq!(project.sent(), 0, "the yes comes before anything is sent");
    project.ok(&["trust", "--yes"]);
    project.ok(&["build"]);
    assert!(project.path("ran").exists());
    for other in [
        "on_done = \"touch ran \"",
        "on_done = [\"touch ran\"]",
        "on_done = \"touch ran\"\non_done_in_replay = true",
        "on_done = \"touch ran\"\non_done_url = \"http://127.0.0.1:1/\"",
    ] {
        on_done(&project, other);
        project.run(&["build"]).expect_code(5);
    }
    on_done(&project, "on_done = \"touch ran\"");
    project.ok(&["build"]);
    project.move_elsewhere();
    project.run(&["build"]).expect_code(5);
    project.ok(&["build", "--trust"]);
}

#[test]
fn a_permission_holds_when_the_project_asks_for_less() {
    let project = TestProject::team();
    let layers = fs::read_to_string(project.path("synix.toml")).unwrap();
    let two_hooks = "name = \"suite\"\non_done = \"true\"\non_done_url = \"http://127.0.0.1:1/\"";
    project.write(
        "synix.toml",
        &layers.replacen("name = \"suite\"", two_hooks, 1),
    );
    project.ok(&["trust", "--yes"]);
    let one_hook = "name = \"suite\"\non_done = \"true\"";
    project.write(
        "synix.toml",
        &layers.replacen("name = \"suite\"", one_hook, 1),
    );
    project.ok(&["build"]);
}

/// W9: this includes services on this machine. The log does not contain the path, which may be secret.
#[test]
fn a_url_is_called_only_after_permission() {
    let project = TestProject::team();
    let proxy = RecordingProxy::start();
    with_pipeline_key(&project, &format!("on_done_url = \"{}/secret\"", proxy.url));
    let run = project.run(&["build"]).expect_code(5);
    assert!(run.says(&proxy.url) && !run.says("/secret"), "{run:?}");
    assert!(project.run(&["trust"]).says("/secret"));
    assert_eq!((project.sent(), proxy.connections().len()), (0, 0));
    project.ok(&["trust", "--yes"]);
    project.ok(&["build"]);
    assert_eq!(proxy.connections(), ["POST /secret HTTP/1.1"]);
}

/// W4, W9: without permission, a replay neither prompts nor runs the command.
#[test]
fn a_replay_runs_a_command_only_after_permission() {
    let project = TestProject::team();
    project.ok(&["build", "--cassette-mode", "record"]);
    with_pipeline_key(
        &project,
        "on_done = \"touch ran\"\non_done_in_replay = true",
    );
    let replay = ["build", "--cassette-mode", "replay"];
    let run = project.ok(&replay);
    assert!(
        !project.path("ran").exists() && run.says("synix trust"),
        "{run:?}"
    );
    project.ok(&["trust", "--yes"]);
    project.ok(&replay);
    assert!(project.path("ran").exists());
}

/// W9: the variables that the command does not get are not readable in its parent either.
#[cfg(target_os = "linux")]
#[test]
fn a_command_cannot_read_the_environment_of_its_parent() {
    let project = TestProject::team();
    with_pipeline_key(
        &project,
        "on_done = \"cat /proc/$PPID/environ > seen; echo $? > code; cat /proc/$PPID/mem >> seen\"",
    );
    project.ok(&["build", "--trust"]);
    let connections = fs::read(project.path("seen")).unwrap();
    assert!(!String::from_utf8_lossy(&connections).contains(KEY));
    assert_ne!(
        fs::read_to_string(project.path("code")).unwrap().trim(),
        "0"
    );
}

/// W9: its child processes end with it.
#[cfg(unix)]
#[test]
fn a_killed_command_leaves_no_processes_behind() {
    let project = TestProject::team();
    // Renamed at the end, so that the test never reads a half-written file.
    with_pipeline_key(
        &project,
        "on_done = \"sleep 1000 & echo $! > id; sleep 1000 & echo $! >> id; mv id ids; wait\"",
    );
    let child = project.start(&["build", "--trust"]);
    while !project.path("ids").exists() {
        std::thread::yield_now();
    }
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    let stderr = child.wait_with_output().unwrap().stderr;
    assert!(String::from_utf8_lossy(&stderr).contains("killed before it was done"));
    for id in fs::read_to_string(project.path("ids")).unwrap().lines() {
        // An ended process may wait for its new parent.
        while is_alive(id) {
            std::thread::yield_now();
        }
    }
}

#[cfg(unix)]
fn is_alive(id: &str) -> bool {
    let asked = Command::new("ps").args(["-o", "stat=", "-p", id]).output();
    let state = asked.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    state.is_ok_and(|state| !state.is_empty() && !state.starts_with('Z'))
}
