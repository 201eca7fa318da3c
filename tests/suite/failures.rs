//! Garbage is never an artifact: what a model or provider does wrong fails its unit, by a kind of its own.

use synix_scripted_provider::{
    Endpoint, Fault, FaultKind, Mode as Only, Reply, Rule, Script, StatusReply, ToolCall,
};

use crate::build::kinds;
use crate::transcript::assert_transcript;
use crate::workbench::{BATCH, KEY, Mode, TEAM, Workbench, text};

/// A script that cuts off every answer to what one person writes.
pub(crate) fn truncating(name: &str) -> Script {
    Script::new().rule(Rule::on(format!("I am {name}")).reply(cut_off()))
}

fn cut_off() -> Reply {
    Reply::Finish {
        reason: "length".to_owned(),
        text: Some("half a sen".to_owned()),
    }
}

/// Six people, each with another misfortune, and one without.
fn unlucky() -> Workbench {
    let bench = Workbench::team();
    for name in [
        "cut",
        "declined",
        "filtered",
        "choiceless",
        "null",
        "tooled",
    ] {
        bench.write(&format!("bios/{name}.md"), &format!("I am {name}."));
    }
    bench
}

fn misfortunes() -> Script {
    let tool = ToolCall {
        name: "search".to_owned(),
        arguments: "{}".to_owned(),
    };
    Script::new()
        .rule(Rule::on("I am cut").reply(cut_off()))
        .rule(Rule::on("I am declined").reply(Reply::Refusal("I would rather not.".to_owned())))
        .rule(Rule::on("I am filtered").reply(Reply::Finish {
            reason: "content_filter".to_owned(),
            text: None,
        }))
        .rule(Rule::on("I am choiceless").reply(Reply::EmptyChoices))
        .rule(Rule::on("I am null").reply(Reply::NullContent))
        .rule(Rule::on("I am tooled").reply(Reply::ToolCalls(vec![tool])))
}

/// A1, A7: each kind of bad answer is a failure of its own kind, named by its unit.
#[track_caller]
fn assert_bad_answers_fail_by_kind(command: &[&str]) {
    let bench = unlucky();
    bench.script(misfortunes());
    let document = bench
        .run(&[command, &["--json"]].concat())
        .expect_code(3)
        .json();
    let expected = [
        ("choiceless", "empty"),
        ("cut", "truncated"),
        ("declined", "refused"),
        ("filtered", "filtered"),
        ("null", "empty"),
        ("summary", "held_back"),
        ("tooled", "empty"),
    ];
    assert_eq!(Workbench::failures(&document), kinds(&expected));
    let names = bench.names();
    assert_eq!(
        names
            .iter()
            .filter(|name| name.starts_with("styles/"))
            .count(),
        3,
        "{names:?}"
    );
}

#[test]
fn bad_answers_fail_by_kind_alone() {
    assert_bad_answers_fail_by_kind(&["build"]);
}

#[test]
fn bad_answers_fail_by_kind_in_a_batch() {
    assert_bad_answers_fail_by_kind(&BATCH);
}

/// A8: a request whose failure cost nothing is asked again by the next build.
#[test]
fn a_failed_request_is_asked_again_by_the_next_build() {
    for mode in [Mode::Sync, Mode::Batch] {
        let bench = Workbench::team();
        bench.script(Script::new().rule(Rule::on("I am bela").status(400)));
        bench.build_in(mode).expect_code(3);
        bench.script(Script::new());
        bench.build_in(mode).expect_code(0);
        assert!(
            bench.names().contains(&"summary/summary".to_owned()),
            "{mode:?}"
        );
    }
}

/// A1: a layer may take what is cut off, and only then is it an artifact.
#[test]
fn a_layer_that_accepts_truncated_answers_gets_them() {
    let bench = Workbench::team();
    bench.pipeline(
        "synix.toml",
        &TEAM.replace("batch = true\n", "batch = true\naccept = [\"truncated\"]\n"),
    );
    bench.script(truncating("bela"));
    bench.ok(&["build"]);
    assert_eq!(bench.content("ws-bela"), "half a sen");
}

/// A2: the provider's own words are read where they stand, and the other rows are kept.
#[test]
fn a_failed_row_tells_why_and_leaves_the_others() {
    let bench = Workbench::team();
    let reason = serde_json::json!({"error": {
        "message": "Your prompt was flagged by the house rules.",
        "type": "invalid_request_error", "param": null, "code": "invalid_prompt",
    }});
    let reply = Reply::Status(StatusReply::new(400).body(reason));
    bench.script(Script::new().rule(Rule::on("I am bela").only(Only::Batch).reply(reply)));
    let run = bench.run(&BATCH).expect_code(3);
    assert_transcript!(run);
    assert_eq!(
        Workbench::failures(&bench.status()),
        kinds(&[("bela", "invalid"), ("summary", "held_back")])
    );
    assert!(bench.names().contains(&"styles/ws-amara".to_owned()));
}

/// A4: what is missing is asked again, what is odd is reported, and no other row is lost.
#[test]
fn odd_rows_cost_no_other_row() {
    for reply in [
        Reply::MissingRow,
        Reply::DuplicateRow,
        Reply::UnknownRow,
        Reply::Garbled,
    ] {
        let bench = Workbench::team();
        bench.script(
            Script::new().rule(
                Rule::on("I am bela")
                    .only(Only::Batch)
                    .times(1)
                    .reply(reply.clone()),
            ),
        );
        bench.ok(&BATCH);
        assert_eq!(bench.names().len(), 7, "{reply:?}");
        let again = bench.ledger().duplicates().len();
        assert!(
            again <= usize::from(matches!(reply, Reply::MissingRow | Reply::Garbled)),
            "{reply:?}"
        );
    }
}

/// A5: a download that breaks off is taken again, not parsed.
#[test]
fn a_truncated_download_is_repeated() {
    let bench = Workbench::team();
    let fault = Fault::on(
        Endpoint::FilesContent,
        FaultKind::Truncate {
            drop: 40,
            hidden: true,
        },
    )
    .once();
    bench.script(Script::new().fault(fault));
    bench.ok(&BATCH);
    assert_eq!((bench.sent(), bench.ledger().duplicates().len()), (4, 0));
}

/// A3: an output file may appear after the batch says that it is completed.
#[test]
fn an_output_file_that_comes_late_is_waited_for() {
    let bench = Workbench::team();
    let late = Fault::on(Endpoint::BatchesCreate, FaultKind::OutputLate { polls: 2 }).once();
    let empty = Fault::on(Endpoint::BatchesCreate, FaultKind::EmptyErrorFileId).once();
    bench.script(Script::new().fault(late).fault(empty));
    bench.ok(&BATCH);
    assert_eq!((bench.sent(), bench.ledger().duplicates().len()), (4, 0));
}

/// L18: a key that is refused is refused for every request, so the rest is not sent.
#[test]
fn a_refused_key_is_tried_once() {
    let bench = Workbench::team();
    bench.script(Script::new().key("another key"));
    let run = bench
        .run(&["build", "--concurrency", "1", "--json"])
        .expect_code(3);
    let failures = Workbench::failures(&run.json());
    assert!(
        failures.contains(&("amara".to_owned(), "auth".to_owned())),
        "{failures:?}"
    );
    assert_eq!(bench.ledger().calls(Endpoint::Chat), 1);
}

/// L18: an account without money is not asked again and again.
#[test]
fn an_empty_account_is_tried_once() {
    let bench = Workbench::team();
    bench.script(
        Script::new().rule(Rule::any().reply(Reply::Status(StatusReply::insufficient_quota()))),
    );
    let run = bench
        .run(&["build", "--concurrency", "1", "--json"])
        .expect_code(3);
    let failures = Workbench::failures(&run.json());
    assert!(
        failures.contains(&("amara".to_owned(), "quota".to_owned())),
        "{failures:?}"
    );
    assert_eq!(bench.ledger().calls(Endpoint::Chat), 1);
}

#[test]
fn a_busy_provider_is_asked_again_until_it_answers() {
    let bench = Workbench::team();
    let busy = StatusReply::new(429).header("retry-after", "0");
    bench.script(Script::new().rule(Rule::on("I am bela").times(3).reply(Reply::Status(busy))));
    bench.ok(&["build"]);
    assert_eq!(bench.sent(), 4);
}

#[test]
fn a_key_never_reaches_the_state_or_the_output() {
    let bench = Workbench::team();
    let runs = [bench.run(&["build", "--json"]), bench.run(&BATCH)];
    bench.script(Script::new().key("another key"));
    bench.write("bios/dmitri.md", "I am new.");
    let refused = [bench.run(&["build"]), bench.run(&BATCH)];
    for run in runs.iter().chain(&refused) {
        assert!(!run.says(KEY), "{run:?}");
    }
    let mut folders = vec![bench.path(".synix")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            assert!(
                !bytes
                    .windows(KEY.len())
                    .any(|window| window == KEY.as_bytes()),
                "{}",
                path.display()
            );
        }
    }
}

/// Styles by one provider, and one title each by another that is asked as soon as a style is there.
const TITLES: &str = r#"
[models.default]
provider = "openai"
model = "gpt-4o-mini"

[models.other]
provider = "anthropic"
model = "claude-haiku-4-5"

[layers.bios]
source = "bios/*.md"

[layers.styles]
transform = "map"
inputs = ["bios"]
[layers.styles.config]
prompt = "How does this person work? {{ content }}"

[layers.titles]
transform = "map"
inputs = ["styles"]
model = "other"
[layers.titles.config]
prompt = "A title for {{ label }}: {{ content }}"

[layers.all]
transform = "reduce"
inputs = ["titles"]
model = "default"
[layers.all.config]
prompt = "Sum up:{% for one in inputs %} {{ one.content }}{% endfor %}"
label = "all"
"#;

fn titles() -> Workbench {
    let bench = Workbench::team();
    bench.pipeline("synix.toml", TITLES);
    bench
}

/// M3: what is in flight when a build must stop is waited for and kept.
#[test]
fn answers_in_flight_are_kept_when_a_key_turns_out_to_be_missing() {
    let bench = titles();
    // Goes on with the provider that stands last: only a key that is named is demanded elsewhere than at its own URL.
    let named = format!("api_key_env = \"ANTHROPIC_API_KEY\"\n{TITLES}");
    bench.pipeline("synix.toml", &named);
    bench.script(Script::new().rule(Rule::on("I am bela").delay_ms(300)));
    let mut command = bench.command(&["build"]);
    command.env_remove("ANTHROPIC_API_KEY");
    let run = command.run().expect_code(1);
    assert_transcript!(run);
    assert_eq!(bench.sent(), 3);
    bench.script(Script::new());
    bench.ok(&["build"]);
    assert_eq!((bench.sent(), bench.ledger().duplicates().len()), (7, 0));
}

/// What is missing two layers below still marks what is made above it.
#[test]
fn partial_results_are_marked_however_far_below_something_is_missing() {
    let bench = titles();
    bench.script(Script::new().rule(Rule::on("work? I am bela").reply(cut_off())));
    bench.run(&["build", "--allow-partial"]).expect_code(3);
    assert_eq!(bench.json(&["show", "all"])["provenance"]["partial"], true);
    bench.script(Script::new());
    bench.ok(&["build", "--retry-failed"]);
    assert_eq!(bench.json(&["show", "all"])["provenance"]["partial"], false);
}

/// A6: each unit that lacks its input is named, in every layer below.
#[test]
fn each_dependant_of_a_failed_unit_is_named_as_held_back() {
    let bench = titles();
    bench.script(Script::new().rule(Rule::on("work? I am bela").reply(cut_off())));
    let document = bench.run(&["build", "--json"]).expect_code(3).json();
    let failed: Vec<(String, String)> = document["failures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|failure| (text(&failure["layer"]), text(&failure["unit"])))
        .collect();
    let expected = [("styles", "bela"), ("titles", "bela"), ("all", "all")];
    let expected = expected.map(|(layer, unit)| (layer.to_owned(), unit.to_owned()));
    assert_eq!(failed, expected);
}

#[test]
fn a_unit_with_no_input_left_is_held_back_whatever_is_allowed() {
    let bench = titles();
    bench.script(Script::new().rule(Rule::on("work?").reply(cut_off())));
    let document = bench
        .run(&["build", "--allow-partial", "--json"])
        .expect_code(3)
        .json();
    let all = ("all", "held_back");
    assert!(
        Workbench::failures(&document).contains(&(all.0.to_owned(), all.1.to_owned())),
        "{document}"
    );
    assert_eq!(bench.sent(), 3);
}

/// I9: a layer that took a truncated answer keeps it when another layer gets a whole one to the same question.
#[test]
fn a_whole_answer_does_not_contradict_a_truncated_one_that_was_taken() {
    let bench = Workbench::team();
    let layer = |name: &str, accept: &str| {
        format!(
            "[layers.{name}]\ntransform = \"map\"\ninputs = [\"bios\"]\n{accept}\
             [layers.{name}.config]\nprompt = \"How? {{{{ content }}}}\"\n"
        )
    };
    let layers = format!(
        "[models.default]\nprovider = \"openai\"\nmodel = \"gpt-4o-mini\"\n\
         [layers.bios]\nsource = \"bios/*.md\"\n{}{}",
        layer("loose", "accept = [\"truncated\"]\n"),
        layer("strict", "")
    );
    bench.pipeline("synix.toml", &layers);
    bench.script(truncating("bela"));
    bench.run(&["build"]).expect_code(3);
    let loose = || bench.json(&["show", "loose/bela"])["content"].clone();
    assert_eq!(loose(), "half a sen");
    bench.script(Script::new());
    bench.ok(&["build", "--retry-failed=truncated"]);
    assert_eq!(loose(), "half a sen");
    assert_ne!(bench.json(&["show", "strict/bela"])["content"], loose());
    bench.ok(&["clean"]);
    bench.ok(&["build"]);
    assert_eq!((loose(), bench.sent()), ("half a sen".into(), 4));
}
