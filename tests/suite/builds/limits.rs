//! A layer has no more units and requests than its sources justify, unless the pipeline file allows more (W14).

use std::fmt::Write as _;

use synix_scripted_provider::Script;

use crate::support::pipelines::{BATCH_BUILD, RESUME, guest_layers};
use crate::support::test_project::{TestProject, text};
use crate::support::transcript::assert_transcript;

/// A note of a few bytes whose plugin makes this number of units, with this number of requests each.
fn project_with_many_units(units: u32, questions: u32) -> TestProject {
    let project = TestProject::with_layers(&guest_layers("swarm"));
    project.plugin("swarm");
    write_note(&project, units, questions);
    project
}

fn write_note(project: &TestProject, units: u32, questions: u32) {
    let text = format!("---\nunits: {units}\nquestions: {questions}\n---\nA note.\n");
    project.write("texts/note.md", &text);
}

fn layers_with(setting: &str) -> String {
    format!("{}{setting}\n", guest_layers("swarm"))
}

/// W14: every command that would make the units counts them first.
#[test]
fn a_note_cannot_become_hundreds_of_thousands_of_units() {
    let project = project_with_many_units(600_000, 0);
    for command in [
        &["plan"][..],
        &["batch-build", "plan"],
        &["build"],
        &BATCH_BUILD,
    ] {
        let run = project.run(command).expect_code(5);
        assert!(run.says("layer `made` would have 600000 units"), "{run:?}");
        assert!(
            run.says("set `max_units = 600000` or more in [layers.made]"),
            "{run:?}"
        );
    }
    assert_eq!(project.sent(), 0);
}

/// W14: the setting replaces the default, upwards and downwards, and the error names it.
#[test]
fn max_units_sets_how_many_units_a_layer_may_have() {
    let project = project_with_many_units(3000, 0);
    project.run(&["build"]).expect_code(5);
    project.pipeline("synix.toml", &layers_with("max_units = 3000"));
    project.ok(&["build"]);
    assert_eq!(project.artifact_names().len(), 3001);
    // The setting of the pipeline also applies to each layer without its own.
    project.pipeline("synix.toml", &guest_layers("swarm"));
    let file = std::fs::read_to_string(project.path("synix.toml")).unwrap();
    let name = "name = \"suite\"";
    project.write(
        "synix.toml",
        &file.replace(name, &format!("{name}\nmax_units = 3000")),
    );
    project.ok(&["plan"]);
    project.pipeline("synix.toml", &layers_with("max_units = 2999"));
    let run = project.run(&["plan"]).expect_code(5);
    assert_transcript!(run);
}

/// W14: the setting of the pipeline applies to all layers together, and to each layer without its own.
#[test]
fn max_units_limits_the_whole_pipeline() {
    let project = TestProject::with_layers(
        "[layers.notes]\nsource = \"notes/*.md\"\n\
         [layers.one]\ntransform = \"chunk\"\ninputs = [\"notes\"]\n\
         [layers.two]\ntransform = \"chunk\"\ninputs = [\"notes\"]\n",
    );
    for number in 0..4 {
        project.write(&format!("notes/{number}.md"), "A note.");
    }
    let file = std::fs::read_to_string(project.path("synix.toml")).unwrap();
    let set_max_units = |max_units: u32| {
        let name = "name = \"suite\"";
        let text = file.replace(name, &format!("{name}\nmax_units = {max_units}"));
        project.write("synix.toml", &text);
    };
    set_max_units(3);
    let run = project.run(&["plan"]).expect_code(5);
    assert_transcript!(run);
    set_max_units(7);
    let run = project.run(&["plan"]).expect_code(5);
    assert_transcript!(run);
    set_max_units(8);
    project.ok(&["build"]);
}

/// W14: 300 units with 20 requests each are 6000 paid requests from six bytes. Most of them are never sent.
#[test]
fn a_note_cannot_become_thousands_of_requests() {
    for command in [&["build"][..], &BATCH_BUILD] {
        let project = project_with_many_units(300, 20);
        let run = project.run(command).expect_code(5);
        assert!(
            run.says("the units of layer `made` would make at least 20"),
            "{run:?}"
        );
        assert!(run.says("set `max_requests = "), "{run:?}");
        let sent = project.sent();
        assert!(sent > 0 && sent <= 2000, "{sent}");
        // Sent requests are stored and count, so a second build gets no further.
        project.run(command).expect_code(5);
        assert!(project.sent() <= 2000, "{}", project.sent());
        assert_eq!(project.ledger().duplicates(), []);
    }
}

/// W14: nothing is paid twice.
#[test]
fn a_build_continues_with_a_higher_limit() {
    let project = project_with_many_units(10, 3);
    project.pipeline("synix.toml", &layers_with("max_requests = 20"));
    project.run(&BATCH_BUILD).expect_code(5);
    let sent = project.sent();
    assert_eq!(sent, 20);
    let status = project.status();
    assert_eq!(status["status"], "failed");
    let error = &status["error"];
    assert_eq!(text(&error["kind"]), "layer_limit");
    assert!(text(&error["hint"]).contains("max_requests"), "{status}");
    project.pipeline("synix.toml", &layers_with("max_requests = 30"));
    project.ok(&RESUME);
    assert_eq!(project.sent(), 30);
    assert_eq!(project.ledger().duplicates(), []);
}

/// W14: requests in flight are paid for, so the build waits for them.
#[test]
fn calls_in_flight_finish_when_the_limit_is_reached() {
    let project = project_with_many_units(50, 2);
    project.script(Script::new());
    project.pipeline("synix.toml", &layers_with("max_requests = 60"));
    project.run(&["build"]).expect_code(5);
    let sent = project.sent();
    assert!(sent > 0 && sent <= 60, "{sent}");
    let open: u32 = project
        .database()
        .query_row(
            "SELECT count(*) FROM attempt WHERE state IN (0, 3)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(open, 0);
}

/// Layers that each have all layers before them as inputs: each would have as many units as all of these together.
fn project_with_doubling_layers(layers: u32, transform: &str, config: &str) -> TestProject {
    let mut text = "[models.default]\nprovider = \"openai\"\nmodel = \"gpt-4o-mini\"\n\
                    [layers.l00]\nsource = \"notes/*.md\"\n"
        .to_owned();
    let mut names = vec!["\"l00\"".to_owned()];
    for number in 1..=layers {
        let inputs = names.join(", ");
        let config = config.replace('#', &number.to_string());
        let _ = write!(
            text,
            "[layers.l{number:02}]\ntransform = \"{transform}\"\ninputs = [{inputs}]\n{config}\n"
        );
        names.push(format!("\"l{number:02}\""));
    }
    let project = TestProject::with_layers(&text);
    project.write("notes/a.md", "A note.");
    project
}

/// W14: without requests between the layers, a plan and a build end quickly.
#[test]
fn layers_that_double_their_units_reach_the_limit() {
    let config = "config.by_template = \"{{ label }}-#\"";
    let project = project_with_doubling_layers(40, "group", config);
    for command in ["plan", "build"] {
        let run = project.run(&[command]).expect_code(5);
        assert!(
            run.says("layer `l12` would have 2048 units, more than the 2000"),
            "{run:?}"
        );
    }
    // A few such layers are allowed.
    project_with_doubling_layers(8, "group", config).ok(&["build"]);
}

/// W14: where each layer waits for answers, a plan only counts the units that it predicts.
#[test]
fn a_plan_counts_predicted_units_without_listing_them() {
    let config = "config.prompt = \"#: {{ content }}\"\nconfig.label = \"{{ label }}-#\"";
    let project = project_with_doubling_layers(40, "map", config);
    let plan = project.json(&["plan"]);
    let last = &plan["layers"][40];
    assert_eq!((&last["units"], &last["requests"]), (&1.into(), &1.into()));
    assert_eq!(last["exact"], false);
    assert_eq!(last["units_guess"], 1_u64 << 39);
    assert!(last["stale_units"].as_array().unwrap().len() <= 101);
    assert!(project.ok(&["plan"]).stdout.lines().count() < 200);
}

/// W14: neither many files nor the chunks of one large file reach a limit.
#[test]
fn large_builds_are_not_limited() {
    let project = TestProject::with_layers(
        "[layers.notes]\nsource = \"notes/*.md\"\n\
         [layers.pieces]\ntransform = \"chunk\"\ninputs = [\"notes\"]\n[layers.pieces.config]\nsize = 200\noverlap = 0\n\
         [layers.again]\ntransform = \"chunk\"\ninputs = [\"pieces\"]\n",
    );
    let line = "All work and no play makes Jack a dull boy, and so it goes on for a while yet.\n\n";
    project.write("notes/book.md", &line.repeat(12_000));
    let plan = project.json(&["plan"]);
    assert!(
        plan["layers"][2]["units"].as_u64().unwrap() > 2000,
        "{}",
        plan["total"]
    );
}
