//! A `.env` that an attacker put into a clone.

#[cfg(unix)]
use std::fs;
use std::process::Command;

#[cfg(unix)]
use crate::support::folders;
use crate::support::folders::files;
use crate::support::hostile_clone::HostileClone;
use crate::support::proxy::RecordingProxy;
use crate::support::test_project::TestProject;

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
