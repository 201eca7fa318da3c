//! The trace of a build: the spans of its rows, with their true times, in every mode and across processes.

use serde_json::{Value, json};

use super::decoded::Decoded;
use super::receiver::Receiver;
use super::reporting;
use crate::support::pipelines::{BATCH_BUILD, MODES, Mode, RESUME};
use crate::support::test_project::{TestProject, text};
use synix_scripted_provider::{Reply, Rule, Script};

/// Checks the spans and metrics against the document of the build.
#[track_caller]
fn expect_like_status(found: &Decoded, status: &Value) {
    found.expect_one_trace();
    let build = &found.named("synix build")[0]["attributes"];
    assert_eq!(build["synix.build"], status["build"]);
    assert_eq!(build["synix.status"], status["status"]);
    let layers = status["layers"].as_array().unwrap();
    assert_eq!(found.named("layer ").len(), layers.len());
    let sends = found.named("chat ").len() as u64;
    let requests = &status["requests"];
    let counted = ["sync", "batch", "unclear"].map(|kind| requests[kind].as_u64().unwrap());
    assert_eq!(sends, counted.iter().sum::<u64>());
    let tokens = |kind: &str| status["tokens"][kind].as_f64().unwrap();
    for kind in ["input", "output"] {
        let attribute = format!("gen_ai.usage.{kind}_tokens");
        assert!((found.sum(&attribute) - tokens(kind)).abs() < 0.5, "{kind}");
        let metric = found.metric("gen_ai.client.token.usage", &[("gen_ai.token.type", kind)]);
        assert!((metric - tokens(kind)).abs() < 0.5, "{kind}");
    }
    let cost = status["cost_usd"].as_f64().unwrap();
    assert!((found.sum("synix.cost.usd") - cost).abs() < 1e-9);
    assert!((found.metric("synix.cost", &[]) - cost).abs() < 1e-9);
}

#[test]
fn a_build_is_one_trace_in_every_mode() {
    for mode in MODES {
        let project = TestProject::team();
        let receiver = Receiver::start();
        let arguments: &[&str] = match mode {
            Mode::Sync => &["build", "--json"],
            Mode::Batch => &[&BATCH_BUILD[..], &["--json"]].concat(),
            Mode::Replay => {
                project.ok(&["build", "--cassette-mode", "record"]);
                std::fs::remove_dir_all(project.path(".synix")).unwrap();
                &["build", "--json", "--cassette-mode", "replay"]
            }
        };
        let status = reporting(&project, &receiver, arguments)
            .run()
            .expect_code(0);
        assert!(!status.stderr.contains("telemetry"), "{}", status.stderr);
        let found = Decoded::of(&receiver);
        expect_like_status(&found, &status.json());
        // A unit for each style and the summary; a replay sends no request.
        assert_eq!(found.named("unit ").len(), 4, "{mode:?}");
        let sends = if mode == Mode::Replay { 0 } else { 4 };
        assert_eq!(found.named("chat ").len(), sends, "{mode:?}");
        let batches = usize::from(mode == Mode::Batch);
        assert_eq!(found.named("submission ").len(), batches, "{mode:?}");
    }
}

#[test]
fn the_span_of_a_request_has_the_attributes_of_the_conventions() {
    let project = TestProject::team();
    let receiver = Receiver::start();
    reporting(&project, &receiver, &["build"])
        .run()
        .expect_code(0);
    let found = Decoded::of(&receiver);
    let request = found.named("chat claude-haiku-4-5")[0];
    let attributes = &request["attributes"];
    let listed = project.json(&["show", "summary"]);
    let recorded = &listed["provenance"]["requests"][0];
    let expected = json!({
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-haiku-4-5",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": recorded["input_tokens"],
        "gen_ai.usage.output_tokens": recorded["output_tokens"],
        "synix.request.key": recorded["key"],
        "synix.cost.usd": recorded["cost_usd"],
        "synix.layer": "summary",
        "synix.mode": "sync",
        "synix.build": "build-1",
    });
    assert_eq!(attributes, &expected);
    // The kind of a client, and no status, because it succeeded.
    assert_eq!(
        (&request["kind"], &request["status"]),
        (&json!(3), &json!(0))
    );
    // Neither a question nor an answer is in any message.
    for message in receiver.messages() {
        let body = String::from_utf8_lossy(&message.body).into_owned();
        assert!(!body.contains("How does this person work"), "{body}");
        assert!(!body.contains("Sum up"), "{body}");
    }
}

#[test]
fn the_times_are_those_of_the_record() {
    let project = TestProject::team();
    let receiver = Receiver::start();
    reporting(&project, &receiver, &["build"])
        .run()
        .expect_code(0);
    let found = Decoded::of(&receiver);
    let database = project.database();
    let mut statement = database
        .prepare("SELECT lower(hex(r.key)), t.sent, t.settled FROM attempt t JOIN request r ON r.id = t.request")
        .unwrap();
    let rows = statement.query_map([], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, u64>(1)?,
            row.get::<_, u64>(2)?,
        ))
    });
    for row in rows.unwrap() {
        let (key, sent, settled) = row.unwrap();
        let mut spans = found.named("chat ").into_iter();
        let span = spans
            .find(|span| span["attributes"]["synix.request.key"] == key.as_str())
            .unwrap();
        assert_eq!(span["start"], json!(sent * 1_000_000));
        assert_eq!(span["end"], json!(settled * 1_000_000));
    }
}

/// The batch outlives the process that submitted it.
#[test]
fn a_build_that_another_process_resumes_continues_its_trace() {
    let project = TestProject::team();
    project.pause_batches();
    let receiver = Receiver::start();
    reporting(&project, &receiver, &["batch-build", "run"])
        .run()
        .expect_code(0);
    let first = Decoded::of(&receiver);
    // The batch, its layer and the build are not settled.
    assert_eq!(first.spans.len(), 0, "{:#?}", first.spans);
    project.provider.finish_batches();
    let resume = [&RESUME[..], &["--json"]].concat();
    let status = reporting(&project, &receiver, &resume).run().expect_code(0);
    let found = Decoded::of(&receiver);
    expect_like_status(&found, &status.json());
    let submission = found.named("submission ")[0];
    let rows = found.named("chat gpt-4o-mini");
    assert_eq!(rows.len(), 3);
    for row in rows {
        assert_eq!(row["parent"], submission["id"]);
        assert_eq!(row["attributes"]["synix.mode"], "batch");
        assert!(row["end"].as_u64() <= submission["end"].as_u64());
    }
    // It lasts from the first process to the second.
    let resumed: u64 = project
        .database()
        .query_row(
            "SELECT at FROM build_step WHERE step = 'resumed'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let between = json!(resumed * 1_000_000);
    assert!(submission["start"].as_u64() <= between.as_u64());
    assert!(submission["end"].as_u64() >= between.as_u64());
}

#[test]
fn a_failure_has_its_kind_and_not_the_words_of_the_provider() {
    let project = TestProject::team();
    project.script(
        Script::new().rule(Rule::on("amara").reply(Reply::Refusal("I will not do that.".into()))),
    );
    let receiver = Receiver::start();
    reporting(&project, &receiver, &["build"])
        .run()
        .expect_code(3);
    let found = Decoded::of(&receiver);
    found.expect_one_trace();
    let failed: Vec<_> = found
        .named("chat ")
        .into_iter()
        .filter(|span| span["status"] == 2)
        .collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["attributes"]["error.type"], "refused");
    let units = found.named("unit ").into_iter();
    let kinds: Vec<_> = units
        .filter(|span| span["status"] == 2)
        .map(|span| text(&span["attributes"]["error.type"]))
        .collect();
    assert_eq!(kinds, ["refused", "held_back"]);
    for message in receiver.messages() {
        assert!(!String::from_utf8_lossy(&message.body).contains("will not"));
    }
}

#[test]
fn prompts_and_answers_are_sent_only_on_request() {
    let project = TestProject::team();
    let receiver = Receiver::start();
    reporting(&project, &receiver, &["build"])
        .env("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")
        .run()
        .expect_code(0);
    let found = Decoded::of(&receiver);
    let request = found.named("chat claude-haiku-4-5")[0];
    let messages = |name: &str| -> Value {
        serde_json::from_str(&text(&request["attributes"][name])).unwrap()
    };
    let input = messages("gen_ai.input.messages");
    assert_eq!(input[0]["role"], "user");
    assert!(text(&input[0]["parts"][0]["content"]).starts_with("Sum up:"));
    let output = messages("gen_ai.output.messages");
    let expected = json!([{
        "role": "assistant",
        "parts": [{"type": "text", "content": project.content("summary")}],
        "finish_reason": "stop",
    }]);
    assert_eq!(output, expected);
}
