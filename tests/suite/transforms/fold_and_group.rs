//! `fold` and `group`: their requests, and the cost of a change.

use crate::support::pipelines::{MODES, Mode, notes_pipeline};
use crate::support::test_project::TestProject;
use crate::support::transcript::assert_transcript;

const FOLD: &str = notes_pipeline!(
    r#"[layers.story]
transform = "fold"
inputs = ["notes"]
[layers.story.config]
initial = "Nothing yet."
prompt = "So far:\n{{ so_far }}\n\nNow:\n{{ content }}"
label = "story"
"#
);

const GROUP: &str = notes_pipeline!(
    r#"[layers.topics]
transform = "group"
inputs = ["notes"]
[layers.topics.config]
by = "topic"
on_missing = "group"
prompt = "{{ group }}:{% for one in inputs %}\n- {{ one.content }}{% endfor %}"
"#
);

fn fold_project(last: u32) -> TestProject {
    let project = TestProject::with_layers(FOLD);
    for day in 1..=last {
        project.write(&format!("notes/{day:02}.md"), &format!("Day {day}."));
    }
    project
}

fn group_project() -> TestProject {
    let project = TestProject::with_layers(GROUP);
    for (name, topic) in [("a", "garden"), ("b", "house"), ("c", "garden")] {
        let note = format!("---\ntopic: {topic}\n---\nNote {name}.\n");
        project.write(&format!("notes/{name}.md"), &note);
    }
    project.write("notes/d.md", "Of no topic.");
    project
}

/// M3: a fold continues where the inputs are new.
#[test]
fn an_appended_input_costs_one_request() {
    let project = fold_project(10);
    project.ok(&["build"]);
    assert_eq!(project.sent(), 10);
    project.write("notes/11.md", "Day 11.");
    project.ok(&["build"]);
    assert_eq!(project.sent(), 11);
}

/// M3: the steps before a changed input are not repeated.
#[test]
fn a_changed_input_repeats_the_fold_from_there() {
    let project = fold_project(10);
    project.ok(&["build"]);
    project.write("notes/03.md", "Day 3, as it was.");
    project.ok(&["build"]);
    assert_eq!(project.sent(), 10 + 8);
}

/// M3: the last input only decides the last step, and the first input decides all steps.
#[test]
fn a_changed_last_input_repeats_one_step_and_a_removed_first_input_all() {
    let project = fold_project(10);
    project.ok(&["build"]);
    project.write("notes/10.md", "Day 10, as it was.");
    project.ok(&["build"]);
    assert_eq!(project.sent(), 10 + 1);
    project.remove("notes/01.md");
    project.ok(&["build"]);
    assert_eq!(project.sent(), 10 + 1 + 9);
}

/// The error names the limit, which is lower than the number of inputs.
#[test]
fn a_fold_over_its_request_limit_continues_with_a_higher_limit() {
    let project = fold_project(5);
    let limited = |requests: u32| format!("{FOLD}[layers.story.limits]\nrequests = {requests}\n");
    project.pipeline("synix.toml", &limited(3));
    let run = project.run(&["build"]).expect_code(3);
    assert_transcript!(run);
    assert_eq!(project.sent(), 3);
    project.pipeline("synix.toml", &limited(5));
    project.ok(&["build"]);
    assert_eq!(project.sent(), 5);
}

/// C1
#[test]
fn folds_and_groups_make_the_same_in_every_mode() {
    for make in [|| fold_project(3), group_project] {
        let artifacts = MODES.map(|mode: Mode| {
            let project = make();
            project.build_in(mode).expect_code(0);
            project.artifacts()
        });
        assert_eq!(artifacts[0], artifacts[1]);
        assert_eq!(artifacts[1], artifacts[2]);
    }
}

#[test]
fn inputs_without_a_topic_form_their_own_group() {
    let project = group_project();
    project.ok(&["build"]);
    let names = project.artifact_names();
    for group in ["topics/garden", "topics/house", "topics/ungrouped"] {
        assert!(names.iter().any(|name| name == group), "{names:?}");
    }
    assert_eq!(project.sent(), 3);
}

#[test]
fn only_the_group_of_a_changed_input_sends_a_request() {
    let project = group_project();
    project.ok(&["build"]);
    project.write("notes/a.md", "---\ntopic: garden\n---\nNote a, longer.\n");
    project.ok(&["build"]);
    assert_eq!(project.sent(), 4);
}

#[test]
fn an_input_without_a_group_fails_the_layer_by_default() {
    let project = group_project();
    project.pipeline("synix.toml", &GROUP.replace("on_missing = \"group\"\n", ""));
    let run = project.run(&["build"]).expect_code(3);
    assert_transcript!(run);
    project.pipeline(
        "synix.toml",
        &GROUP.replace("\"group\"\nprompt", "\"skip\"\nprompt"),
    );
    project.ok(&["build"]);
    assert_eq!(project.sent(), 2);
}

/// It makes no artifacts either.
#[test]
fn an_empty_layer_sends_nothing() {
    let project = group_project();
    let empty = GROUP
        .replace("by = \"topic\"", "by = \"season\"")
        .replace("\"group\"\nprompt", "\"skip\"\nprompt");
    let after = "[layers.total]\ntransform = \"reduce\"\ninputs = [\"topics\"]\n\
        [layers.total.config]\nlabel = \"total\"\nprompt = \"Sum up.\"\n\
        [layers.story]\ntransform = \"fold\"\ninputs = [\"topics\"]\n\
        [layers.story.config]\nlabel = \"story\"\nprompt = \"Go on.\"\n";
    project.pipeline("synix.toml", &format!("{empty}{after}"));
    project.ok(&["build"]);
    assert_eq!(project.sent(), 0);
    let names = project.artifact_names();
    assert_eq!(names, ["notes/a", "notes/b", "notes/c", "notes/d"]);
}

#[test]
fn an_undefined_variable_in_by_template_is_an_error() {
    let project = group_project();
    for on_missing in ["skip", "group", "error"] {
        let by = "by_template = \"{{ content[:3] }}\"\non_missing = ";
        let layers = GROUP
            .replace("by = \"topic\"\non_missing = ", by)
            .replace("\"group\"\nprompt", &format!("\"{on_missing}\"\nprompt"));
        project.pipeline("synix.toml", &layers);
        let run = project.run(&["build"]).expect_code(3);
        assert!(run.says("`by_template` names `content`"), "{run:?}");
        assert_eq!(project.sent(), 0);
    }
}

#[test]
fn a_group_without_a_prompt_joins_its_inputs_and_sends_nothing() {
    let project = group_project();
    let (layers, _) = GROUP.split_once("prompt = ").unwrap();
    project.pipeline("synix.toml", layers);
    project.ok(&["build"]);
    assert_eq!(project.sent(), 0);
    let garden = project.content("topics/garden");
    assert!(
        garden.contains("Note a.") && garden.contains("Note c."),
        "{garden}"
    );
}

#[test]
fn the_label_of_a_fold_is_not_a_template() {
    let project = fold_project(2);
    let layers = FOLD.replace("label = \"story\"", "label = \"{{ label }}\"");
    project.pipeline("synix.toml", &layers);
    let run = project.run(&["build"]).expect_code(3);
    assert_transcript!(run);
    assert_eq!(project.sent(), 0);
}
