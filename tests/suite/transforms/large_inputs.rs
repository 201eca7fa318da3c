//! Inputs that are too large for one question: parts of them, and questions that no model takes.

use crate::support::pipelines::{MODES, Mode, notes_pipeline};
use crate::support::test_project::TestProject;

const REDUCE: &str = notes_pipeline!(
    r#"[layers.report]
transform = "reduce"
inputs = ["notes"]
[layers.report.config]
max_input_tokens = 400
prompt = "Sum up:{% for one in inputs %}\n- {{ one.label }}: {{ one.content }}{% endfor %}"
label = "report"
"#
);

const GROUP: &str = notes_pipeline!(
    r#"[layers.topics]
transform = "group"
inputs = ["notes"]
[layers.topics.config]
by_template = "days"
max_input_tokens = 400
prompt = "{{ group }}:{% for one in inputs %}\n- {{ one.label }}: {{ one.content }}{% endfor %}"
"#
);

const LARGE: &str = notes_pipeline!(
    r#"[layers.summaries]
transform = "map"
inputs = ["notes"]
config.prompt = "{{ content }}"
"#
);

/// A project with notes of about 25 tokens.
fn notes(layers: &str, count: u32) -> TestProject {
    let project = TestProject::with_layers(layers);
    for number in 1..=count {
        let text = format!("On day {number} it rained, and the river rose by a hand.");
        project.write(&format!("notes/day-{number:03}.md"), &text);
    }
    project
}

/// A project with a note that no known tokenizer fits into the 128,000 tokens of its model, and a short one.
fn too_large() -> TestProject {
    let project = TestProject::with_layers(LARGE);
    project.write("notes/long.md", &"word ".repeat(130_000));
    project.write("notes/short.md", "A word.");
    project
}

/// C1: parts are asked in rounds, whoever answers.
#[test]
fn reduced_parts_make_the_same_in_every_mode() {
    for layers in [REDUCE, GROUP] {
        let made = MODES.map(|mode: Mode| {
            let project = notes(layers, 60);
            project.build_in(mode).expect_code(0);
            project.artifacts()
        });
        assert_eq!(made[0], made[1]);
        assert_eq!(made[1], made[2]);
    }
}

#[test]
fn a_changed_note_costs_the_questions_on_its_way_up() {
    let project = notes(REDUCE, 120);
    project.ok(&["build"]);
    let first = project.sent();
    assert!(first > 12, "{first}");
    project.write(
        "notes/day-060.md",
        "On day 60 it snowed, and the river froze to the ground.",
    );
    project.ok(&["build"]);
    let changed = project.sent() - first;
    assert!((2..=6).contains(&changed), "{changed} of {first}");
}

#[test]
fn notes_that_fit_are_asked_about_as_without_the_limit() {
    let project = notes(REDUCE, 5);
    project.ok(&["build"]);
    assert_eq!(project.sent(), 1);
    project.pipeline(
        "synix.toml",
        &REDUCE.replace("max_input_tokens = 400\n", ""),
    );
    project.ok(&["build"]);
    assert_eq!(project.sent(), 1);
}

#[test]
fn a_plan_of_parts_does_not_say_that_it_is_exact() {
    let project = notes(REDUCE, 60);
    let plan = project.json(&["plan"]);
    assert_eq!(plan["total"]["exact"], false);
}

#[test]
fn a_question_that_its_model_cannot_take_is_not_sent() {
    for mode in [Mode::Sync, Mode::Batch] {
        let project = too_large();
        let run = project.build_in(mode).expect_code(3);
        assert!(run.says("130000 tokens"), "{run:?}");
        assert!(
            run.says("model `gpt-4o-mini` takes at most 128000"),
            "{run:?}"
        );
        assert!(
            run.says("`max_input_tokens`") && run.says("`chunk`"),
            "{run:?}"
        );
        assert_eq!(project.sent(), 1);
        let names = project.artifact_names();
        let is_there = |label: &str| names.contains(&format!("summaries/{label}"));
        assert!(is_there("short") && !is_there("long"), "{names:?}");
    }
}

#[test]
fn a_plan_names_a_question_that_its_model_cannot_take() {
    let project = too_large();
    let plan = project.run(&["plan"]);
    assert!(plan.says("takes at most 128000"), "{plan:?}");
    let layers = project.json(&["plan"])["layers"].clone();
    let summaries = layers
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "summaries");
    assert_eq!(summaries.unwrap()["requests"], 1);
}

/// Its window is not known, so the provider decides.
#[test]
fn a_question_to_an_unknown_model_is_sent_whatever_its_size() {
    let project = too_large();
    project.pipeline("synix.toml", &LARGE.replace("gpt-4o-mini", "our-own-model"));
    project.ok(&["build"]);
    assert_eq!(project.sent(), 2);
}

/// The role's `context_window` counts instead of the table, in plans as in builds, and for a model that nobody knows.
#[test]
fn the_context_window_of_a_role_takes_precedence() {
    let with = |model: &str, window: u64| {
        let model = format!("model = \"{model}\"\ncontext_window = {window}");
        LARGE.replace("model = \"gpt-4o-mini\"", &model)
    };
    for model in ["gpt-4o-mini", "our-own-model"] {
        let project = too_large();
        project.pipeline("synix.toml", &with(model, 129_999));
        let expected = format!(
            "model `{model}` takes at most 129999 according to `models.default.context_window`"
        );
        let plan = project.run(&["plan"]);
        assert!(plan.says(&expected), "{plan:?}");
        let run = project.run(&["build"]).expect_code(3);
        assert!(run.says(&expected), "{run:?}");
        assert_eq!(project.sent(), 1);
        // It is no part of the request: what was answered stays fresh.
        project.pipeline("synix.toml", &with(model, 200_000));
        assert_eq!(project.json(&["plan"])["total"]["requests"], 1);
        project.ok(&["build"]);
        assert_eq!(project.sent(), 2);
    }
}

/// The message says where the number comes from, and which key corrects it.
#[test]
fn the_window_of_the_table_is_named_with_the_key_that_replaces_it() {
    let run = too_large().run(&["build"]).expect_code(3);
    for part in [
        "takes at most 128000 according to the table of synix",
        "set `models.default.context_window`",
    ] {
        assert!(run.says(part), "{part}: {run:?}");
    }
}
