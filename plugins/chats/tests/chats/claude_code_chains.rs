//! Sessions of Claude Code: forks, branches and sub-agents.

use serde_json::{Value, json};
use synix_plugin::reading::Reason;

use crate::claude_code::{line, lines, text, with};
use crate::support::{read, said};

#[test]
fn a_uuid_counts_once_in_a_file() {
    let first = line("user", "u1", "", &json!("Hi"));
    let run = read(
        "s1.jsonl",
        lines(&[
            first.clone(),
            line("assistant", "a1", "u1", &text("Hello")),
            first,
        ]),
    );
    assert_eq!(said(run.only()), ["Hi", "Hello"]);
    assert_eq!(run.count(&Reason::Duplicate), 1);
}

#[test]
fn a_fork_keeps_its_copied_history_under_its_own_name() {
    let old = [
        line("user", "u1", "", &json!("Hi")),
        line("assistant", "a1", "u1", &text("Hello")),
    ];
    let new = with(
        line("user", "u2", "a1", &json!("More")),
        "sessionId",
        json!("s2"),
    );
    let run = read("s2.jsonl", lines(&[old[0].clone(), old[1].clone(), new]));
    assert_eq!(run.labels(), ["claude-code-s2"]);
    assert_eq!(said(run.only()), ["Hi", "Hello", "More"]);
    // The file of the old session has the same uuids, and is read by itself.
    assert_eq!(read("s1.jsonl", lines(&old)).labels(), ["claude-code-s1"]);
}

#[test]
fn two_sessions_in_one_file_without_a_link_are_two_conversations() {
    let other = with(
        line("user", "u2", "", &json!("Other")),
        "sessionId",
        json!("s2"),
    );
    let run = read(
        "all.jsonl",
        lines(&[line("user", "u1", "", &json!("Hi")), other]),
    );
    assert_eq!(run.labels(), ["claude-code-s1", "claude-code-s2"]);
}

#[test]
fn an_edited_prompt_leaves_a_branch_that_is_counted() {
    let run = read(
        "s1.jsonl",
        lines(&[
            line("user", "u1", "", &json!("a")),
            line("assistant", "a1", "u1", &text("b")),
            line("user", "u2", "a1", &json!("old")),
            line("assistant", "a2", "u2", &text("old answer")),
            line("user", "u3", "a1", &json!("new")),
        ]),
    );
    assert_eq!(said(run.only()), ["a", "b", "new"]);
    assert_eq!(run.count(&Reason::Branch), 1);
}

#[test]
fn a_compacted_session_goes_on() {
    let boundary = json!({"type": "system", "subtype": "compact_boundary", "uuid": "b", "parentUuid": null, "logicalParentUuid": "u1", "sessionId": "s1"});
    let run = read(
        "s1.jsonl",
        lines(&[
            line("user", "u1", "", &json!("a")),
            boundary,
            line("user", "u2", "b", &json!("b")),
        ]),
    );
    assert_eq!(said(run.only()), ["a", "b"]);
}

#[test]
fn a_prompt_that_was_typed_while_tools_ran_keeps_its_place() {
    let queued = json!({"type": "attachment", "sessionId": "s1", "timestamp": "2026-01-02T03:05:00Z", "attachment": {"type": "queued_command", "prompt": "also this"}});
    let run = read(
        "s1.jsonl",
        lines(&[
            line("user", "u1", "", &json!("a")),
            queued,
            line("assistant", "a1", "u1", &text("b")),
        ]),
    );
    assert_eq!(said(run.only()), ["a", "also this", "b"]);
}

/// Newer versions of the program write the parent of such a prompt, but no `uuid`.
#[test]
fn a_prompt_that_names_only_its_parent_is_a_turn_and_no_branch() {
    let queued = |parent: &str, prompt: &str| json!({"type": "attachment", "parentUuid": parent, "sessionId": "s1", "timestamp": "2026-01-02T03:05:00Z", "attachment": {"type": "queued_command", "prompt": prompt}});
    let result = json!([{"type": "tool_result", "tool_use_id": "t1", "content": "done"}]);
    let run = read(
        "s1.jsonl",
        lines(&[
            line("user", "u1", "", &json!("a")),
            line("assistant", "a1", "u1", &text("b")),
            queued("a1", "also this"),
            line("user", "r1", "a1", &result),
            line("assistant", "a2", "r1", &text("c")),
            queued("a1", "and that"),
        ]),
    );
    assert_eq!(said(run.only()), ["a", "b", "also this", "c", "and that"]);
    assert_eq!(run.count(&Reason::Branch), 0);
}

#[test]
fn a_sub_agent_is_a_session_of_its_own() {
    let side = |value: Value, agent: Option<&str>| {
        let value = with(value, "isSidechain", json!(true));
        match agent {
            Some(agent) => with(value, "agentId", json!(agent)),
            None => value,
        }
    };
    let run = read(
        "agent-ab12.jsonl",
        lines(&[
            side(line("user", "x1", "", &json!("Look")), Some("ab12")),
            side(line("assistant", "x2", "x1", &text("Seen")), Some("ab12")),
        ]),
    );
    assert_eq!(run.labels(), ["claude-code-s1-ab12"]);
    // In old files they are among the lines of the session, without a name.
    let run = read(
        "s1.jsonl",
        lines(&[
            line("user", "u1", "", &json!("Go")),
            side(line("user", "deadbeef-1", "", &json!("Look")), None),
            line("assistant", "a1", "u1", &text("Done")),
            side(line("assistant", "x2", "deadbeef-1", &text("Seen")), None),
        ]),
    );
    assert_eq!(run.labels(), ["claude-code-s1", "claude-code-s1-deadbeef"]);
    assert_eq!(said(&run.outputs[0]), ["Go", "Done"]);
    assert_eq!(said(&run.outputs[1]), ["Look", "Seen"]);
}

#[test]
fn a_session_that_the_program_began_by_itself_is_hidden() {
    let run = read(
        "agent-a.jsonl",
        lines(&[
            line("user", "u1", "", &json!("Warmup")),
            line("assistant", "a1", "u1", &text("I am ready.")),
        ]),
    );
    assert_eq!(run.labels(), Vec::<&str>::new());
    assert_eq!(run.count(&Reason::Hidden), 1);
}
