//! Projects that an attacker could publish: each test clones one and runs commands in it.
//!
//! Every command that needs no permission runs in each of them. None may run a program, connect to a server, print a
//! secret or change a file outside. The commands that need permission refuse. `SECURITY.md` promises this.

use std::fs;
use std::process::Command;

use crate::clones::HostileClone;
use crate::folders::{self, files};
#[cfg(unix)]
use crate::test_project::command_in;
use crate::test_project::{BATCH_BUILD, TestProject};
use crate::trust::RecordingProxy;

/// Commands that never need permission.
const SAFE_COMMANDS: [&[&str]; 15] = [
    &["plan"],
    &["batch-build", "plan"],
    &["list"],
    &["list", "answers"],
    &["show", "answers/a"],
    &["lineage", "answers/a"],
    &["runs"],
    &["batch-build", "list"],
    &["batch-build", "status"],
    &["trust"],
    &["trust", "list"],
    &["build", "--cassette-mode", "replay"],
    &["batch-build", "run", "--cassette-mode", "replay"],
    &["demo", "run", "."],
    &["plugin", "inspect", "map"],
];

/// Commands that send requests or change something.
const ACTING_COMMANDS: [&[&str]; 4] = [
    &["build"],
    &BATCH_BUILD,
    &["batch-build", "run"],
    &["batch-build", "resume"],
];

impl HostileClone {
    #[track_caller]
    fn assert_safe_commands_have_no_effect(&self) {
        for arguments in SAFE_COMMANDS {
            self.assert_no_effect(arguments, &self.run(arguments));
        }
    }

    /// Asserts that the commands of [`ACTING_COMMANDS`] refuse with this exit code and message.
    #[track_caller]
    fn assert_acting_commands_are_refused(&self, code: i32, message: &str) {
        for arguments in ACTING_COMMANDS {
            let run = self.run(arguments);
            self.assert_no_effect(arguments, &run);
            // There is no build to resume.
            if arguments[1..] != ["resume"] {
                assert!(
                    run.code == code && run.says(message),
                    "{arguments:?}: {run:?}"
                );
            }
        }
    }
}

/// W1, attacks 1 and 2: a `.env` that moves the cache of compiled code into the clone.
#[test]
fn dot_env_cannot_move_the_cache_into_the_clone() {
    for line in [
        "SYNIX_CACHE_DIR=vendor",
        "export SYNIX_CACHE_DIR='vendor'",
        "XDG_CACHE_HOME=vendor",
        "HOME=vendor",
        "SYNIX_CONFIG_DIR=vendor",
    ] {
        let clone = HostileClone::new("base_url = \"https://evil.example\"", "");
        clone.project.write(".env", &format!("{line}\n"));
        clone
            .project
            .write("vendor/synix/planted.cwasm", "native code");
        let before = files(&clone.project.path("vendor"));
        clone.assert_safe_commands_have_no_effect();
        clone.assert_acting_commands_are_refused(5, "evil.example");
        let input = ["plugin", "run", "map", "--input", "notes/a.md"];
        clone.assert_no_effect(&input, &clone.run(&input));
        assert_eq!(files(&clone.project.path("vendor")), before, "{line}");
        assert!(clone.run(&["plan"]).says("which synix ignores"), "{line}");
    }
}

/// W3, attack 4: the clone's own server.
#[test]
fn a_server_of_the_clone_gets_no_key() {
    let clone = HostileClone::new("base_url = \"https://evil.example/v1\"", "");
    clone.assert_safe_commands_have_no_effect();
    clone.assert_acting_commands_are_refused(5, "OPENAI_API_KEY");
}

/// W3, attack 5: the attacker's server in `.env`.
#[test]
fn dot_env_cannot_move_a_provider() {
    let clone = HostileClone::new("", "");
    let url = clone.project.provider.openai_url();
    clone
        .project
        .write(".env", &format!("OPENAI_BASE_URL={url}\n"));
    clone.assert_safe_commands_have_no_effect();
    let run = clone.run(&["build"]);
    assert_eq!(clone.project.sent(), 0, "{run:?}");
    assert_eq!(
        clone.proxy.connections(),
        ["CONNECT api.openai.com:443 HTTP/1.1"]
    );
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

/// W3, attack 7: a `.env` that links to a file of the user.
#[cfg(unix)]
#[test]
fn dot_env_must_not_be_a_link() {
    let clone = HostileClone::new("api_key_env = \"aws_secret_access_key\"", "");
    let url = clone.project.provider.openai_url();
    let file = fs::read_to_string(clone.project.path("synix.toml")).unwrap();
    let file = file.replace("retries = 0", &format!("base_url = \"{url}\"\nretries = 0"));
    clone.project.write("synix.toml", &file);
    std::os::unix::fs::symlink("../outside/credentials", clone.project.path(".env")).unwrap();
    clone.assert_safe_commands_have_no_effect();
    clone.assert_acting_commands_are_refused(1, "symbolic link");
}

/// W11, attacks 28 and 29: an endless `.env`.
#[cfg(unix)]
#[test]
fn dot_env_must_be_a_regular_file_of_limited_size() {
    let clone = HostileClone::new("", "");
    let path = clone.project.path(".env");
    folders::pipe(&path);
    clone.assert_safe_commands_have_no_effect();
    clone.assert_acting_commands_are_refused(1, "regular file");
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    clone.assert_safe_commands_have_no_effect();
    clone.assert_acting_commands_are_refused(1, "symbolic link");
    fs::remove_file(&path).unwrap();
    fs::write(&path, "A=1\n".repeat(300_000)).unwrap();
    clone.assert_safe_commands_have_no_effect();
    clone.assert_acting_commands_are_refused(1, "more than");
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

/// W21, attack 21: a `.env` that makes synix write answers outside the project.
#[test]
fn dot_env_cannot_move_cassettes() {
    let clone = HostileClone::new("base_url = \"https://evil.example\"", "");
    clone.project.write(
        ".env",
        "SYNIX_CASSETTE_MODE=record\nSYNIX_CASSETTE_DIR=../outside\n",
    );
    clone.assert_safe_commands_have_no_effect();
    clone.assert_acting_commands_are_refused(5, "evil.example");
}

/// W1, attack 22: a `.env` that supplies the tools for a build of another plugin.
#[test]
fn dot_env_cannot_supply_tools() {
    let clone = HostileClone::new("", "");
    let marker = clone.project.path("ran");
    for tool in ["zig", "cargo", "clang", "componentize-py", "npm", "go"] {
        let path = format!("tools/{tool}");
        clone
            .project
            .write(&path, &format!("#!/bin/sh\ntouch {}\n", marker.display()));
        let status = Command::new("chmod")
            .arg("+x")
            .arg(clone.project.path(&path))
            .status();
        assert!(status.unwrap().success());
    }
    clone
        .project
        .write(".env", "SYNIX_TOOLS=tools\nPATH=tools\n");
    for language in ["c", "rust", "go"] {
        clone.run(&["plugin", "new", "own", "--lang", language, language]);
        let arguments = ["plugin", "build", language];
        let mut command = clone.project.command(&arguments);
        let run = command.env("PATH", "/nowhere").run();
        assert_eq!(run.code, 1, "{run:?}");
        clone.assert_no_effect(&arguments, &run);
    }
}

/// Attacks 23 and 24
#[test]
fn dot_env_cannot_crash_a_command_or_set_a_proxy() {
    let proxy = RecordingProxy::start();
    let project = TestProject::team();
    let url = proxy.url();
    project.write(
        ".env",
        &format!("SYNIX_CRASH_AT=1\nHTTP_PROXY={url}\nHTTPS_PROXY={url}\nALL_PROXY={url}\nSYNIX_CLOCK=7\nCI=1\n"),
    );
    let run = project.ok(&["build"]);
    assert!(
        run.says("SYNIX_CRASH_AT") && run.says("which synix ignores"),
        "{run:?}"
    );
    assert_eq!(proxy.connections(), [""; 0]);
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

/// Attack 47: a key that would add another header.
#[test]
fn a_key_with_line_breaks_is_not_sent() {
    let project = TestProject::team();
    project.write(".env", "OPENAI_API_KEY=\"sk-own\\r\\nx-evil: 1\"\n");
    let mut command = project.command(&["build"]);
    let run = command.env_remove("OPENAI_API_KEY").run();
    assert_ne!(run.code, 0, "{run:?}");
    assert!(!run.says("x-evil"), "{run:?}");
    assert_eq!(project.sent(), 0);
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
