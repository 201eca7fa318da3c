//! States and files that another user may have made, and where the search for a pipeline file stops.

use std::fs;
#[cfg(unix)]
use std::path::Path;

use crate::support::folders::copy;
use crate::support::invocation::share_seal;
use crate::support::pipelines::RESUME;
use crate::support::test_project::{TestProject, command_in};
use crate::support::transcript::assert_transcript;
use crate::trust::SENDING_COMMANDS;

/// W5, W12: a copied state can be read, but nothing is built on it.
#[test]
fn a_copied_state_needs_permission() {
    let other = TestProject::team();
    other.ok(&["build"]);
    let project = TestProject::team();
    copy(&other.path(".synix"), &project.path(".synix"));
    for arguments in SENDING_COMMANDS {
        let run = project.run(arguments).expect_code(5);
        assert!(run.says("use the state in .synix"), "{run:?}");
    }
    project.run(&RESUME).expect_code(5);
    project.run(&["batch-build", "cancel"]).expect_code(5);
    for arguments in [
        &["list"][..],
        &["show", "summary"],
        &["lineage", "summary"],
        &["runs"],
        &["plan"],
        &["batch-build", "plan"],
    ] {
        project.ok(arguments);
    }
    assert_eq!(project.sent(), 0);
    project.ok(&["build", "--trust"]);
    project.run(&["build"]).expect_code(5);
    project.ok(&["trust", "--yes"]);
    project.ok(&["build"]);
    project.ok(&["trust", "revoke"]);
    project.run(&["build"]).expect_code(5);
}

#[test]
fn the_users_own_state_needs_no_permission_even_after_a_move() {
    let mut project = TestProject::team();
    // Other tests share a folder, and each command deletes permissions of projects in the folder for temporary files.
    let config = tempfile::tempdir().unwrap();
    share_seal(&config.path().join("synix"));
    let ok = |project: &TestProject, arguments: &[&str]| {
        let mut command = project.command(arguments);
        command
            .env("SYNIX_CONFIG_DIR", config.path().join("synix"))
            .run()
            .expect_code(0);
    };
    ok(&project, &["build", "--cassette-mode", "record"]);
    project.move_elsewhere();
    ok(&project, &["build"]);
    fs::remove_dir_all(project.path(".synix")).unwrap();
    ok(&project, &["build", "--cassette-mode", "replay"]);
    ok(&project, &["build"]);
    ok(&project, &["trust"]);
}

/// W8: other users could change it.
#[cfg(unix)]
#[test]
fn a_file_that_others_can_write_needs_permission() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = TestProject::team();
    project.write(".env", "OPENAI_API_KEY=sk-own\n");
    let mode = |file: &str, mode: u32| {
        fs::set_permissions(project.path(file), fs::Permissions::from_mode(mode)).unwrap();
    };
    project.ok(&["build"]);
    for (file, usual) in [
        ("synix.toml", 0o644),
        (".env", 0o600),
        (".synix", 0o700),
        ("", 0o755),
    ] {
        mode(file, usual | 0o002);
        let run = project.run(&["build"]).expect_code(5);
        assert!(
            run.says("everybody on this machine may change"),
            "{file}: {run:?}"
        );
        project.ok(&["plan"]);
        project.ok(&["list"]);
        project.ok(&["build", "--trust"]);
        mode(file, usual);
        project.ok(&["build"]);
    }
    // The sticky bit prevents other users from replacing files.
    mode("", 0o1777);
    project.ok(&["build"]);
}

/// Changes the owner of a file, which only root can do.
#[cfg(unix)]
fn change_owner(path: &Path) -> bool {
    std::os::unix::fs::lchown(path, Some(4242), Some(4242)).is_ok()
}

/// W8
#[cfg(unix)]
#[test]
fn a_file_of_another_user_needs_permission() {
    for file in ["synix.toml", ".env", ".synix", ""] {
        let project = TestProject::team();
        project.write(".env", "OPENAI_API_KEY=sk-own\n");
        project.ok(&["build"]);
        if !change_owner(&project.path(file)) {
            return;
        }
        let run = project.run(&["build"]).expect_code(5);
        assert!(
            run.says("belongs to another user (4242)"),
            "{file}: {run:?}"
        );
        project.ok(&["plan"]);
        project.ok(&["list"]);
        // A user runs `sudo` with their own files.
        let mut command = project.command(&["build"]);
        command.env("SUDO_UID", "4242").run().expect_code(0);
        project.ok(&["trust", "--yes"]);
        project.ok(&["build"]);
    }
}

/// W8: other users may own the folders above.
#[test]
fn the_search_for_a_pipeline_file_stops_at_a_repository_root() {
    let project = TestProject::team();
    fs::create_dir_all(project.path("repo/.git")).unwrap();
    fs::create_dir_all(project.path("repo/sub")).unwrap();
    fs::create_dir_all(project.path("inside/sub")).unwrap();
    let run = |folder: &str| command_in(&project.path(folder), &["plan"]).run();
    run("inside/sub").expect_code(0);
    for folder in ["repo/sub", "repo"] {
        let run = run(folder).expect_code(2);
        assert!(run.says("the root of a repository"), "{run:?}");
    }
    let mut command = command_in(&project.path("inside/sub"), &["plan"]);
    let run = command
        .env("HOME", project.path("inside"))
        .run()
        .expect_code(2);
    assert_transcript!(run);
}

#[cfg(unix)]
#[test]
fn the_search_for_a_pipeline_file_stops_at_another_users_folder() {
    let project = TestProject::team();
    fs::create_dir_all(project.path("mine/sub")).unwrap();
    let run_in_subfolder =
        |arguments: &[&str]| command_in(&project.path("mine/sub"), arguments).run();
    run_in_subfolder(&["plan"]).expect_code(0);
    if !change_owner(&project.path("")) {
        return;
    }
    for arguments in [&["plan"][..], &["build"], &["list"], &["trust"]] {
        let run = run_in_subfolder(arguments).expect_code(2);
        assert!(run.says("another owner"), "{arguments:?}: {run:?}");
    }
    assert_eq!(project.sent(), 0);
}
