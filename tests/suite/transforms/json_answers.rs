//! Answers in JSON: members that become metadata, lists that become artifacts, and answers that are not JSON.

use serde_json::json;
use synix_scripted_provider::{Rule, Script};

use crate::support::pipelines::{MODES, Mode, notes_pipeline};
use crate::support::test_project::TestProject;
use crate::support::transcript::assert_transcript;

const TAGS: &str = notes_pipeline!(
    r#"[layers.tagged]
transform = "map"
inputs = ["notes"]
batch = true
[layers.tagged.config]
prompt = "Tag this: {{ content }}"
fields = ["tags"]
[layers.tagged.config.response_format]
type = "object"
properties.tags = { type = "array", items = { type = "string" } }
[layers.topics]
transform = "group"
inputs = ["tagged"]
[layers.topics.config]
by = "tags"
prompt = "{{ group }}:{% for one in inputs %} {{ (one.content | fromjson).summary }}{% endfor %}"
"#
);

fn notes(layers: &str) -> TestProject {
    let project = TestProject::with_layers(layers);
    for name in ["ann", "bob"] {
        project.write(
            &format!("notes/{name}.md"),
            &format!("---\ndate: 2026-01-03\n---\nNote of {name}."),
        );
    }
    project
}

fn answers(ann: &serde_json::Value, bob: &serde_json::Value) -> Script {
    Script::new()
        .rule(Rule::on("garden: It rained. Beans grew.").text("Of both."))
        .rule(Rule::on("Note of ann").text(ann.to_string()))
        .rule(Rule::on("Note of bob").text(bob.to_string()))
}

#[test]
fn the_next_layer_groups_by_a_member_of_the_answer_in_every_mode() {
    let artifacts = MODES.map(|mode: Mode| {
        let project = notes(TAGS);
        project.script(answers(
            &json!({"summary": "It rained.", "tags": ["rain", "garden"]}),
            &json!({"summary": "Beans grew.", "tags": ["garden"]}),
        ));
        project.build_in(mode).expect_code(0);
        let shown = project.json(&["show", "tagged/ann"]);
        assert_eq!(
            shown["metadata"],
            json!({"date": "2026-01-03", "tags": ["rain", "garden"]})
        );
        let topics: Vec<_> = project.artifact_names();
        let topics: Vec<_> = topics
            .iter()
            .filter_map(|name| name.strip_prefix("topics/"))
            .collect();
        assert_eq!(topics, ["garden", "rain"]);
        assert_eq!(project.content("topics/garden"), "Of both.");
        project.artifacts()
    });
    assert_eq!(artifacts[0], artifacts[1]);
    assert_eq!(artifacts[1], artifacts[2]);
}

#[test]
fn explode_makes_an_artifact_of_each_list_element() {
    let layers = TAGS
        .replace(
            "fields = [\"tags\"]",
            "explode = \"tasks\"\nfields = true\nitem_label = \"{{ item.what }}\"",
        )
        .replace("by = \"tags\"", "by = \"who\"")
        .replace(
            " {{ (one.content | fromjson).summary }}",
            " {{ one.metadata.what }}",
        );
    let project = notes(&layers);
    project.script(answers(
        &json!({"tasks": [{"what": "Pay rent", "who": "ann"}, {"what": "Pay rent", "who": "bob"}]}),
        &json!({"tasks": [{"what": "Call/mail", "who": "ann", "date": "later"}]}),
    ));
    project.ok(&["build"]);
    let names = project.artifact_names();
    let labels_in = |layer: &str| -> Vec<&str> {
        names
            .iter()
            .filter_map(|name| name.strip_prefix(layer))
            .collect()
    };
    assert_eq!(
        labels_in("tagged/"),
        ["ann/Pay rent", "ann/Pay rent-2", "bob/Call-mail"]
    );
    assert_eq!(labels_in("topics/"), ["ann", "bob"]);
    assert_eq!(project.sent(), 4);
    let shown = project.json(&["show", "tagged/bob/Call-mail"]);
    assert_eq!(
        shown["metadata"],
        json!({"date": "2026-01-03", "what": "Call/mail", "who": "ann"})
    );
}

/// The message names the place of the error. No empty artifact is made. The schema says less than the settings need.
#[test]
fn an_answer_of_the_wrong_form_fails_its_unit_with_a_message() {
    for (ann, message) in [
        (
            json!({"tag": []}),
            "the answer has no member `tags`, which `fields` names; it has `tag`",
        ),
        (json!([1]), "the answer is a list, not an object"),
        (json!("x"), "the answer is a text, not an object"),
    ] {
        let project = notes(&TAGS.replace("type = \"object\"\n", ""));
        project.script(answers(&ann, &json!({"summary": "s", "tags": ["garden"]})));
        let built = project.run(&["build", "--json"]).expect_code(3).json();
        let failures = built["failures"].as_array().unwrap();
        let failure = failures
            .iter()
            .find(|failure| failure["unit"] == "ann")
            .map(|failure| failure["message"].to_string())
            .unwrap();
        assert!(
            failure.contains(&format!("invalid-answer: {message}")),
            "{failure}"
        );
        assert!(project.artifact_names().contains(&"tagged/bob".to_owned()));
        assert!(!project.artifact_names().contains(&"tagged/ann".to_owned()));
    }
}

#[test]
fn settings_that_need_a_response_format_are_refused_without_one() {
    let (head, _) = TAGS
        .split_once("[layers.tagged.config.response_format]")
        .unwrap();
    for (setting, message) in [
        ("fields = [\"tags\"]", "(`fields` requires it)"),
        ("fields = true", "(`fields` requires it)"),
        ("explode = \"tags\"", "(`explode` requires it)"),
        ("item_label = \"x\"", "missing key `explode`"),
    ] {
        let project = notes(&head.replace("fields = [\"tags\"]", setting));
        let run = project.run(&["plan"]).expect_code(2);
        assert!(run.says(message), "{run:?}");
    }
    let joined = TAGS.replace(
        "prompt = \"{{ group }}",
        "fields = true\nresponse_format = {}\n# ",
    );
    let run = notes(&joined).run(&["plan"]).expect_code(2);
    assert_transcript!(run);
}

#[test]
fn a_missing_group_key_is_reported_with_the_keys_that_exist() {
    let project = notes(&TAGS.replace("by = \"tags\"", "by = \"tag\""));
    project.script(answers(
        &json!({"summary": "s", "tags": ["a"]}),
        &json!({"summary": "s", "tags": ["b"]}),
    ));
    let run = project.run(&["build"]).expect_code(3);
    assert_transcript!(run);
}

#[test]
fn an_undefined_variable_is_reported_with_the_defined_ones() {
    let project = notes(&TAGS.replace("Tag this: {{ content }}", "Tag this: {{ contents }}"));
    let run = project.run(&["build"]).expect_code(3);
    assert_transcript!(run);
    assert_eq!(project.sent(), 0);
}

/// X15: an empty prompt is not paid for.
#[test]
fn an_empty_prompt_is_refused_before_anything_is_sent() {
    for empty in ["", " \\n"] {
        let project = notes(&TAGS.replace("Tag this: {{ content }}", empty));
        let run = project.run(&["build"]).expect_code(2);
        assert!(
            run.says("`layers.tagged.config.prompt` must not be empty"),
            "{run:?}"
        );
        assert_eq!(project.sent(), 0);
    }
    let layers = TAGS.replace(
        "prompt = \"Tag this: {{ content }}\"",
        "prompt_file = \"p.md\"",
    );
    for empty in ["", "\u{feff}\n"] {
        let project = notes(&layers);
        project.write("p.md", empty);
        let run = project.run(&["build"]).expect_code(2);
        assert!(
            run.says("layer `tagged`: p.md: is empty, so there is nothing to ask"),
            "{run:?}"
        );
        assert_eq!(project.sent(), 0);
    }
}
