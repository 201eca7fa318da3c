//! Sessions of Claude Code.

use serde_json::{Value, json};
use synix_plugin::reading::Reason;

use crate::support::{content, meta, read, read_with, said, turns};

pub(crate) fn line(kind: &str, uuid: &str, parent: &str, content: &Value) -> Value {
    json!({"type": kind, "uuid": uuid, "parentUuid": if parent.is_empty() { Value::Null } else { json!(parent) }, "sessionId": "s1", "timestamp": "2026-01-02T03:04:05.678Z", "cwd": "/home/a/p", "gitBranch": "main", "isSidechain": false, "version": "2.0.0", "message": {"role": kind, "content": content}})
}

pub(crate) fn with(mut value: Value, key: &str, member: Value) -> Value {
    value[key] = member;
    value
}

fn said_by(mut value: Value, id: &str) -> Value {
    value["message"]["id"] = json!(id);
    value["message"]["model"] = json!("claude-opus-4-5");
    value
}

pub(crate) fn text(words: &str) -> Value {
    json!([{"type": "text", "text": words}])
}

pub(crate) fn lines(values: &[Value]) -> String {
    values.iter().map(|value| format!("{value}\n")).collect()
}

#[test]
fn a_session_is_one_conversation() {
    let run = read(
        "s1.jsonl",
        lines(&[
            json!({"type": "file-history-snapshot", "messageId": "u1", "snapshot": {}}),
            line("user", "u1", "", &json!("Fix the bug")),
            said_by(line("assistant", "a1", "u1", &text("Done.")), "m1"),
        ]),
    );
    let output = run.only();
    assert_eq!(
        (output.label.as_str(), output.kind.as_str()),
        ("claude-code-s1", "conversation")
    );
    assert_eq!(
        turns(output),
        [
            ("User".into(), "Fix the bug".into()),
            ("Assistant".into(), "Done.".into())
        ]
    );
    for (key, value) in [
        ("cwd", "/home/a/p"),
        ("branch", "main"),
        ("model", "claude-opus-4-5"),
        ("title", "Fix the bug"),
        ("provider", "claude-code"),
        ("id", "s1"),
    ] {
        assert_eq!(meta(output, key), value, "{key}");
    }
}

#[test]
fn one_line_is_a_session_and_an_array_of_lines_too() {
    let only = line("user", "u1", "", &json!("Hi"));
    assert_eq!(
        read("x.jsonl", only.to_string()).labels(),
        ["claude-code-s1"]
    );
    assert_eq!(
        read("x.json", json!([only]).to_string()).labels(),
        ["claude-code-s1"]
    );
}

#[test]
fn several_lines_of_one_message_are_one_turn() {
    let run = read_with(
        "s1.jsonl",
        lines(&[
            line("user", "u1", "", &json!("Go")),
            said_by(line("assistant", "a1", "u1", &text("I will")), "m1"),
            said_by(line("assistant", "a2", "a1", &text("I will look.")), "m1"),
            said_by(
                line(
                    "assistant",
                    "a3",
                    "a2",
                    &json!([{"type": "text", "text": "I will look."}, {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}}]),
                ),
                "m1",
            ),
            line(
                "user",
                "r1",
                "a3",
                &json!([{"type": "tool_result", "tool_use_id": "t1", "content": "a.txt"}]),
            ),
            said_by(line("assistant", "a4", "r1", &text("Found.")), "m2"),
        ]),
        r#"{"include": ["tools"]}"#,
    );
    let turns = turns(run.only());
    let who: Vec<_> = turns.iter().map(|(who, _)| who.as_str()).collect();
    assert_eq!(who, ["User", "Assistant", "Tool", "Assistant"]);
    assert_eq!(turns[1].1.matches("I will").count(), 1, "{}", turns[1].1);
    assert!(turns[1].1.contains("**Call of Bash**"));
    assert_eq!(turns[2].1, "**Result**\n\n```\na.txt\n```");
}

#[test]
fn what_the_program_adds_is_left_out() {
    let run = read(
        "s1.jsonl",
        lines(&[
            with(
                line("user", "u1", "", &json!("Caveat")),
                "isMeta",
                json!(true),
            ),
            with(
                line(
                    "user",
                    "u2",
                    "u1",
                    &json!("This session is being continued"),
                ),
                "isCompactSummary",
                json!(true),
            ),
            line(
                "user",
                "u3",
                "u2",
                &json!("<command-name>/init</command-name><command-args>now</command-args>"),
            ),
            line(
                "user",
                "u4",
                "u3",
                &json!("<local-command-stdout>ok</local-command-stdout>"),
            ),
            line(
                "user",
                "u5",
                "u4",
                &json!([{"type": "text", "text": "Real<system-reminder>x</system-reminder>"}]),
            ),
            line("user", "u6", "u5", &json!("[Request interrupted by user]")),
        ]),
    );
    assert_eq!(said(run.only()), ["/init now", "Real"]);
    assert_eq!(run.count(&Reason::Hidden), 4);
}

#[test]
fn of_the_titles_the_best_and_last_counts() {
    let prompt = line("user", "u1", "", &json!("First"));
    let summary = json!({"type": "summary", "summary": "Summed", "leafUuid": "u1"});
    let foreign = json!({"type": "summary", "summary": "Foreign", "leafUuid": "zz"});
    let generated = json!({"type": "ai-title", "aiTitle": "Generated", "sessionId": "s1"});
    let custom =
        |title: &str| json!({"type": "custom-title", "customTitle": title, "sessionId": "s1"});
    let title = |values: &[Value]| meta(read("s1.jsonl", lines(values)).only(), "title");
    assert_eq!(title(&[prompt.clone(), foreign.clone()]), "First");
    assert_eq!(title(&[foreign, summary.clone(), prompt.clone()]), "Summed");
    assert_eq!(
        title(&[prompt.clone(), generated.clone(), summary]),
        "Generated"
    );
    assert_eq!(
        title(&[custom("One"), prompt, custom("Two"), generated]),
        "Two"
    );
}

#[test]
fn a_last_line_that_is_cut_off_is_counted() {
    let text = lines(&[line("user", "u1", "", &json!("a"))]);
    let run = read("s1.jsonl", format!("{text}{}", &text[..60]));
    assert_eq!(said(run.only()), ["a"]);
    assert_eq!(run.count(&Reason::Unreadable), 1);
    assert_eq!(run.skipped[0].place, "line 2");
}

#[test]
fn zeros_that_a_crash_left_are_no_line() {
    let text = lines(&[line("user", "u1", "", &json!("a"))]);
    let run = read(
        "s1.jsonl",
        format!(
            "{text}\0\0\0\n\n{}",
            lines(&[line("user", "u2", "u1", &json!("b"))])
        ),
    );
    assert_eq!(said(run.only()), ["a", "b"]);
    assert!(run.skipped.is_empty());
}

#[test]
fn a_session_in_which_nothing_was_said_is_empty_and_no_error() {
    let run = read(
        "s1.jsonl",
        lines(&[
            with(
                line("user", "u1", "", &json!("Warmup")),
                "isMeta",
                json!(true),
            ),
            json!({"type": "summary", "summary": "x"}),
        ]),
    );
    assert_eq!(run.labels(), Vec::<&str>::new());
    assert_eq!(run.count(&Reason::Empty), 1);
    let run = read(
        "s1.jsonl",
        lines(&[
            json!({"type": "summary", "summary": "x", "leafUuid": "y"}),
            json!({"type": "mode", "sessionId": "s1"}),
        ]),
    );
    assert_eq!(run.labels(), Vec::<&str>::new());
    assert_eq!(run.count(&Reason::Empty), 1);
}

#[test]
fn an_unknown_block_does_not_lose_a_line() {
    let run = read(
        "s1.jsonl",
        lines(&[line(
            "assistant",
            "a1",
            "",
            &json!([{"type": "future"}, {"type": "text", "text": "x"}, 5]),
        )]),
    );
    assert!(content(run.only()).ends_with("\n\nx\n"));
}

#[test]
fn what_lies_beside_the_transcripts_is_unsupported_and_no_error() {
    for text in [
        json!({"type": "started", "agentId": "a", "key": "k"}),
        json!({"display": "fix it", "project": "/p", "timestamp": 1}),
        json!({"agentType": "Explore", "spawnDepth": 1}),
    ] {
        let run = read("journal.jsonl", format!("{text}\n{text}\n"));
        assert_eq!(run.labels(), Vec::<&str>::new());
        assert_eq!(run.count(&Reason::Unsupported), 1, "{text}");
    }
}
