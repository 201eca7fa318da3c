//! Sessions of the Codex CLI.

use serde_json::{Value, json};
use synix_plugin::reading::Reason;

use crate::support::{content, meta, read, read_with, said};

fn line(kind: &str, payload: &Value) -> Value {
    json!({"timestamp": "2026-01-02T03:04:05.678Z", "type": kind, "payload": payload})
}

fn item(role: &str, text: &str) -> Value {
    let kind = if role == "user" {
        "input_text"
    } else {
        "output_text"
    };
    line(
        "response_item",
        &json!({"type": "message", "role": role, "content": [{"type": kind, "text": text}]}),
    )
}

fn event(kind: &str, text: &str) -> Value {
    line("event_msg", &json!({"type": kind, "message": text}))
}

fn meta_line() -> Value {
    line(
        "session_meta",
        &json!({"id": "s1", "timestamp": "2026-01-02T03:00:00Z", "cwd": "/p", "cli_version": "0.50", "git": {"branch": "dev"}}),
    )
}

fn lines(values: &[Value]) -> String {
    values.iter().map(|value| format!("{value}\n")).collect()
}

#[test]
fn what_is_said_as_item_and_event_counts_once() {
    let run = read(
        "rollout-x.jsonl",
        lines(&[
            meta_line(),
            line(
                "turn_context",
                &json!({"model": "gpt-5-codex", "cwd": "/p"}),
            ),
            item("developer", "<permissions instructions>x"),
            item("user", "<environment_context>x</environment_context>"),
            item("user", "Fix it"),
            event("user_message", "Fix it"),
            item("assistant", "Done"),
            event("agent_message", "Done"),
            event("token_count", ""),
        ]),
    );
    let output = run.only();
    assert_eq!(output.label, "codex-s1");
    assert_eq!(said(output), ["Fix it", "Done"]);
    assert_eq!(run.count(&Reason::Hidden), 2);
    for (key, value) in [
        ("model", "gpt-5-codex"),
        ("cwd", "/p"),
        ("branch", "dev"),
        ("created", "2026-01-02T03:00:00Z"),
        ("updated", "2026-01-02T03:04:05Z"),
        ("title", "Fix it"),
    ] {
        assert_eq!(meta(output, key), value, "{key}");
    }
}

#[test]
fn where_there_are_only_events_they_count() {
    let run = read(
        "a.jsonl",
        lines(&[
            meta_line(),
            event("user_message", "Hi"),
            event("agent_message", "Hello"),
        ]),
    );
    assert_eq!(said(run.only()), ["Hi", "Hello"]);
}

#[test]
fn tools_and_thoughts_are_shown_on_wish() {
    let text = lines(&[
        meta_line(),
        item("user", "Go"),
        line(
            "response_item",
            &json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": "Think"}]}),
        ),
        line(
            "response_item",
            &json!({"type": "function_call", "name": "shell", "arguments": "{\"command\":[\"ls\"]}", "call_id": "1"}),
        ),
        line(
            "response_item",
            &json!({"type": "function_call_output", "call_id": "1", "output": "a.txt"}),
        ),
    ]);
    assert_eq!(said(read("a.jsonl", &text).only()), ["Go"]);
    let run = read_with("a.jsonl", &text, r#"{"include": ["tools", "thinking"]}"#);
    let shown = content(run.only());
    for part in [
        "> Think",
        "**Call of shell**",
        "**Result**\n\n```\na.txt\n```",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
}

#[test]
fn a_fork_repeats_the_origin_after_its_own_start() {
    let origin = line("session_meta", &json!({"id": "old", "cwd": "/old"}));
    let run = read("a.jsonl", lines(&[meta_line(), origin, item("user", "Hi")]));
    assert_eq!(run.labels(), ["codex-s1"]);
    assert_eq!(meta(run.only(), "cwd"), "/p");
}

#[test]
fn the_old_history_has_prompts_only() {
    let text = lines(&[
        json!({"session_id": "a", "ts": 1_760_000_000, "text": "one"}),
        json!({"session_id": "b", "ts": 1_760_000_001, "text": "two"}),
        json!({"session_id": "a", "ts": 1_760_000_002, "text": "three"}),
    ]);
    let run = read("history.jsonl", text);
    assert_eq!(run.labels(), ["codex-history-a", "codex-history-b"]);
    assert_eq!(said(&run.outputs[0]), ["one", "three"]);
}

#[test]
fn the_first_versions_have_items_as_lines() {
    let text = lines(&[
        json!({"id": "s0", "timestamp": "2025-05-06T07:08:09Z", "instructions": null, "git": {"branch": "main"}}),
        json!({"record_type": "state"}),
        json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}),
        json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}),
    ]);
    let run = read("rollout.jsonl", text);
    assert_eq!(run.labels(), ["codex-s0"]);
    assert_eq!(said(run.only()), ["Hi", "Hello"]);
    assert_eq!(meta(run.only(), "created"), "2025-05-06T07:08:09Z");
}
