//! Claude's account export.

use serde_json::{Value, json};
use synix_plugin::reading::Reason;

use crate::support::{content, meta, read, read_with, said, turns};

fn message(id: &str, parent: &str, sender: &str, text: &str) -> Value {
    json!({"uuid": id, "parent_message_uuid": parent, "sender": sender, "text": text, "content": [{"type": "text", "text": text}], "created_at": "2026-01-02T03:04:05.678901Z", "attachments": [], "files": []})
}

fn conversation(messages: &[Value]) -> Value {
    json!({"uuid": "u1", "name": "Plan", "created_at": "2026-01-02T03:04:05.678Z", "updated_at": "2026-01-03T00:00:00Z", "account": {"uuid": "acc"}, "chat_messages": messages})
}

fn one(messages: &[Value]) -> String {
    json!([conversation(messages)]).to_string()
}

#[test]
fn a_bare_list_is_read_with_all_that_it_says() {
    let run = read(
        "conversations.json",
        one(&[
            message("a", "0", "human", "Hi"),
            message("b", "a", "assistant", "Hello"),
        ]),
    );
    let output = run.only();
    assert_eq!(output.label, "claude-u1");
    assert_eq!(
        turns(output),
        [
            ("User".into(), "Hi".into()),
            ("Assistant".into(), "Hello".into())
        ]
    );
    assert_eq!(meta(output, "account"), "acc");
    assert_eq!(meta(output, "created"), "2026-01-02T03:04:05Z");
    assert_eq!(meta(output, "messages"), 2);
}

#[test]
fn the_blocks_count_and_the_text_only_where_there_are_none() {
    let mut blocks = message("a", "", "human", "from the text");
    blocks["text"] = json!("");
    let mut placeholder = message("b", "a", "assistant", "Real answer");
    placeholder["text"] =
        json!("```\nThis block is not supported on your current device yet.\n```");
    let mut old = message("c", "b", "human", "Only text");
    old["content"] = json!([]);
    let run = read("a.json", one(&[blocks, placeholder, old]));
    assert_eq!(
        said(run.only()),
        ["from the text", "Real answer", "Only text"]
    );
}

#[test]
fn a_message_of_attachments_alone_is_shown_by_their_names() {
    let mut value = message("a", "", "human", "");
    value["attachments"] = json!([{"file_name": "notes.txt", "extracted_content": "the notes"}, {"file_name": "", "extracted_content": "pasted"}]);
    value["files"] = json!([{"file_name": "photo.jpg"}, {"file_name": "notes.txt"}]);
    let text = one(&[value]);
    let run = read("a.json", &text);
    assert_eq!(
        said(run.only()),
        ["[attachment: notes.txt]\n\n[attachment: pasted text]\n\n[attachment: photo.jpg]"]
    );
    let run = read_with("a.json", &text, r#"{"include": ["attachments"]}"#);
    assert!(content(run.only()).contains("```\nthe notes\n```"));
}

#[test]
fn unknown_blocks_do_not_lose_a_message() {
    let mut value = message("a", "", "assistant", "said");
    value["content"] = json!([{"type": "flag"}, {"type": "injected_prompt_block", "text": "no"}, {"type": 5}, null, "x", {"type": "text", "text": "said"}, {"type": "token_budget"}]);
    assert_eq!(said(read("a.json", one(&[value])).only()), ["said"]);
}

#[test]
fn tools_artifacts_and_thoughts_are_shown_on_wish() {
    let mut value = message("a", "", "assistant", "");
    value["content"] = json!([
        {"type": "thinking", "thinking": "Think."},
        {"type": "tool_use", "name": "web_search", "input": {"query": "x"}},
        {"type": "tool_result", "name": "web_search", "content": [{"type": "text", "text": "found"}]},
        {"type": "tool_use", "name": "artifacts", "input": {"command": "create", "title": "App", "content": "print(1)"}},
        {"type": "text", "text": "Done."}
    ]);
    let text = one(&[value]);
    let shown = |include: &str| {
        content(read_with("a.json", &text, &format!(r#"{{"include": ["{include}"]}}"#)).only())
            .to_owned()
    };
    assert_eq!(said(read("a.json", &text).only()), ["Done."]);
    assert!(shown("thinking").contains("> Think."));
    assert!(shown("code").contains("**Call of artifacts App**\n\n```\nprint(1)\n```"));
    assert!(!shown("code").contains("web_search"));
    let tools = shown("tools");
    assert!(
        tools.contains("\"query\": \"x\"")
            && tools.contains("**Result of web_search**\n\n```\nfound"),
        "{tools}"
    );
}

#[test]
fn edits_in_the_order_of_the_array_are_followed_by_their_links() {
    let mut old = message("b", "a", "assistant", "old");
    old["created_at"] = json!("2026-01-02T03:05:00Z");
    let mut new = message("c", "a", "assistant", "new");
    new["created_at"] = json!("2026-01-02T03:06:00Z");
    let mut broken = message("d", "a", "assistant", "");
    broken["created_at"] = json!("2026-01-02T03:07:00Z");
    let messages = [message("a", "0", "human", "ask"), new, old, broken];
    let run = read("a.json", one(&messages));
    assert_eq!(said(run.only()), ["ask", "new"]);
    assert_eq!(run.count(&Reason::Branch), 2);
    let mut value = conversation(&messages);
    value["current_leaf_message_uuid"] = json!("b");
    assert_eq!(
        said(read("a.json", json!([value]).to_string()).only()),
        ["ask", "old"]
    );
}

#[test]
fn messages_without_links_keep_their_order() {
    let mut messages = [
        message("a", "", "human", "1"),
        message("b", "", "assistant", "2"),
    ];
    for message in &mut messages {
        message
            .as_object_mut()
            .unwrap()
            .remove("parent_message_uuid");
    }
    assert_eq!(said(read("a.json", one(&messages)).only()), ["1", "2"]);
}

#[test]
fn empty_conversations_are_counted() {
    let mut empty = conversation(&[]);
    empty["uuid"] = json!("u2");
    let text = json!([empty, conversation(&[message("a", "", "human", "Hi")])]).to_string();
    let run = read("a.json", text);
    assert_eq!(run.labels(), ["claude-u1"]);
    assert_eq!(run.count(&Reason::Empty), 1);
    assert_eq!(run.skipped[0].what, "claude-u2");
}

#[test]
fn an_empty_name_becomes_a_title() {
    let mut value = conversation(&[message("a", "", "human", "What about\nRome?")]);
    value["name"] = json!("");
    assert_eq!(
        meta(read("a.json", json!([value]).to_string()).only(), "title"),
        "What about"
    );
}

#[test]
fn projects_are_documents() {
    let project = json!({"uuid": "p1", "name": "Garden", "description": "About plants", "prompt_template": "Be kind.", "created_at": "2026-01-01T00:00:00Z", "docs": [
        {"uuid": "d1", "filename": "roses.md", "content": "Roses are red.", "created_at": "2026-01-02T00:00:00Z"},
        {"filename": "empty.md", "content": ""}
    ]});
    for text in [json!([project]).to_string(), project.to_string()] {
        let run = read("projects.json", text);
        assert_eq!(run.labels(), ["claude-project-p1", "claude-project-d1"]);
        let doc = run.with_label("claude-project-d1");
        assert_eq!(
            (doc.kind.as_str(), content(doc)),
            ("document", "Roses are red.\n")
        );
        assert_eq!(
            (meta(doc, "title"), meta(doc, "project"), meta(doc, "date")),
            (json!("roses.md"), json!("Garden"), json!("2026-01-02"))
        );
        assert_eq!(content(&run.outputs[0]), "About plants\n\nBe kind.\n");
        assert_eq!(run.count(&Reason::Empty), 1);
    }
}

#[test]
fn memories_are_artifacts_of_their_own() {
    let memories = json!({"account_uuid": "acc", "conversations_memory": "Likes tea.", "project_memories": {"p1": "Grows roses."}, "memory_files": [{"path": "/people/anna.md", "content": "A friend.", "updated_at": "2026-02-01T00:00:00Z"}]});
    for text in [memories.to_string(), json!([memories]).to_string()] {
        let run = read("memories.json", text);
        assert_eq!(
            run.labels(),
            [
                "claude-memory-acc",
                "claude-memory-p1",
                "claude-memory-acc-/people/anna.md"
            ]
        );
        assert!(run.outputs.iter().all(|output| output.kind == "memory"));
        assert_eq!(content(&run.outputs[1]), "Grows roses.\n");
    }
}

#[test]
fn design_chats_and_shared_snapshots_are_conversations() {
    let design = json!([{"uuid": "x", "title": "Logo", "project": {"uuid": "p", "name": "Brand"}, "messages": [{"role": "user", "content": {"content": "Draw", "contentBlocks": []}}, {"role": "assistant", "content": {"content": "…", "contentBlocks": [{"type": "text", "text": "Here"}]}}]}]);
    let run = read("design_chats.json", design.to_string());
    assert_eq!(run.labels(), ["claude-design-x"]);
    assert_eq!(said(run.only()), ["Draw", "Here"]);
    let shared = json!([{"uuid": "s", "snapshot_name": "Shared", "chat_messages": [{"uuid": "a", "index": 0, "sender": "human", "text": "Hi", "content": null}]}]);
    let run = read("shared.json", shared.to_string());
    assert_eq!(meta(run.only(), "title"), "Shared");
    assert_eq!(said(run.only()), ["Hi"]);
}
