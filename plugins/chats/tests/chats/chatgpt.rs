//! ChatGPT and DeepSeek.

use serde_json::{Value, json};
use synix_plugin::reading::Reason;

use crate::support::{content, meta, read, read_with, said, turns};

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

fn message(role: &str, text: &str) -> Value {
    json!({"author": {"role": role}, "create_time": 1_700_000_000.5, "content": {"content_type": "text", "parts": [text]}, "recipient": "all", "weight": 1.0, "metadata": {}})
}

fn with(mut message: Value, pointer: &str, value: Value) -> Value {
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

fn one(messages: &[Value]) -> String {
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
fn null_parts_and_a_missing_author_lose_only_themselves() {
    let odd = json!({"content": {"content_type": "text", "parts": ["who?"]}});
    let parts = with(
        message("user", ""),
        "/content/parts",
        json!([null, "a", null]),
    );
    let run = read(
        "a.json",
        one(&[odd, parts, Value::Null, message("assistant", "b")]),
    );
    assert_eq!(said(run.only()), ["a", "b"]);
    assert_eq!(run.count(&Reason::Unreadable), 1);
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
fn hidden_messages_are_counted_and_do_not_end_the_chain() {
    let hidden = with(
        message("system", ""),
        "/metadata/is_visually_hidden_from_conversation",
        json!(true),
    );
    let light = with(message("assistant", "draft"), "/weight", json!(0.0));
    let context = json!({"author": {"role": "user"}, "content": {"content_type": "user_editable_context", "user_profile": "I am."}});
    let tool = with(message("tool", "searching"), "/author/name", json!("web"));
    let call = with(message("assistant", "search()"), "/recipient", json!("web"));
    let run = read(
        "a.json",
        one(&[
            hidden,
            context,
            message("user", "a"),
            light,
            call,
            tool,
            message("assistant", "b"),
        ]),
    );
    assert_eq!(said(run.only()), ["a", "b"]);
    assert_eq!(run.count(&Reason::Hidden), 3);
    assert_eq!(run.skipped.len(), 3);
}

#[test]
fn voice_is_text_and_pictures_are_lines() {
    let voice = with(
        message("user", ""),
        "/content",
        json!({"content_type": "multimodal_text", "parts": [
            {"content_type": "audio_transcription", "text": "Spoken words."},
            {"content_type": "audio_asset_pointer", "asset_pointer": "sediment://x"}
        ]}),
    );
    let picture = with(
        message("user", ""),
        "/content",
        json!({"content_type": "multimodal_text", "parts": [
            {"content_type": "image_asset_pointer", "asset_pointer": "file-service://x"}, "What is this?"
        ]}),
    );
    let named = with(
        picture.clone(),
        "/metadata/attachments",
        json!([{"id": "x", "name": "cat.png"}]),
    );
    let run = read("a.json", one(&[voice, picture, named]));
    assert_eq!(
        said(run.only()),
        [
            "Spoken words.",
            "[attachment: image]\n\nWhat is this?",
            "What is this?\n\n[attachment: cat.png]"
        ]
    );
}

#[test]
fn what_is_included_is_shown() {
    let code = json!({"author": {"role": "assistant"}, "recipient": "python", "content": {"content_type": "code", "language": "python", "text": "1 + 1"}});
    let output = json!({"author": {"role": "tool", "name": "python"}, "content": {"content_type": "execution_output", "text": "2"}});
    let thoughts = json!({"author": {"role": "assistant"}, "content": {"content_type": "thoughts", "thoughts": [{"summary": "Sum", "content": "Add."}]}});
    let recap = json!({"author": {"role": "assistant"}, "content": {"content_type": "reasoning_recap", "content": "Thought for 2 seconds"}});
    let web = json!({"author": {"role": "tool", "name": "web"}, "content": {"content_type": "tether_quote", "title": "T", "text": "Quote"}});
    let text = one(&[
        message("user", "a"),
        thoughts,
        recap,
        code,
        output,
        web,
        message("assistant", "b"),
    ]);
    let shown = |include: &str| {
        said(read_with("a.json", &text, &format!(r#"{{"include": [{include}]}}"#)).only()).join("|")
    };
    assert_eq!(shown(""), "a|b");
    assert_eq!(
        shown("\"thinking\""),
        "a|**Thinking**\n\n> Sum\n>\n> Add.|**Thinking**\n\n> Thought for 2 seconds|b"
    );
    assert_eq!(
        shown("\"code\""),
        "a|**Call of python**\n\n```python\n1 + 1\n```|**Result of python**\n\n```\n2\n```|b"
    );
    assert!(shown("\"tools\"").contains("**Result of web**\n\n```\nT\n\nQuote\n```"));
}

#[test]
fn marks_of_citations_are_removed() {
    let run = read(
        "a.json",
        one(&[message(
            "assistant",
            "Rome\u{e200}cite\u{e202}turn0search1\u{e201}【1†source】.",
        )]),
    );
    assert_eq!(said(run.only()), ["Rome."]);
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
fn a_byte_order_mark_and_utf16_are_no_obstacle() {
    let text = one(&[message("user", "é")]);
    let run = read("a.json", format!("\u{feff}{text}"));
    assert_eq!(said(run.only()), ["é"]);
    let wide: Vec<u8> = "\u{feff}"
        .chars()
        .chain(text.chars())
        .collect::<String>()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(said(read("a.json", wide).only()), ["é"]);
}

#[test]
fn deepseek_under_the_name_of_chatgpt_is_deepseek() {
    let value = json!([{"id": "d1", "title": "T", "inserted_at": "2025-02-03T04:05:06.789+08:00", "updated_at": "2025-02-03T04:06:00+08:00", "mapping": {
        "root": {"id": "root", "parent": null, "children": ["1"], "message": null},
        "1": {"id": "1", "parent": "root", "children": ["2"], "message": {"model": "deepseek-chat", "inserted_at": "2025-02-03T04:05:06+08:00", "fragments": [{"type": "REQUEST", "content": "Hi"}]}},
        "2": {"id": "2", "parent": "1", "children": [], "message": {"model": "deepseek-reasoner", "fragments": [{"type": "THINK", "content": "hm"}, {"type": "RESPONSE", "content": "Hello"}]}}
    }}]);
    let run = read("conversations.json", value.to_string());
    let output = run.only();
    assert_eq!(output.label, "deepseek-d1");
    assert_eq!(
        turns(output),
        [
            ("User".into(), "Hi".into()),
            ("Assistant".into(), "Hello".into())
        ]
    );
    assert_eq!(meta(output, "created"), "2025-02-02T20:05:06Z");
    assert_eq!(meta(output, "model"), "deepseek-reasoner");
    let run = read_with("a.json", value.to_string(), r#"{"include": ["thinking"]}"#);
    assert!(content(run.only()).contains("> hm"));
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
