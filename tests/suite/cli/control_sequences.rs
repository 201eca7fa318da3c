//! Output cannot inject control sequences into a terminal or a CI log (W16, X9), and reports each thing once.

use serde_json::json;
use synix_scripted_provider::{Reply, Rule, Script, StatusReply};

use crate::support::invocation::Run;
use crate::support::pipelines::{BATCH_BUILD, TEAM};
use crate::support::test_project::{TestProject, command_in};

/// Text that clears a screen, reverses the writing direction, and contains commands for GitHub and Azure.
const HOSTILE_TEXT: &str = "\u{1b}[2J\u{9b}31m\u{202e}\u{200b}\u{7f}\r::error::one\r\n::error::two\u{2028}::error::three\u{85}::error::four\u{b}::error::five\u{c}::error::six\n  ::error::seven\n##[error]eight\n##vso[task.complete]nine";

/// Asserts that a text contains no control sequences.
#[track_caller]
fn assert_no_control_sequences(text: &str) {
    for line in text.lines() {
        let steers = line.chars().any(|one| {
            one.is_control() && one != '\t'
                || matches!(one, '\u{200b}' | '\u{202e}' | '\u{2028}' | '\u{2029}')
        });
        assert!(!steers, "{line:?}");
        assert!(!line.trim_start().starts_with("::"), "{line:?}");
        assert!(
            !line.contains("##[") && !line.contains("##vso["),
            "{line:?}"
        );
    }
}

#[track_caller]
fn assert_safe_output(run: &Run) {
    assert_no_control_sequences(&run.stdout);
    assert_no_control_sequences(&run.stderr);
}

/// W16: every command that shows the error, on stdout and stderr.
#[test]
fn a_providers_error_cannot_inject_control_sequences() {
    let project = TestProject::team();
    let reason = json!({"error": {
        "message": HOSTILE_TEXT, "type": "invalid_request_error", "param": null, "code": "bad",
    }});
    let reply = Reply::Status(StatusReply::new(400).body(reason));
    project.script(Script::new().rule(Rule::on("I am bela").reply(reply)));
    for arguments in [
        &["build"][..],
        &["build", "-v"],
        &["build", "--json"],
        &BATCH_BUILD,
        &["batch-build", "status", "--latest"],
        &["batch-build", "status", "--latest", "--json"],
        &["list"],
        &["show", "summary"],
    ] {
        let run = project.run(arguments);
        assert_safe_output(&run);
        if arguments.contains(&"build") {
            assert!(run.says("eight"), "{arguments:?}: {run:?}");
        }
    }
}

/// W16: no line of an error may look like a line of synix.
#[test]
fn continuation_lines_of_an_error_are_indented() {
    let project = TestProject::team();
    let reason = json!({"error": {
        "message": "first\nerror: forged", "type": "invalid_request_error", "param": null, "code": "bad",
    }});
    let reply = Reply::Status(StatusReply::new(400).body(reason));
    project.script(Script::new().rule(Rule::on("I am bela").reply(reply)));
    for arguments in [&["build"][..], &["build", "-v"]] {
        let run = project.run(arguments);
        assert!(run.says("error: forged"), "{run:?}");
        for line in run.stdout.lines().chain(run.stderr.lines()) {
            assert!(!line.starts_with("error: forged"), "{run:?}");
        }
    }
}

/// X9, W16: names of files, keys of the pipeline file, globs and arguments.
#[cfg(unix)]
#[test]
fn a_name_cannot_inject_control_sequences() {
    let project = TestProject::team();
    project.write("bios/::error file=x::forged.md", "I am a forged name.");
    for arguments in [&["plan"][..], &["build"], &["list"]] {
        let run = project.ok(arguments);
        assert_safe_output(&run);
        let names_it = arguments[0] != "build";
        assert_eq!(run.says(":error file=x::forged"), names_it, "{run:?}");
    }
    project.write("bios/a\u{1b}]0;pwned\u{7}b.md", "I am another.");
    let run = project.run(&["plan"]);
    assert_ne!(run.code, 0, "{run:?}");
    assert_safe_output(&run);
    let pipelines = [
        format!("\"bad\\u001b[31mkey\\u202e\" = 1\n{TEAM}"),
        TEAM.replace("bios/*.md", "bios/\\u001b[2J*.md"),
        TEAM.replace("\"map\"", "\"map\\u001b[2J\\n::error::x\""),
    ];
    for pipeline in pipelines {
        project.pipeline("synix.toml", &pipeline);
        assert_safe_output(&project.run(&["plan"]).expect_code(2));
        assert_safe_output(&project.run(&["plan", "--json"]).expect_code(2));
    }
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["\u{1b}[2Jnope\n::error::x"][..],
        &["build", "--\u{202e}\u{1b}[2J"],
        &[
            "batch-build",
            "run",
            "--poll",
            "--poll-interval",
            "\u{1b}[2J\n::error::x",
        ],
        &["init", "--template", "\u{1b}[2J\n::error::x"],
        &["plan", "\u{1b}[2J\n::error::x"],
        &["-C", "\u{1b}[2J\n::error::x", "list"],
    ] {
        assert_safe_output(&command_in(folder.path(), arguments).run().expect_code(2));
        let json = [&["--json"], arguments].concat();
        assert_safe_output(&command_in(folder.path(), &json).run().expect_code(2));
    }
}

/// W16: joiners are allowed in scripts that need them.
#[test]
fn an_invisible_label_is_refused() {
    let project = TestProject::team();
    let layers_with_label =
        |label: &str| TEAM.replace("ws-{{ label }}", &format!("{label}-{{{{ label }}}}"));
    for invisible in ["a\\u202eb", "a\\u200bb", "a\\u200db", "\\ufeffa"] {
        project.pipeline("synix.toml", &layers_with_label(invisible));
        let run = project.run(&["build"]).expect_code(3);
        assert!(run.says("is invisible"), "{invisible}: {run:?}");
    }
    for joined in ["می\u{200c}خواهم", "👩\u{200d}💻"] {
        project.pipeline("synix.toml", &layers_with_label(joined));
        project.ok(&["build"]);
        let run = project.ok(&["list", "styles"]);
        assert!(run.stdout.contains(&format!("{joined}-amara")), "{run:?}");
    }
}

/// W16: content is written to a pipe without changes, and `--json` escapes control characters.
#[test]
fn content_is_unchanged_in_a_pipe_and_escaped_in_json() {
    let project = TestProject::team();
    let content = HOSTILE_TEXT.replace("\r\n", "\n");
    project.script(Script::new().rule(Rule::any().text(content.clone())));
    project.ok(&["build"]);
    assert_eq!(project.ok(&["show", "summary"]).stdout.trim_end(), content);
    let run = project.ok(&["show", "summary", "--json"]);
    assert_no_control_sequences(&run.stdout);
    assert_eq!(run.json()["content"], content);
    assert_safe_output(&project.ok(&["lineage", "summary"]));
}

/// The group has the number of units and what to do.
#[test]
fn failures_with_one_cause_are_grouped() {
    let project = TestProject::team();
    for number in 0..40 {
        project.write(
            &format!("bios/n{number}.md"),
            &format!("I am number {number}."),
        );
    }
    project.script(Script::new().key("another key"));
    let run = project.run(&["build"]).expect_code(3);
    let count = run.stdout.matches("auth: ").count();
    assert_eq!(count, 1, "{run:?}");
    assert!(run.stdout.contains(" and 40 more"), "{run:?}");
    assert!(
        run.stdout.contains("help: the provider refused the key"),
        "{run:?}"
    );
    assert!(run.stderr.matches("(auth)").count() <= 2, "{run:?}");
    let all = project.run(&["build", "--json"]).expect_code(3).json();
    assert_eq!(all["failures"].as_array().unwrap().len(), 44, "{all:#}");
}

/// U11
#[test]
fn output_to_a_pipe_reports_the_start_and_end_of_each_layer() {
    let project = TestProject::team();
    let run = project.ok(&["build"]);
    for line in [
        "styles: 0 of 3 done, 3 waiting",
        "styles: 3 made",
        "summary: 0 of 1 done, 1 waiting",
        "summary: 1 made",
    ] {
        assert_eq!(
            run.stderr.lines().filter(|one| *one == line).count(),
            1,
            "{line}: {run:?}"
        );
    }
    let again = project.ok(&["build"]);
    assert!(again.stderr.contains("styles: 3 up to date"), "{again:?}");
    let quiet = project.ok(&["build", "--quiet"]);
    assert_eq!(quiet.stderr, "");
}

#[test]
fn info_messages_of_a_plugin_need_verbose() {
    let project = TestProject::guest("wasi_print", &[("a", "x"), ("b", "y"), ("c", "z")]);
    let run = project.ok(&["build"]);
    assert!(!run.says("info: "), "{run:?}");
    assert_eq!(run.stderr.matches("warn: warned").count(), 2, "{run:?}");
    assert!(
        run.stderr.contains("made: warn: warned (in 2 more units"),
        "{run:?}"
    );
}

/// An unknown command gets a suggestion.
#[test]
fn help_lists_the_commands_own_options_first() {
    let folder = tempfile::tempdir().unwrap();
    let help = command_in(folder.path(), &["gc", "--help"])
        .run()
        .expect_code(0);
    let own = help.stdout.find("--older-than").unwrap();
    let global = help.stdout.find("Global options:").unwrap();
    let concurrency = help.stdout.find("--concurrency").unwrap();
    assert!(own < global && global < concurrency, "{}", help.stdout);
    let similar = command_in(folder.path(), &["bild"]).run().expect_code(2);
    assert!(similar.says("'build'"), "{similar:?}");
    let unknown = command_in(folder.path(), &["nope"]).run().expect_code(2);
    assert!(
        unknown.says("the commands are init, plan, build"),
        "{unknown:?}"
    );
}
