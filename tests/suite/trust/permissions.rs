//! Permissions: what they cover, how they are granted, listed and revoked, and where they are stored.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::proxy::RecordingProxy;
use crate::support::test_project::{TestProject, text};
use crate::support::transcript::assert_transcript;
use crate::trust::{assert_allowed, pipeline_for, project_with_provider_at};

#[test]
fn a_plain_project_needs_no_permission() {
    let project = TestProject::team();
    let run = project.ok(&["trust"]);
    assert_transcript!(run);
    project.ok(&["build"]);
    assert_eq!(project.json(&["trust"])["asked"], Value::Array(Vec::new()));
}

/// W3
#[test]
fn a_permission_covers_only_the_shown_server_and_variable() {
    let proxy = RecordingProxy::start();
    let project = project_with_provider_at("https://gateway.example/team-a/v1", "");
    let build = || proxy.run_through(&mut project.command(&["build"]));
    build().expect_code(5);
    let shown = project.ok(&["trust", "--yes"]);
    assert!(shown.says("OPENAI_API_KEY") && shown.says("https://gateway.example/team-a/v1"));
    assert_allowed(&build());
    assert_eq!(
        proxy.connections(),
        ["CONNECT gateway.example:443 HTTP/1.1"]
    );
    // Another prompt needs no new permission.
    let file = |url: &str, more: &str| {
        project.write(
            "synix.toml",
            &pipeline_for(url, more, "Say once more: {{ content }}"),
        );
    };
    file("https://gateway.example:443/team-a/v1/", "");
    assert_allowed(&build());
    assert_eq!(proxy.connections().len(), 2);
    for (url, more) in [
        ("https://gateway.example/team-b/v1", ""),
        ("https://gateway.example", ""),
        ("https://gateway.example:8443/team-a/v1", ""),
        ("https://other.example/team-a/v1", ""),
        (
            "https://gateway.example/team-a/v1",
            "api_key_env = \"ANTHROPIC_API_KEY\"",
        ),
    ] {
        file(url, more);
        build().expect_code(5);
    }
    assert_eq!(proxy.connections().len(), 2);
}

#[test]
fn a_permission_for_one_command_is_not_stored() {
    let proxy = RecordingProxy::start();
    let project = project_with_provider_at("https://gateway.example/v1", "");
    assert_allowed(&proxy.run_through(&mut project.command(&["build", "--trust"])));
    assert_eq!(proxy.connections().len(), 1);
    project.run(&["build"]).expect_code(5);
    assert_eq!(proxy.connections().len(), 1);
    let asked = project.run(&["trust", "--json"]).expect_code(5).json();
    assert_eq!(asked["trusted"], false);
}

#[test]
fn a_permission_is_listed_and_can_be_revoked() {
    let project = project_with_provider_at("https://gateway.example/v1", "");
    let folder = project.path("").canonicalize().unwrap();
    let listed = || {
        let all = project.json(&["trust", "list"]);
        let ours = all["trusted"].as_array().unwrap().iter();
        ours.filter(|yes| yes["project"] == folder.to_str().unwrap())
            .cloned()
            .collect::<Vec<_>>()
    };
    assert!(listed().is_empty());
    project.run(&["trust", "revoke"]).expect_code(2);
    project.ok(&["trust", "--yes"]);
    // A granted permission is not stored twice.
    project.ok(&["trust", "--yes"]);
    let [yes] = &listed()[..] else {
        panic!("{:?}", listed());
    };
    assert!(text(&yes["asked"][0]).contains("OPENAI_API_KEY"), "{yes}");
    project.ok(&["trust"]);
    project.ok(&["trust", "revoke"]);
    assert!(listed().is_empty());
    project.run(&["build"]).expect_code(5);
}

/// There is no one to prompt, so a script must pass `--yes`.
#[test]
fn without_a_terminal_permission_requires_yes() {
    let project = project_with_provider_at("https://gateway.example/v1", "");
    let run = project.run(&["trust"]).expect_code(5);
    assert_transcript!(run);
    project.run(&["build"]).expect_code(5);
}

/// The document has the kind of the error and everything that needs permission.
#[test]
fn a_refusal_is_a_json_document() {
    let project = project_with_provider_at("https://evil.example/v1", "");
    let error = &project.run(&["build", "--json"]).expect_code(5).json()["error"];
    assert_eq!(error["kind"], "untrusted");
    assert!(
        text(&error["message"]).contains("OPENAI_API_KEY"),
        "{error}"
    );
    assert!(text(&error["hint"]).contains("synix trust"), "{error}");
}

/// This holds for every variable that can name the folder of permissions.
#[test]
fn permissions_stored_inside_the_project_are_ignored() {
    // Each command compiles the plugin, because no folder can keep it: a guest is ten times smaller than a transform.
    let project = TestProject::guest("two_steps", &[("a", "x")]);
    let layers = fs::read_to_string(project.path("synix.toml")).unwrap();
    let layers = layers.replacen(
        "name = \"suite\"",
        "name = \"suite\"\non_done = \"touch ran\"",
        1,
    );
    project.write("synix.toml", &layers);
    let config = project.path("kept");
    let with = |name: &str, folder: &Path, arguments: &[&str]| {
        let mut command = project.command(arguments);
        command
            .env_remove("SYNIX_CONFIG_DIR")
            .env_remove("XDG_CONFIG_HOME")
            .env(name, folder);
        command.run()
    };
    // Made elsewhere for this project, and then copied into it.
    let proxy = tempfile::tempdir().unwrap();
    let stored = proxy.path().join("synix");
    with("SYNIX_CONFIG_DIR", &stored, &["trust", "--yes"]).expect_code(0);
    let mut copy = Command::new("cp");
    copy.arg("-r").arg(proxy.path()).arg(&config);
    assert!(copy.status().unwrap().success());
    for (name, folder) in [
        ("SYNIX_CONFIG_DIR", config.join("synix")),
        ("XDG_CONFIG_HOME", config.clone()),
    ] {
        let run = with(name, &folder, &["build"]).expect_code(5);
        assert!(
            run.says("touch ran") && run.says("is part of the project"),
            "{run:?}"
        );
    }
    assert!(!project.path("ran").exists());
    assert_eq!(project.sent(), 0);
}

/// Without a place to store permissions, `--trust` still works.
#[test]
fn a_missing_configuration_folder_is_reported() {
    let project = project_with_provider_at("https://gateway.example/v1", "");
    let run = |arguments: &[&str]| {
        let mut command = project.command(arguments);
        command.env_remove("HOME").env_remove("XDG_CONFIG_HOME");
        command.run()
    };
    assert!(run(&["build"]).expect_code(5).says("SYNIX_CONFIG_DIR"));
    assert!(
        run(&["trust", "--yes"])
            .expect_code(1)
            .says("SYNIX_CONFIG_DIR")
    );
}

/// W20
#[test]
fn hidden_files_are_sent_to_another_server_only_after_permission() {
    let proxy = RecordingProxy::start();
    let project = project_with_provider_at("https://evil.example/v1", "");
    project.write(".git/config", "a token");
    let file = pipeline_for("https://evil.example/v1", "", "Say: {{ content }}");
    let source = "source = \".git/config\"\nallow_hidden = true";
    project.write(
        "synix.toml",
        &file.replace("source = \"notes/*.md\"", source),
    );
    let mut command = project.command(&["build"]);
    let run = proxy
        .run_through(command.env_remove("OPENAI_API_KEY"))
        .expect_code(5);
    assert_transcript!(run);
    assert_eq!(proxy.connections(), [""; 0]);
    // A server on this machine needs no permission: the files stay with the user.
    let local_url = project.provider.openai_url();
    let file = fs::read_to_string(project.path("synix.toml")).unwrap();
    project.write(
        "synix.toml",
        &file.replace("https://evil.example/v1", &local_url),
    );
    project.ok(&["build"]);
}
