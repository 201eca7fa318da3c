//! Unusual forms of replies, rows and answers that are read.

use serde_json::json;
use synix_scripted_provider::{Coding, Mode as Only, RawReply, Rule, Script};

use crate::replies::project_with_notes;
use crate::support::pipelines::BATCH_BUILD;

/// Unusual forms of a reply, or of its row, that are read like any other.
fn readable_forms() -> Vec<(&'static str, RawReply)> {
    vec![
        ("mark", RawReply::body("<<x:EFBBBF>><<reply>>")),
        ("done", RawReply::body("<<reply>>\n\ndata: [DONE]\n\n")),
        ("tail", RawReply::body("<<reply>> and some more words")),
        ("field", RawReply::body("data: <<reply>>")),
        ("lone", RawReply::body(r#"{"x":"\ud83d",<<members>>}"#)),
        ("bytes", RawReply::body("{\"x\":\"<<x:FF>>\",<<members>>}")),
        (
            "number",
            RawReply::body(r#"{"x":-Infinity,"y":NaN,"z":1e999,<<members>>}"#),
        ),
        ("deep", RawReply::body(r#"{"x":<<deep>>,<<members>>}"#)),
        ("twice", RawReply::body(r#"{"id":null,<<members>>}"#)),
        (
            "ending",
            RawReply::with("/choices/*/finish_reason", json!("STOP"))
                .set("/stop_reason", json!("END_TURN")),
        ),
        (
            "endless",
            RawReply::with("/choices/*/finish_reason", json!("null"))
                .set("/stop_reason", json!("")),
        ),
    ]
}

/// Unusual forms that only the reply to a sync call can have.
fn readable_sync_forms() -> Vec<(&'static str, RawReply)> {
    vec![
        ("gzip", RawReply::coded(Coding::Gzip)),
        ("silent", RawReply::coded(Coding::Gzip).silent()),
        ("zlib", RawReply::coded(Coding::Zlib)),
        ("deflate", RawReply::coded(Coding::Deflate)),
        ("little", RawReply::coded(Coding::Utf16Le)),
        ("big", RawReply::coded(Coding::Utf16Be)),
        ("stream", RawReply::body("<<events>>")),
        (
            "alive",
            RawReply::body(": keep-alive\n\n: keep-alive\n\n<<reply>>"),
        ),
        ("list", RawReply::body("[<<reply>>]")),
    ]
}

fn script_with_forms(forms: &[(&str, RawReply)]) -> Script {
    forms.iter().fold(Script::new(), |script, (name, raw)| {
        script.rule(Rule::on(format!("I am {name}.")).raw(raw.clone()))
    })
}

/// X3, X4, X5: the answer is read once, in both modes.
#[test]
fn unusual_replies_make_the_same_artifacts_in_both_modes() {
    let forms = readable_forms();
    let names: Vec<&str> = forms.iter().map(|(name, _)| *name).collect();
    let undisturbed = project_with_notes(&names);
    undisturbed.ok(&["build"]);
    for command in [&["build"][..], &BATCH_BUILD] {
        let project = project_with_notes(&names);
        project.script(script_with_forms(&forms));
        project.ok(command);
        assert_eq!(project.artifacts(), undisturbed.artifacts(), "{command:?}");
        assert_eq!(project.sent(), 2 * names.len(), "{command:?}");
        assert_eq!(project.ledger().duplicates().len(), 0, "{command:?}");
    }
}

/// X3: compression, another text encoding, an event stream that was not requested.
#[test]
fn replies_in_other_encodings_are_read() {
    let forms = readable_sync_forms();
    let names: Vec<&str> = forms.iter().map(|(name, _)| *name).collect();
    let undisturbed = project_with_notes(&names);
    undisturbed.ok(&["build"]);
    let project = project_with_notes(&names);
    project.script(script_with_forms(&forms));
    project.ok(&["build"]);
    assert_eq!(project.artifacts(), undisturbed.artifacts());
    assert_eq!(project.sent(), 2 * names.len());
}

/// X3, X4, X7: the reasoning of a model is not part of its answer, and half a character becomes U+FFFD.
#[test]
fn an_unusual_answer_is_the_same_in_both_modes() {
    const BODY: &str = r#"{"model":"m","choices":[{"message":{"content":[{"type":"reasoning","text":"SECRET "},{"type":"text","text":"4\ud83d2"}],"reasoning_content":"SECRET"},"finish_reason":"eos"}],"usage":{"prompt_tokens":"9","completion_tokens":3.0}}"#;
    let row =
        format!(r#"{{"custom_id":"<<id>>","response":{{"status_code":"200","body":{BODY}}}}}"#);
    let script = || {
        Script::new()
            .rule(Rule::on("Say:").only(Only::Sync).raw(RawReply::body(BODY)))
            .rule(
                Rule::on("Say:")
                    .only(Only::Batch)
                    .raw(RawReply::body(row.clone())),
            )
    };
    let mut artifacts = Vec::new();
    for command in [&["build"][..], &BATCH_BUILD] {
        let project = project_with_notes(&["bela"]);
        project.script(script());
        project.ok(command);
        assert_eq!(project.content("first/bela"), "4\u{fffd}2");
        artifacts.push(project.artifacts());
    }
    assert_eq!(artifacts[0], artifacts[1]);
}
