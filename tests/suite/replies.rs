//! Replies as no good server sends them: read with care in sync calls and in batches alike, or
//! refused once, with the reason (X1 to X11).

use serde_json::{Value, json};
use synix_scripted_provider::{
    Coding, Endpoint, Fault, FaultKind, Mode as Only, RawReply, Reply, Rule, Script, StatusReply,
};

use crate::build::kinds;
use crate::money::{billed, pico};
use crate::workbench::{BATCH, RESUME, Workbench, text};

/// Two layers of the same notes, each at another provider, both through batches where the command does so.
const TWO: &str = r#"batch = true

[models.default]
provider = "anthropic"
model = "claude-haiku-4-5"
max_tokens = 300

[models.cheap]
provider = "openai"
model = "gpt-4o-mini"
max_tokens = 200

[layers.notes]
source = "notes/*.md"

[layers.first]
transform = "map"
inputs = ["notes"]
model = "cheap"
batch = true
config = { prompt = "Say: {{ content }}" }

[layers.second]
transform = "map"
inputs = ["notes"]
batch = true
config = { prompt = "Repeat: {{ content }}" }
"#;

/// Forms in which a reply, or the row that holds it, is read as if nothing were odd about it.
fn readable() -> Vec<(&'static str, RawReply)> {
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

/// Forms that only a reply of its own can have.
fn readable_alone() -> Vec<(&'static str, RawReply)> {
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

fn bench_of(names: &[&str]) -> Workbench {
    let bench = Workbench::with_layers(TWO);
    for name in names {
        bench.write(&format!("notes/{name}.md"), &format!("I am {name}."));
    }
    bench
}

fn scripted(forms: &[(&str, RawReply)]) -> Script {
    forms.iter().fold(Script::new(), |script, (name, raw)| {
        script.rule(Rule::on(format!("I am {name}.")).raw(raw.clone()))
    })
}

/// X3, X4, X5: whatever is odd about a reply, its answer is taken, once, in both modes.
#[test]
fn odd_replies_make_the_same_artifacts_in_both_modes() {
    let forms = readable();
    let names: Vec<&str> = forms.iter().map(|(name, _)| *name).collect();
    let undisturbed = bench_of(&names);
    undisturbed.ok(&["build"]);
    for command in [&["build"][..], &BATCH] {
        let bench = bench_of(&names);
        bench.script(scripted(&forms));
        bench.ok(command);
        assert_eq!(bench.artifacts(), undisturbed.artifacts(), "{command:?}");
        assert_eq!(bench.sent(), 2 * names.len(), "{command:?}");
        assert_eq!(bench.ledger().duplicates().len(), 0, "{command:?}");
    }
}

/// X3: compression, another encoding, an event stream that nobody asked for.
#[test]
fn replies_in_other_codings_are_read() {
    let forms = readable_alone();
    let names: Vec<&str> = forms.iter().map(|(name, _)| *name).collect();
    let undisturbed = bench_of(&names);
    undisturbed.ok(&["build"]);
    let bench = bench_of(&names);
    bench.script(scripted(&forms));
    bench.ok(&["build"]);
    assert_eq!(bench.artifacts(), undisturbed.artifacts());
    assert_eq!(bench.sent(), 2 * names.len());
}

/// X3, X4, X7: what a model thought is no part of its answer, half a character is U+FFFD, in both modes.
#[test]
fn an_odd_answer_is_the_same_in_both_modes() {
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
    let mut made = Vec::new();
    for command in [&["build"][..], &BATCH] {
        let bench = bench_of(&["bela"]);
        bench.script(script());
        bench.ok(command);
        assert_eq!(bench.content("first/bela"), "4\u{fffd}2");
        made.push(bench.artifacts());
    }
    assert_eq!(made[0], made[1]);
}

/// X3: it came whole, so it is not sent again; perhaps it was billed, and the reason is told.
#[test]
fn a_reply_that_cannot_be_used_fails_once() {
    let bench = bench_of(&["amara", "bela", "chitra"]);
    let page = RawReply::body("<html><head><title>Please sign in</title></head>").lost();
    bench.script(Script::new().rule(Rule::on("Say: I am bela").raw(page)));
    let run = bench.run(&["build", "--json"]).expect_code(3);
    let document = run.json();
    assert_eq!(
        Workbench::failures(&document),
        kinds(&[("bela", "unreadable")])
    );
    let message = text(&document["failures"][0]["message"]);
    assert!(
        message.contains("an HTML page titled \"Please sign in\""),
        "{message}"
    );
    assert_eq!(document["requests"]["unclear"], 1);
    assert_eq!(bench.ledger().calls(Endpoint::Chat), 3);
    assert_eq!(bench.sent(), 6);
}

/// X4: the row is named with its line and its reason, kept, and asked for at most once more.
#[test]
fn a_row_that_cannot_be_read_is_kept_and_asked_for_once_more() {
    let bench = bench_of(&["amara", "bela", "chitra"]);
    let broken = RawReply::body(
        r#"{"custom_id":"<<id>>","response":{"status_code":200,"body":{"choices":[,"#,
    );
    bench.script(Script::new().rule(Rule::on("Say: I am bela").raw(broken.lost())));
    let run = bench.run(&BATCH).expect_code(3);
    let status = bench.status();
    assert_eq!(
        Workbench::failures(&status),
        kinds(&[("bela", "unreadable")])
    );
    let message = text(&status["failures"][0]["message"]);
    assert!(message.contains("of its output file"), "{message}");
    assert!(message.contains("a value is missing at byte"), "{message}");
    assert!(run.stderr.contains("of its output file"), "{}", run.stderr);
    let executed = bench.ledger().executed;
    let asked = executed.iter().filter(|one| !one.delivered).count();
    assert_eq!(asked, 2, "{executed:?}");
    assert_eq!(status["requests"]["unclear"], 2);
    let kept = std::fs::read_dir(bench.path(".synix/batches")).unwrap();
    let kept: Vec<String> = kept
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(
        kept.iter().all(|row| row.contains(r#""choices":[,"#)),
        "{kept:?}"
    );
}

/// X5: a synonym is what it means; the layer's word on truncated answers holds for all of them.
#[test]
fn every_word_for_the_token_limit_is_truncated() {
    let accepting = TWO.replace("\nconfig", "\naccept = [\"truncated\"]\nconfig");
    for command in [&["build"][..], &BATCH] {
        for (layers, code) in [(TWO, 3), (accepting.as_str(), 0)] {
            let bench = Workbench::with_layers(layers);
            bench.write("notes/bela.md", "I am bela.");
            let ended = Reply::Finish {
                reason: "MODEL_LENGTH".to_owned(),
                text: Some("half a sen".to_owned()),
            };
            bench.script(Script::new().rule(Rule::any().reply(ended)));
            let run = bench.run(command).expect_code(code);
            assert_eq!(bench.sent(), 2, "{run:?}");
            if code == 3 {
                assert!(run.says("truncated"), "{run:?}");
            }
        }
    }
}

/// X5: each of them is billed, so there is one more try, not five.
#[test]
fn an_unknown_ending_is_asked_again_once() {
    for command in [&["build"][..], &BATCH] {
        let bench = bench_of(&["bela"]);
        let ended = Reply::Finish {
            reason: "tired".to_owned(),
            text: None,
        };
        bench.script(Script::new().rule(Rule::on("Say:").reply(ended)));
        let document = bench
            .run(&[command, &["--json"]].concat())
            .expect_code(3)
            .json();
        assert_eq!(
            Workbench::failures(&document),
            kinds(&[("bela", "unreadable")])
        );
        assert_eq!(bench.sent(), 3, "{command:?}");
        assert_eq!(pico(&document["cost_usd"]), billed(&bench.ledger()));
    }
}

/// X8: an error with status 200 is waited out like any other, in both modes.
#[test]
fn passing_errors_within_a_good_status_pass() {
    for command in [&["build"][..], &BATCH] {
        let bench = bench_of(&["amara", "bela"]);
        let slow = json!({"error": {"code": 429, "message": "slow down"}});
        let slow = Reply::Status(StatusReply::new(200).body(slow));
        bench.script(Script::new().rule(Rule::on("Say: I am bela").times(1).reply(slow)));
        bench.ok(command);
        assert_eq!(bench.sent(), 4, "{command:?}");
    }
}

/// X8: what was billed and ended in an error is in the cost, with the words of the provider.
#[test]
fn an_answer_that_ends_in_an_error_is_asked_again_and_counted() {
    let failed = || {
        RawReply::with("/choices/0/finish_reason", json!("error")).set(
            "/choices/0/error",
            json!({"code": 502, "message": "upstream went away"}),
        )
    };
    for command in [&["build"][..], &BATCH] {
        let bench = bench_of(&["bela"]);
        let rule = Rule::on("Say:").times(1).raw(failed().lost());
        bench.script(Script::new().rule(rule));
        let document = bench.run(&[command, &["--json"]].concat()).expect_code(0);
        assert_eq!(bench.sent(), 3, "{command:?}");
        let cost = pico(&document.json()["cost_usd"]);
        assert_eq!(cost, billed(&bench.ledger()), "{command:?}");
    }
    let bench = bench_of(&["bela"]);
    bench.script(Script::new().rule(Rule::on("Say:").raw(failed().lost())));
    let run = bench.run(&["build"]).expect_code(3);
    assert!(run.says("upstream went away"), "{run:?}");
}

/// X2: what is not told is unknown, and never nothing.
#[test]
fn an_answer_without_counts_has_no_known_cost() {
    for command in [&["build"][..], &BATCH] {
        for usage in [
            json!(null),
            json!("10"),
            json!({}),
            json!({"prompt_tokens": null}),
        ] {
            let bench = bench_of(&["bela"]);
            let rule = Rule::on("Say:").raw(RawReply::with("/usage", usage.clone()));
            bench.script(Script::new().rule(rule));
            let document = bench.run(&[command, &["--json"]].concat()).json();
            assert_eq!(document["cost_usd"], Value::Null, "{command:?}: {usage}");
            assert_eq!(document["tokens"]["input"], Value::Null);
            assert_eq!(document["layers"][1]["tokens"]["output"], Value::Null);
            let unpriced = text(&document["unpriced"][0]);
            assert!(
                unpriced.contains("did not report how many tokens"),
                "{unpriced}"
            );
            // The other layer's are known.
            assert!(document["layers"][2]["cost_usd"].is_number());
        }
    }
}

/// X2: a budget counts the most that such an answer can have cost.
#[test]
fn a_budget_stops_where_nobody_counts() {
    let layers = TWO.split("[layers.first]").next().unwrap().to_owned()
        + "[layers.story]\ntransform = \"fold\"\ninputs = [\"notes\"]\nmodel = \"cheap\"\n\
           config = { prompt = \"Go on: {{ content }}\", label = \"story\" }\n";
    let bench = Workbench::with_layers(&layers);
    for number in 0..9 {
        bench.write(&format!("notes/{number}.md"), &format!("Day {number}."));
    }
    bench.script(Script::new().rule(Rule::any().raw(RawReply::with("/usage", json!(null)))));
    // Each answer may take 200 tokens at 0.60 dollars a million: 0.00012 dollars.
    let run = bench.run(&["build", "--budget", "0.0004"]).expect_code(5);
    assert!(run.says("budget"), "{run:?}");
    assert!((1..9).contains(&bench.sent()), "{}", bench.sent());
}

/// The batch whose create reply is lost, in a list that a server makes of it.
fn lost_among(list: RawReply) -> Script {
    Script::new()
        .fault(Fault::on(Endpoint::BatchesCreate, FaultKind::LoseReply).once())
        .fault(Fault::on(Endpoint::BatchesList, FaultKind::Raw(list)))
}

/// X1, M1: where the list is not read to its end, nothing is created.
#[test]
fn a_list_without_a_sure_end_creates_nothing() {
    let others: Vec<Value> = (0..100)
        .map(|number| json!({"id": format!("batch_other_{number}"), "status": "completed"}))
        .collect();
    for list in [
        json!({"data": [], "has_more": true}),
        json!({"object": "list", "data": others, "has_more": true, "last_id": "batch_other_99"}),
        json!({"data": others}),
        json!({"data": [{"status": "completed"}], "has_more": false}),
        json!({"error": null}),
    ] {
        let bench = Workbench::team();
        bench.script(lost_among(RawReply::body(list.to_string())));
        let is_list = list.get("data").is_some();
        // A reply that is no list at all is waited for like any other trouble.
        let command = if is_list { &BATCH[..] } else { &BATCH[..2] };
        let run = bench.run(command);
        assert_eq!(run.code, if is_list { 5 } else { 0 }, "{run:?}");
        assert_eq!(run.says("--create-again"), is_list, "{run:?}");
        assert!(
            run.stderr.contains("cannot read the list of batches"),
            "{}",
            run.stderr
        );
        assert_eq!(
            bench.ledger().calls(Endpoint::BatchesCreate),
            1,
            "{list:.60}"
        );
        // Nothing is lost either: a list that can be read shows the batch.
        bench.script(Script::new());
        bench.ok(&RESUME);
        assert_eq!((bench.sent(), bench.ledger().duplicates().len()), (4, 0));
    }
}

/// X1: where a list stays without end, the user's word decides.
#[test]
fn a_user_can_say_what_no_list_says() {
    for adopt in [true, false] {
        let bench = Workbench::team();
        let endless = || RawReply::body(r#"{"data":[],"has_more":true}"#);
        bench.script(lost_among(endless()));
        bench.run(&BATCH).expect_code(5);
        let id = bench.ledger().batches[0].id.to_string();
        let list = Fault::on(Endpoint::BatchesList, FaultKind::Raw(endless()));
        bench.script(Script::new().fault(list));
        let word = [&RESUME[..], &["--adopt", &id]].concat();
        let again = [&RESUME[..], &["--create-again"]].concat();
        bench.ok(if adopt { &word } else { &again });
        let creates = bench.ledger().calls(Endpoint::BatchesCreate);
        assert_eq!(creates, if adopt { 1 } else { 2 });
        assert_eq!(bench.names().len(), 7);
    }
}

/// X1, M1: a batch of our file is ours, whatever became of its metadata.
#[test]
fn a_lost_batch_is_known_by_its_file() {
    for metadata in [json!(null), json!({}), json!("gone"), json!([])] {
        let bench = Workbench::team();
        bench.script(lost_among(RawReply::with(
            "/data/*/metadata",
            metadata.clone(),
        )));
        bench.ok(&BATCH);
        assert_eq!(
            bench.ledger().calls(Endpoint::BatchesCreate),
            1,
            "{metadata}"
        );
        assert_eq!((bench.sent(), bench.ledger().duplicates().len()), (4, 0));
    }
}

/// X11: rows behind a redirect are fetched from there, without the key.
#[test]
fn rows_behind_a_redirect_are_taken() {
    let bench = Workbench::team();
    let away = RawReply::redirect("<<base>>/elsewhere/<<id>>");
    let fault = Fault::on(Endpoint::FilesContent, FaultKind::Raw(away));
    bench.script(Script::new().fault(fault));
    bench.ok(&BATCH);
    assert_eq!(bench.ledger().calls(Endpoint::Elsewhere), 1);
    assert_eq!((bench.sent(), bench.ledger().duplicates().len()), (4, 0));
}

/// X11
#[test]
fn compressed_rows_are_taken() {
    for coding in [Coding::Gzip, Coding::Utf16Le] {
        let bench = Workbench::team();
        let raw = FaultKind::Raw(RawReply::coded(coding));
        bench.script(Script::new().fault(Fault::on(Endpoint::FilesContent, raw)));
        bench.ok(&BATCH);
        assert_eq!((bench.sent(), bench.ledger().duplicates().len()), (4, 0));
    }
}

/// X11: what will not pass is told once and fails; it is not waited for, and `resume` goes on.
#[test]
fn rows_that_cannot_be_had_fail_the_command_until_they_can() {
    let bench = Workbench::team();
    let away = RawReply::redirect("http://10.0.0.1/rows");
    let fault = Fault::on(Endpoint::FilesContent, FaultKind::Raw(away));
    bench.script(Script::new().fault(fault));
    let run = bench.run(&BATCH).expect_code(1);
    assert_eq!(
        run.stderr.matches("cannot download the rows").count(),
        1,
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("http://10.0.0.1/rows"),
        "{}",
        run.stderr
    );
    assert_eq!(bench.ledger().calls(Endpoint::FilesContent), 1);
    bench.script(Script::new());
    bench.ok(&RESUME);
    assert_eq!((bench.sent(), bench.ledger().duplicates().len()), (4, 0));
}

/// X6: where a machine has no certificates, what needs none works, and the rest says what is missing.
#[test]
fn certificates_are_needed_by_https_alone() {
    let without = |bench: &Workbench| {
        let mut command = bench.command(&["build"]);
        command
            .env("SSL_CERT_FILE", "/none/at/all")
            .env("SSL_CERT_DIR", "/none/at/all");
        command.run()
    };
    let bench = bench_of(&["bela"]);
    without(&bench).expect_code(0);
    let bench = bench_of(&["bela"]);
    let far = crate::workbench::pipeline_at("https://127.0.0.1:9/v1", "https://127.0.0.1:9", TWO);
    bench.write("synix.toml", &far);
    let run = without(&bench);
    assert_ne!(run.code, 0);
    assert!(run.says("SSL_CERT_FILE"), "{run:?}");
    assert!(run.says("ca-certificates"), "{run:?}");
}
