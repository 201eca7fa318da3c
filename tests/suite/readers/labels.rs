//! Labels that two files have, or one file twice.

use serde_json::{Value, json};
use synix_core::ids::Label;
use synix_reading::label::safe;

use super::tickets;
use crate::support::test_project::{TestProject, text};

const CHATS: &str = r#"
[models.default]
provider = "openai"
model = "gpt-4o-mini"
max_tokens = 30
[layers.chats]
source = "exports/*.json"
read = "chats"
on_duplicate = "newest"
[layers.episodes]
transform = "map"
inputs = ["chats"]
[layers.episodes.config]
prompt = "Sum up: {{ content }}"
[layers.memory]
transform = "reduce"
inputs = ["episodes"]
[layers.memory.config]
prompt = "All:{% for one in inputs %} {{ one.label }}{% endfor %}"
label = "memory"
"#;

/// An export of Claude with conversations of these names, texts and times of the last change.
fn export(project: &TestProject, file: &str, conversations: &[(&str, &[&str], &str)]) {
    let conversations: Vec<_> = conversations
        .iter()
        .map(|(name, texts, updated)| {
            let messages: Vec<_> = texts
                .iter()
                .enumerate()
                .map(|(number, text)| {
                    json!({
                        "uuid": format!("{name}-{number}"),
                        "sender": if number % 2 == 0 { "human" } else { "assistant" },
                        "text": text,
                        "content": [{ "type": "text", "text": text }],
                        "created_at": "2026-01-01T10:00:00Z",
                        "attachments": [],
                        "files": [],
                    })
                })
                .collect();
            json!({
                "uuid": name,
                "name": name,
                "created_at": "2026-01-01T10:00:00Z",
                "updated_at": updated,
                "account": { "uuid": "me" },
                "chat_messages": messages,
            })
        })
        .collect();
    project.write(
        &format!("exports/{file}.json"),
        &json!(conversations).to_string(),
    );
}

#[test]
fn a_label_of_two_files_is_an_error_that_names_both() {
    let project = tickets("error");
    project.write("in/c.csv", "id,text\n2,Other\n");
    for command in ["plan", "build"] {
        let run = project.run(&[command]).expect_code(1);
        assert!(
            run.says("layer `tickets`: in/a.csv and in/c.csv both have an artifact with the label `2`; leave one of the files out, or set `on_duplicate = \"newest\"`"),
            "{run:?}"
        );
    }
    assert_eq!(project.sent(), 0);
}

/// Downloads are often there twice.
#[test]
fn an_identical_file_is_an_error_as_well() {
    let project = tickets("error");
    let same = std::fs::read_to_string(project.path("in/a.csv")).unwrap();
    project.write("in/a (1).csv", &same);
    let run = project.run(&["plan"]).expect_code(1);
    assert!(run.says("in/a (1).csv and in/a.csv both have"), "{run:?}");
    let project = tickets("newest");
    project.write("in/a (1).csv", &same);
    project.ok(&["build"]);
    assert_eq!(project.sent(), 3);
}

#[test]
fn a_label_twice_in_one_file_fails_the_file_with_both_places() {
    for on_duplicate in ["error", "newest"] {
        let project = tickets(on_duplicate);
        project.write("in/c.csv", "id,text\n5,One\n6,Two\n5,Three\n");
        let run = project.run(&["build"]).expect_code(3);
        assert!(
            run.says(
                "two artifacts have the label 5: the first (line 2) and one after it (line 4)"
            ),
            "{run:?}"
        );
    }
}

#[test]
fn another_export_costs_only_what_is_new() {
    let project = TestProject::with_layers(CHATS);
    export(
        &project,
        "january",
        &[
            ("a", &["Hi", "Hello"], "2026-01-02T00:00:00Z"),
            ("b", &["Bread?", "Flour."], "2026-01-03T00:00:00Z"),
            ("gone", &["Old", "Yes"], "2026-01-01T11:00:00Z"),
        ],
    );
    project.ok(&["build"]);
    assert_eq!(project.sent(), 4);
    export(
        &project,
        "february",
        &[
            ("a", &["Hi", "Hello"], "2026-02-02T00:00:00Z"),
            (
                "b",
                &["Bread?", "Flour.", "And salt?", "Yes."],
                "2026-02-03T00:00:00Z",
            ),
            ("c", &["New", "Indeed"], "2026-02-04T00:00:00Z"),
        ],
    );
    let plan = project.json(&["plan"]);
    assert_eq!(plan["layers"][0]["stale"], 1);
    assert_eq!(
        plan["layers"][1]["requests"], 2,
        "one has grown, one is new"
    );
    project.ok(&["build"]);
    // The grown one, the new one, and the memory of all.
    assert_eq!(project.sent(), 7);
    let names = project.artifact_names();
    let chats: Vec<&str> = names
        .iter()
        .filter_map(|name| name.strip_prefix("chats/"))
        .collect();
    assert_eq!(chats, ["claude-a", "claude-b", "claude-c", "claude-gone"]);
    assert!(project.content("chats/claude-b").contains("And salt?"));
    project.ok(&["build"]);
    assert_eq!(project.sent(), 7);

    // Without the newer export everything is as it was, at no cost.
    project.remove("exports/february.json");
    project.ok(&["build"]);
    assert_eq!(project.sent(), 7);
    assert!(!project.content("chats/claude-b").contains("And salt?"));
}

/// An earlier export that was found late does not replace what is newer.
#[test]
fn the_newest_artifact_is_used_whatever_its_file_is_called() {
    let project = TestProject::with_layers(CHATS);
    export(
        &project,
        "b",
        &[("a", &["Hi", "Hello", "More", "Yes"], "2026-02-01T00:00:00Z")],
    );
    project.ok(&["build"]);
    export(
        &project,
        "c",
        &[("a", &["Hi", "Hello"], "2026-01-01T00:00:00Z")],
    );
    export(
        &project,
        "a",
        &[("a", &["Hi", "Hello"], "2026-01-15T00:00:00Z")],
    );
    project.ok(&["build"]);
    assert_eq!(project.sent(), 2);
    assert!(project.content("chats/claude-a").contains("More"));
    assert_eq!(
        project.artifact_names(),
        ["chats/claude-a", "episodes/claude-a", "memory/memory"]
    );
    let overview = project.json(&["status"]);
    assert_eq!(overview["layers"][0]["artifacts"], 1);
}

/// Exports repeat everything, so each further one would count the same empty conversations again.
#[test]
fn what_a_file_left_out_is_not_counted_after_newer_files_replaced_it() {
    let project = TestProject::with_layers(CHATS);
    let empty: (&str, &[&str], &str) = ("empty", &[], "2026-01-01T11:00:00Z");
    let kept: (&str, &[&str], &str) = ("kept", &["Bread?", "Flour."], "2026-01-03T00:00:00Z");
    let gone: (&str, &[&str], &str) = ("gone", &["Old", "Yes"], "2026-01-01T11:00:00Z");
    let grown: (&str, &[&str], &str) = ("a", &["Hi", "Hello", "More"], "2026-03-02T00:00:00Z");
    let first: (&str, &[&str], &str) = ("a", &["Hi", "Hello"], "2026-01-02T00:00:00Z");
    let counted = |document: Value| {
        let [empty] = &document["layers"][0]["skipped"].as_array().unwrap()[..] else {
            panic!("{document:#}")
        };
        assert_eq!(empty["reason"], "empty");
        let examples = empty["examples"].as_array().unwrap().iter();
        let files = examples.map(|one| text(one).split(':').next().unwrap().to_owned());
        assert_eq!(empty["count"], files.len(), "{empty:#}");
        files.collect::<Vec<_>>()
    };
    export(&project, "1", &[first, empty, gone]);
    export(&project, "2", &[empty, kept]);
    let both = ["exports/1.json", "exports/2.json"];
    assert_eq!(counted(project.json(&["build"])), both);
    export(&project, "3", &[grown, empty, kept]);
    // A conversation of the first file is used, so what that file left out counts as well.
    for command in ["plan", "build", "build", "plan", "status"] {
        let found = counted(project.json(&[command]));
        assert_eq!(found, ["exports/1.json", "exports/3.json"], "{command}");
    }
    export(&project, "1", &[first, empty]);
    assert_eq!(counted(project.json(&["build"])), ["exports/3.json"]);
    // Without the newer export the older ones are all that there is.
    project.remove("exports/3.json");
    assert_eq!(counted(project.json(&["plan"])), both);
}

/// The host decides. Plugins have its rule in their SDK, because they cannot ask it, and readers make labels by it.
#[test]
fn plugins_refuse_the_characters_that_the_host_refuses_in_a_label() {
    for character in '\0'..=char::MAX {
        let text = format!("a{character}b");
        let alone = Label::parse(&character.to_string()).is_ok();
        let is_accepted = alone && Label::parse(&text).is_ok();
        let label = safe(&text);
        assert_eq!(label == text, is_accepted, "{text:?} became {label:?}");
        assert!(Label::parse(&label).is_ok(), "{text:?} became {label:?}");
    }
}
