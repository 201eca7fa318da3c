//! The log, and the colours of messages.

use synix_scripted_provider::{Reply, Rule, Script, StatusReply};

use crate::support::invocation::KEY;
use crate::support::pipelines::BATCH_BUILD;
use crate::support::test_project::{TestProject, command_in};

const RED_ERROR: &str = "\u{1b}[1;31merror:\u{1b}[0m";

#[test]
fn colours_follow_the_flag_and_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = command_in(folder.path(), arguments);
        command.envs(variables.iter().copied()).run().expect_code(2)
    };
    let always = ["build", "--color", "always"];
    for (arguments, variables, is_red) in [
        (&["build"][..], &[][..], false),
        (&always, &[], true),
        (&["--color=always", "bild"], &[], true),
        (&["build"], &[("CLICOLOR_FORCE", "1")], true),
        (
            &["build"],
            &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")],
            false,
        ),
        (&always, &[("NO_COLOR", "1")], true),
        (
            &["build", "--color", "never"],
            &[("CLICOLOR_FORCE", "1")],
            false,
        ),
    ] {
        let run = run(arguments, variables);
        assert_eq!(
            run.stderr.contains(RED_ERROR),
            is_red,
            "{arguments:?}: {run:?}"
        );
        assert_eq!(run.says("\u{1b}"), is_red, "{arguments:?}: {run:?}");
    }
    run(&["build", "--color", "loud"], &[]);
}

#[test]
fn a_json_document_has_no_colours_and_a_table_has_bold_headings() {
    let project = TestProject::team();
    project.ok(&["build"]);
    let table = project.ok(&["list", "--color", "always"]).stdout;
    assert!(table.starts_with("\u{1b}[1mlayer"), "{table}");
    assert_eq!(table.matches('\u{1b}').count(), 2, "{table}");
    let document = project.ok(&["list", "--json", "--color", "always"]);
    assert!(!document.says("\u{1b}"), "{document:?}");
    let content = project.ok(&["show", "summary", "--color", "always"]);
    assert!(!content.says("\u{1b}"), "{content:?}");
}

#[test]
fn each_request_is_logged_with_its_attempts_and_without_its_content() {
    let project = TestProject::team();
    let busy = Reply::Status(StatusReply::new(500).body(serde_json::json!({"error": {}})));
    project.script(Script::new().rule(Rule::on("I am bela").reply(busy).times(1)));
    let mut command = project.command(&["build", "-q"]);
    let run = command.env("SYNIX_LOG", "debug").run().expect_code(0);
    let lines: Vec<&str> = run.stderr.lines().collect();
    let replies = |part: &str| {
        let of = |line: &&&str| line.contains("reply") && line.contains(part);
        lines.iter().filter(of).count()
    };
    assert_eq!(replies("status=200"), 4, "{}", run.stderr);
    assert_eq!(replies("status=500"), 1, "{}", run.stderr);
    assert_eq!(replies("attempt=2"), 1, "{}", run.stderr);
    for line in lines.iter().filter(|line| line.contains("reply")) {
        for part in ["build{id=build-1}", "request{key=", "model=", "millis="] {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
    for secret in [KEY, "I am bela", "authorization", "Sum up"] {
        assert!(!run.stderr.contains(secret), "{secret}: {}", run.stderr);
    }
    // Nothing is logged without a filter.
    assert_eq!(project.ok(&["build", "-q"]).stderr, "");
}

#[test]
fn each_step_of_a_batch_is_logged() {
    let project = TestProject::team();
    let run = project.ok(&[&BATCH_BUILD[..], &["-vv"]].concat());
    for state in [
        "uploading",
        "uploaded",
        "creating",
        "live",
        "ended",
        "settled",
    ] {
        let event = format!("state=\"{state}\"");
        assert!(run.stderr.contains(&event), "{state}: {}", run.stderr);
    }
    assert!(!run.says(KEY), "{run:?}");
    assert!(!project.ok(&["build", "-v"]).says("state=\""));
}

#[test]
fn the_log_can_be_filtered_by_crate() {
    let project = TestProject::team();
    let logged = |filter: &str| {
        let mut command = project.command(&["plan", "-q"]);
        command.env("SYNIX_LOG", filter).run()
    };
    assert_eq!(logged("off").expect_code(0).stderr, "");
    let run = logged("loud").expect_code(2);
    assert!(run.says("SYNIX_LOG") && run.says("trace"), "{run:?}");
    let mut command = project.command(&["build", "-q"]);
    command.env("SYNIX_LOG", "off,synix_providers=debug");
    let run = command.run().expect_code(0);
    assert!(run.stderr.contains("synix_providers"), "{run:?}");
    assert!(!run.stderr.contains("synix_engine"), "{run:?}");
}
