//! Messages of ChatGPT and DeepSeek: what is shown, and how.

use serde_json::{Value, json};
use synix_plugin::reading::Reason;

use crate::chatgpt::{message, one, with};
use crate::support::{content, meta, read, read_with, said, turns};

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
