//! The hooks `on_done` and `on_done_url` at the end of a build.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::Value;
use synix_scripted_provider::{Reply, Rule, Script};

use crate::support::test_project::TestProject;

/// A team with `on_done` settings.
fn team_with_on_done(on_done: &str) -> TestProject {
    let project = TestProject::team();
    let pipeline = fs::read_to_string(project.path("synix.toml")).unwrap();
    let named = pipeline.replacen(
        "name = \"suite\"",
        &format!("name = \"suite\"\n{on_done}"),
        1,
    );
    project.write("synix.toml", &named);
    project
}

/// A team with `on_done` settings that the user permits.
fn trusted_team_with_on_done(on_done: &str) -> TestProject {
    let project = team_with_on_done(on_done);
    project.trust();
    project
}

/// Stores the input and the environment of the command in files.
const STORE_INPUT: &str = r#"on_done = "cat > done.json; env > done.env""#;

fn on_done_input(project: &TestProject) -> Value {
    serde_json::from_str(&fs::read_to_string(project.path("done.json")).unwrap()).unwrap()
}

#[test]
fn on_done_gets_the_status_of_the_finished_build() {
    let project = trusted_team_with_on_done(STORE_INPUT);
    let status = project.json(&["build"]);
    assert_eq!(on_done_input(&project), status);
}

#[test]
fn on_done_may_be_a_list_of_arguments() {
    let project = trusted_team_with_on_done(r#"on_done = ["tee", "done.json"]"#);
    let run = project.ok(&["build", "--json"]);
    assert_eq!(on_done_input(&project), run.json());
}

/// The command gets no keys.
#[test]
fn on_done_gets_a_minimal_environment() {
    let project = trusted_team_with_on_done(STORE_INPUT);
    let mut command = project.command(&["build"]);
    command
        .env("PATH", std::env::var("PATH").unwrap())
        .run()
        .expect_code(0);
    let environment = fs::read_to_string(project.path("done.env")).unwrap();
    let shells_own = ["PWD", "OLDPWD", "SHLVL", "_"];
    let mut names: Vec<&str> = environment
        .lines()
        .filter_map(|line| line.split('=').next())
        .filter(|name| !shells_own.contains(name))
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["HOME", "PATH", "SYNIX_BUILD", "SYNIX_STATUS"]);
    assert!(environment.contains("SYNIX_BUILD=build-1\n"));
    assert!(environment.contains("SYNIX_STATUS=completed\n"));
}

#[test]
fn on_done_runs_after_failed_units() {
    let project = trusted_team_with_on_done(STORE_INPUT);
    project.script(Script::new().rule(Rule::on("bela").reply(Reply::EmptyChoices)));
    project.run(&["build"]).expect_code(3);
    assert_eq!(on_done_input(&project)["status"], "completed_with_errors");
}

#[test]
fn on_done_runs_after_a_cancel() {
    let project = trusted_team_with_on_done(STORE_INPUT);
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    assert!(!project.path("done.json").exists(), "it has not ended");
    project.ok(&["batch-build", "cancel"]);
    assert_eq!(on_done_input(&project)["status"], "cancelled");
}

#[test]
fn on_done_runs_after_a_failed_build() {
    let project = trusted_team_with_on_done(STORE_INPUT);
    for name in ["amara", "bela", "chitra"] {
        project.remove(&format!("bios/{name}.md"));
    }
    project.run(&["build"]).expect_code(1);
    assert_eq!(on_done_input(&project)["status"], "failed");
}

#[test]
fn a_failing_on_done_is_reported_and_fails_nothing() {
    for (on_done, message) in [
        (r#"on_done = "exit 3""#, "on_done: the command ended with"),
        (
            r#"on_done = ["/no/such/program"]"#,
            "on_done: cannot start the command",
        ),
    ] {
        let project = trusted_team_with_on_done(on_done);
        let run = project.ok(&["build"]);
        assert!(run.says(message), "{run:?}");
    }
}

#[test]
fn on_done_may_ignore_its_input() {
    let project = trusted_team_with_on_done(r#"on_done = "exit 0""#);
    project.ok(&["build"]);
}

/// C6
#[test]
fn on_done_prints_to_stderr() {
    let project = trusted_team_with_on_done(r#"on_done = "echo the end""#);
    let run = project.command(&["build", "--json"]).run_process();
    assert!(run.stderr.contains("the end"), "{run:?}");
    run.json();
}

#[test]
fn a_replay_skips_on_done_by_default() {
    let project = team_with_on_done("");
    project.ok(&["build", "--cassette-mode", "record"]);
    for (on_done, runs) in [
        (STORE_INPUT.to_owned(), false),
        (format!("{STORE_INPUT}\non_done_in_replay = true"), true),
    ] {
        let pipeline = fs::read_to_string(project.path("synix.toml")).unwrap();
        let line = "name = \"suite\"\n";
        project.write(
            "synix.toml",
            &pipeline.replacen(line, &format!("{line}{on_done}\n"), 1),
        );
        project.trust();
        project.ok(&["build", "--cassette-mode", "replay"]);
        assert_eq!(project.path("done.json").exists(), runs, "{on_done}");
        project.write("synix.toml", &pipeline);
    }
}

/// Starts a server that takes one call and sends this reply. Returns its URL and a thread with the body of the call.
fn webhook_server(reply: &'static str) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/secret", listener.local_addr().unwrap());
    let received = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut call = Vec::new();
        let mut byte = [0];
        let complete_body = |call: &[u8]| {
            let text = String::from_utf8_lossy(call);
            let (head, body) = text.split_once("\r\n\r\n")?;
            let length = head.lines().find_map(|line| {
                line.to_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse::<usize>()
                    .ok()
            })?;
            (body.len() == length).then(|| body.to_owned())
        };
        loop {
            if let Some(body) = complete_body(&call) {
                stream.write_all(reply.as_bytes()).unwrap();
                return body;
            }
            stream.read_exact(&mut byte).unwrap();
            call.push(byte[0]);
        }
    });
    (url, received)
}

#[test]
fn on_done_url_gets_the_status_of_the_finished_build() {
    let (url, received) = webhook_server("HTTP/1.1 204 No Content\r\n\r\n");
    let project = trusted_team_with_on_done(&format!("on_done_url = \"{url}\""));
    let status = project.json(&["build"]);
    let sent: Value = serde_json::from_str(&received.join().unwrap()).unwrap();
    assert_eq!(sent, status);
}

/// The address of a webhook is often its secret.
#[test]
fn a_failing_on_done_url_is_reported_without_its_secret() {
    let (url, received) = webhook_server("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n");
    let project = trusted_team_with_on_done(&format!("on_done_url = \"{url}\""));
    let run = project.ok(&["build"]);
    received.join().unwrap();
    assert!(
        run.says("the server replied with status 500") && !run.says("secret"),
        "{run:?}"
    );
}

#[test]
fn an_invalid_on_done_url_is_reported_with_its_line() {
    let project = team_with_on_done(r#"on_done_url = "ftp://example.org""#);
    let run = project.run(&["build"]).expect_code(2);
    assert!(
        run.says("pipeline.on_done_url") && run.says("synix.toml:3"),
        "{run:?}"
    );
}

#[test]
fn an_empty_on_done_is_refused() {
    for empty in [r#"on_done = """#, "on_done = []", "on_done = [1]"] {
        let project = team_with_on_done(empty);
        let run = project.run(&["build"]).expect_code(2);
        assert!(run.says("pipeline.on_done"), "{run:?}");
    }
}
