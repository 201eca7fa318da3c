//! Conversations of ChatGPT: files, trees, labels and metadata.

use serde_json::{Value, json};
use synix_plugin::reading::Reason;

use crate::support::{content, meta, read, said};

/// A chain of messages, each the child of the one before.
fn mapping(messages: &[Value]) -> Value {
    let mut nodes = serde_json::Map::new();
    nodes.insert(
        "root".to_owned(),
        json!({"id": "root", "message": null, "parent": null, "children": ["0"]}),
    );
    for (at, message) in messages.iter().enumerate() {
        let parent = if at == 0 {
            "root".to_owned()
        } else {
            (at - 1).to_string()
        };
        let node = json!({"id": at.to_string(), "message": message, "parent": parent, "children": [(at + 1).to_string()]});
        nodes.insert(at.to_string(), node);
    }
    Value::Object(nodes)
}

pub(crate) fn message(role: &str, text: &str) -> Value {
    json!({"author": {"role": role}, "create_time": 1_700_000_000.5, "content": {"content_type": "text", "parts": [text]}, "recipient": "all", "weight": 1.0, "metadata": {}})
}

pub(crate) fn with(mut message: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    message
        .pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap()
        .insert(key.to_owned(), value);
    message
}

fn conversation(messages: &[Value]) -> Value {
    let last = (messages.len() - 1).to_string();
    json!({"title": "Trip", "create_time": 1_700_000_000.0, "update_time": 1_700_100_000.0, "conversation_id": "c1", "id": "c1", "current_node": last, "mapping": mapping(messages)})
}

fn file(conversations: &[Value]) -> String {
    Value::from(conversations.to_vec()).to_string()
}

pub(crate) fn one(messages: &[Value]) -> String {
    file(&[conversation(messages)])
}

#[test]
fn a_conversation_is_markdown_with_a_heading_for_each_turn() {
    let run = read(
        "conversations.json",
        one(&[
            message("user", "Where?"),
            with(
                message("assistant", "Rome."),
                "/metadata/model_slug",
                json!("gpt-5"),
            ),
        ]),
    );
    let output = run.only();
    assert_eq!(
        (output.label.as_str(), output.kind.as_str()),
        ("chatgpt-c1", "conversation")
    );
    assert_eq!(
        content(output),
        "## User · 2023-11-14T22:13:20Z\n\nWhere?\n\n## Assistant · 2023-11-14T22:13:20Z\n\nRome.\n"
    );
    for (key, value) in [
        ("provider", json!("chatgpt")),
        ("id", json!("c1")),
        ("title", json!("Trip")),
        ("date", json!("2023-11-14")),
        ("month", json!("2023-11")),
        ("created", json!("2023-11-14T22:13:20Z")),
        ("updated", json!("2023-11-16T02:00:00Z")),
        ("messages", json!(2)),
        ("model", json!("gpt-5")),
    ] {
        assert_eq!(meta(output, key), value, "{key}");
    }
    assert_eq!(output.metadata.len(), 9);
}

#[test]
fn what_the_source_does_not_say_is_absent() {
    let mut value = conversation(&[with(
        message("user", "Hello there"),
        "/create_time",
        Value::Null,
    )]);
    for key in ["title", "create_time", "update_time"] {
        value[key] = Value::Null;
    }
    let run = read("a.json", file(&[value]));
    let output = run.only();
    assert_eq!(content(output), "## User\n\nHello there\n");
    assert_eq!(meta(output, "title"), "Hello there");
    for key in ["created", "updated", "date", "month", "model", "project"] {
        assert_eq!(meta(output, key), Value::Null, "{key}");
    }
}

#[test]
fn without_a_creation_time_the_first_shown_message_counts() {
    let mut value = conversation(&[message("user", "Hi")]);
    value["create_time"] = Value::Null;
    let run = read("a.json", file(&[value]));
    assert_eq!(meta(run.only(), "date"), "2023-11-14");
}

#[test]
fn an_odd_first_element_does_not_decide_what_the_file_is() {
    for odd in [json!(null), json!(5), json!({"lorem": 1}), json!([])] {
        let run = read(
            "a.json",
            file(&[odd, conversation(&[message("user", "a")])]),
        );
        assert_eq!(run.labels(), ["chatgpt-c1"]);
        assert_eq!(run.count(&Reason::Unreadable), 1);
    }
}

#[test]
fn the_active_branch_is_shown_and_the_others_are_counted() {
    let mut value = conversation(&[
        message("user", "a"),
        message("assistant", "old"),
        message("user", "more"),
    ]);
    let edited = json!({"id": "x", "parent": "0", "children": [], "message": with(message("assistant", "new"), "/create_time", json!(1.0))});
    value["mapping"]["x"] = edited;
    value["current_node"] = json!("x");
    let run = read("a.json", file(std::slice::from_ref(&value)));
    assert_eq!(said(run.only()), ["a", "new"]);
    assert_eq!(run.count(&Reason::Branch), 1);

    // Without a current node the newest leaf counts.
    for gone in [json!(null), json!("gone")] {
        value["current_node"] = gone;
        let run = read("a.json", file(std::slice::from_ref(&value)));
        assert_eq!(said(run.only()), ["a", "old", "more"]);
    }
}

#[test]
fn a_circle_ends_and_a_tree_without_children_or_root_is_read() {
    let mut value = conversation(&[message("user", "a"), message("assistant", "b")]);
    value["mapping"]["root"]["parent"] = json!("1");
    let run = read("a.json", file(std::slice::from_ref(&value)));
    assert_eq!(said(run.only()), ["a", "b"]);

    value["mapping"].as_object_mut().unwrap().remove("root");
    for id in ["0", "1"] {
        value["mapping"][id]
            .as_object_mut()
            .unwrap()
            .remove("children");
    }
    let run = read("a.json", file(&[value]));
    assert_eq!(said(run.only()), ["a", "b"]);
}

#[test]
fn bookkeeping_does_not_change_the_content() {
    let mut value = conversation(&[message("user", "a"), message("assistant", "b")]);
    let before = content(read("a.json", file(std::slice::from_ref(&value))).only()).to_owned();
    value["update_time"] = json!(1_800_000_000);
    value["is_archived"] = json!(true);
    value["title"] = json!("Another");
    value["gizmo_id"] = json!("g-p-1");
    let run = read("b.json", file(&[value]));
    assert_eq!(content(run.only()), before);
    assert_eq!(run.only().label, "chatgpt-c1");
    assert_eq!(meta(run.only(), "project"), "g-p-1");
}

#[test]
fn an_object_with_conversations_and_lines_of_them_are_read_too() {
    let value = conversation(&[message("user", "a")]);
    let object = json!({"user": {"id": "u"}, "conversations": [value, 5]}).to_string();
    let run = read("a.json", object);
    assert_eq!(run.labels(), ["chatgpt-c1"]);
    assert_eq!(run.count(&Reason::Unreadable), 1);
    let run = read("a.jsonl", format!("{value}\n{value}\n"));
    assert_eq!(run.labels(), ["chatgpt-c1", "chatgpt-c1"]);
}

#[test]
fn one_conversation_that_cannot_be_read_does_not_lose_the_others() {
    let good = conversation(&[message("user", "a")]).to_string();
    let run = read(
        "a.json",
        format!(r#"[{{"mapping": {{"x": oops}}}}, {good}]"#),
    );
    assert_eq!(run.labels(), ["chatgpt-c1"]);
    assert_eq!(run.count(&Reason::Unreadable), 1);
    assert_eq!(run.skipped[0].place, "conversation 1");
}

#[test]
fn of_a_file_that_is_cut_off_what_was_whole_is_kept() {
    let good = conversation(&[message("user", "a")]).to_string();
    let run = read("a.json", format!("[{good}, {}", &good[..good.len() / 2]));
    assert_eq!(run.labels(), ["chatgpt-c1"]);
    assert_eq!(run.count(&Reason::Unreadable), 1);
}

#[test]
fn a_file_of_a_known_format_that_yields_nothing_is_an_error_with_counts() {
    let empty = conversation(&[message("user", "")]);
    let run = read("conversations.json", file(&[empty.clone(), empty]));
    let error = run.error();
    assert!(
        error.contains("2 conversations") && error.contains("2 empty"),
        "{error}"
    );
    assert_eq!(run.count(&Reason::Empty), 2);
}
