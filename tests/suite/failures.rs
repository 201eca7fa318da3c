//! An unusable answer never becomes an artifact: each error of a model or provider fails its unit with a kind of its
//! own.

use synix_scripted_provider::{
    Endpoint, Fault, FaultKind, Mode as Only, Reply, Rule, Script, StatusReply, ToolCall,
};

use crate::build::kinds;
use crate::test_project::{BATCH_BUILD, KEY, Mode, TEAM, TestProject, text};
use crate::transcript::assert_transcript;

/// A script that truncates every answer to what one person writes.
pub(crate) fn script_that_truncates(name: &str) -> Script {
    Script::new().rule(Rule::on(format!("I am {name}")).reply(truncated_answer()))
}

fn truncated_answer() -> Reply {
    Reply::Finish {
        reason: "length".to_owned(),
        text: Some("half a sen".to_owned()),
    }
}

/// Six people whose answers are unusable, each in another way.
fn team_with_unusable_answers() -> TestProject {
    let project = TestProject::team();
    for name in [
        "cut",
        "declined",
        "filtered",
        "choiceless",
        "null",
        "tooled",
    ] {
        project.write(&format!("bios/{name}.md"), &format!("I am {name}."));
    }
    project
}

fn unusable_answers() -> Script {
    let tool = ToolCall {
        name: "search".to_owned(),
        arguments: "{}".to_owned(),
    };
    Script::new()
        .rule(Rule::on("I am cut").reply(truncated_answer()))
        .rule(Rule::on("I am declined").reply(Reply::Refusal("I would rather not.".to_owned())))
        .rule(Rule::on("I am filtered").reply(Reply::Finish {
            reason: "content_filter".to_owned(),
            text: None,
        }))
        .rule(Rule::on("I am choiceless").reply(Reply::EmptyChoices))
        .rule(Rule::on("I am null").reply(Reply::NullContent))
        .rule(Rule::on("I am tooled").reply(Reply::ToolCalls(vec![tool])))
}

/// A1, A7
#[track_caller]
fn assert_bad_answers_fail_by_kind(command: &[&str]) {
    let project = team_with_unusable_answers();
    project.script(unusable_answers());
    let document = project
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
    assert_eq!(TestProject::failures(&document), kinds(&expected));
    let names = project.artifact_names();
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
fn bad_answers_to_sync_calls_fail_with_their_kind() {
    assert_bad_answers_fail_by_kind(&["build"]);
}

#[test]
fn bad_answers_in_a_batch_fail_with_their_kind() {
    assert_bad_answers_fail_by_kind(&BATCH_BUILD);
}

/// A8: this holds for requests whose failure cost nothing.
#[test]
fn the_next_build_retries_a_failed_request() {
    for mode in [Mode::Sync, Mode::Batch] {
        let project = TestProject::team();
        project.script(Script::new().rule(Rule::on("I am bela").status(400)));
        project.build_in(mode).expect_code(3);
        project.script(Script::new());
        project.build_in(mode).expect_code(0);
        assert!(
            project
                .artifact_names()
                .contains(&"summary/summary".to_owned()),
            "{mode:?}"
        );
    }
}

/// A1: without this setting, a truncated answer is not an artifact.
#[test]
fn a_layer_that_accepts_truncated_answers_gets_them() {
    let project = TestProject::team();
    project.pipeline(
        "synix.toml",
        &TEAM.replace("batch = true\n", "batch = true\naccept = [\"truncated\"]\n"),
    );
    project.script(script_that_truncates("bela"));
    project.ok(&["build"]);
    assert_eq!(project.content("ws-bela"), "half a sen");
}

/// A2: the reason is the provider's own message.
#[test]
fn a_failed_row_reports_why_and_the_other_rows_are_kept() {
    let project = TestProject::team();
    let reason = serde_json::json!({"error": {
        "message": "Your prompt was flagged by the house rules.",
        "type": "invalid_request_error", "param": null, "code": "invalid_prompt",
    }});
    let reply = Reply::Status(StatusReply::new(400).body(reason));
    project.script(Script::new().rule(Rule::on("I am bela").only(Only::Batch).reply(reply)));
    let run = project.run(&BATCH_BUILD).expect_code(3);
    assert_transcript!(run);
    assert_eq!(
        TestProject::failures(&project.status()),
        kinds(&[("bela", "invalid"), ("summary", "held_back")])
    );
    assert!(
        project
            .artifact_names()
            .contains(&"styles/ws-amara".to_owned())
    );
}

/// A4: a missing row is sent again, and an unexpected row is reported.
#[test]
fn an_invalid_row_does_not_affect_the_other_rows() {
    for reply in [
        Reply::MissingRow,
        Reply::DuplicateRow,
        Reply::UnknownRow,
        Reply::Garbled,
    ] {
        let project = TestProject::team();
        project.script(
            Script::new().rule(
                Rule::on("I am bela")
                    .only(Only::Batch)
                    .times(1)
                    .reply(reply.clone()),
            ),
        );
        project.ok(&BATCH_BUILD);
        assert_eq!(project.artifact_names().len(), 7, "{reply:?}");
        let repeated = project.ledger().duplicates().len();
        assert!(
            repeated <= usize::from(matches!(reply, Reply::MissingRow | Reply::Garbled)),
            "{reply:?}"
        );
    }
}

/// A5: a truncated download is not parsed.
#[test]
fn a_truncated_download_is_repeated() {
    let project = TestProject::team();
    let fault = Fault::on(
        Endpoint::FilesContent,
        FaultKind::Truncate {
            drop: 40,
            hidden: true,
        },
    )
    .once();
    project.script(Script::new().fault(fault));
    project.ok(&BATCH_BUILD);
    assert_eq!(
        (project.sent(), project.ledger().duplicates().len()),
        (4, 0)
    );
}

/// A3: an output file may appear after the batch is completed.
#[test]
fn a_late_output_file_is_waited_for() {
    let project = TestProject::team();
    let late = Fault::on(Endpoint::BatchesCreate, FaultKind::OutputLate { polls: 2 }).once();
    let empty = Fault::on(Endpoint::BatchesCreate, FaultKind::EmptyErrorFileId).once();
    project.script(Script::new().fault(late).fault(empty));
    project.ok(&BATCH_BUILD);
    assert_eq!(
        (project.sent(), project.ledger().duplicates().len()),
        (4, 0)
    );
}

/// L18: the provider would refuse the key for every request, so the others are not sent.
#[test]
fn a_refused_key_is_tried_once() {
    let project = TestProject::team();
    project.script(Script::new().key("another key"));
    let run = project
        .run(&["build", "--concurrency", "1", "--json"])
        .expect_code(3);
    let failures = TestProject::failures(&run.json());
    assert!(
        failures.contains(&("amara".to_owned(), "auth".to_owned())),
        "{failures:?}"
    );
    assert_eq!(project.ledger().calls(Endpoint::Chat), 1);
}

/// L18: an account without credit is not tried again.
#[test]
fn an_empty_account_is_tried_once() {
    let project = TestProject::team();
    project.script(
        Script::new().rule(Rule::any().reply(Reply::Status(StatusReply::insufficient_quota()))),
    );
    let run = project
        .run(&["build", "--concurrency", "1", "--json"])
        .expect_code(3);
    let failures = TestProject::failures(&run.json());
    assert!(
        failures.contains(&("amara".to_owned(), "quota".to_owned())),
        "{failures:?}"
    );
    assert_eq!(project.ledger().calls(Endpoint::Chat), 1);
}

#[test]
fn a_busy_provider_is_retried_until_it_answers() {
    let project = TestProject::team();
    let busy = StatusReply::new(429).header("retry-after", "0");
    project.script(Script::new().rule(Rule::on("I am bela").times(3).reply(Reply::Status(busy))));
    project.ok(&["build"]);
    assert_eq!(project.sent(), 4);
}

#[test]
fn a_key_never_reaches_the_state_or_the_output() {
    let project = TestProject::team();
    let runs = [project.run(&["build", "--json"]), project.run(&BATCH_BUILD)];
    project.script(Script::new().key("another key"));
    project.write("bios/dmitri.md", "I am new.");
    let refused = [project.run(&["build"]), project.run(&BATCH_BUILD)];
    for run in runs.iter().chain(&refused) {
        assert!(!run.says(KEY), "{run:?}");
    }
    let mut folders = vec![project.path(".synix")];
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

/// Styles by one provider, and a title for each by another provider, sent as soon as the style is made.
const TWO_PROVIDERS: &str = r#"
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

fn two_provider_project() -> TestProject {
    let project = TestProject::team();
    project.pipeline("synix.toml", TWO_PROVIDERS);
    project
}

/// M3: a build that must stop waits for calls in flight and stores their answers.
#[test]
fn answers_in_flight_are_kept_when_another_providers_key_is_missing() {
    let project = two_provider_project();
    // A missing key is an error only if the pipeline file names its variable: this provider has a URL of its own.
    let named = format!("api_key_env = \"ANTHROPIC_API_KEY\"\n{TWO_PROVIDERS}");
    project.pipeline("synix.toml", &named);
    project.script(Script::new().rule(Rule::on("I am bela").delay_ms(300)));
    let mut command = project.command(&["build"]);
    command.env_remove("ANTHROPIC_API_KEY");
    let run = command.run().expect_code(1);
    assert_transcript!(run);
    assert_eq!(project.sent(), 3);
    project.script(Script::new());
    project.ok(&["build"]);
    assert_eq!(
        (project.sent(), project.ledger().duplicates().len()),
        (7, 0)
    );
}

/// A missing input marks all results in the downstream layers.
#[test]
fn partial_results_are_marked_in_all_downstream_layers() {
    let project = two_provider_project();
    project.script(Script::new().rule(Rule::on("work? I am bela").reply(truncated_answer())));
    project.run(&["build", "--allow-partial"]).expect_code(3);
    assert_eq!(
        project.json(&["show", "all"])["provenance"]["partial"],
        true
    );
    project.script(Script::new());
    project.ok(&["build", "--retry-failed"]);
    assert_eq!(
        project.json(&["show", "all"])["provenance"]["partial"],
        false
    );
}

/// A6: in every downstream layer.
#[test]
fn every_dependant_of_a_failed_unit_is_reported_as_held_back() {
    let project = two_provider_project();
    project.script(Script::new().rule(Rule::on("work? I am bela").reply(truncated_answer())));
    let document = project.run(&["build", "--json"]).expect_code(3).json();
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
fn a_unit_without_any_input_is_held_back_even_with_allow_partial() {
    let project = two_provider_project();
    project.script(Script::new().rule(Rule::on("work?").reply(truncated_answer())));
    let document = project
        .run(&["build", "--allow-partial", "--json"])
        .expect_code(3)
        .json();
    let all = ("all", "held_back");
    assert!(
        TestProject::failures(&document).contains(&(all.0.to_owned(), all.1.to_owned())),
        "{document}"
    );
    assert_eq!(project.sent(), 3);
}

/// I9: a layer that accepted a truncated answer keeps it, although another layer gets a complete answer to the same
/// request.
#[test]
fn a_complete_answer_does_not_replace_an_accepted_truncated_one() {
    let project = TestProject::team();
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
    project.pipeline("synix.toml", &layers);
    project.script(script_that_truncates("bela"));
    project.run(&["build"]).expect_code(3);
    let loose = || project.json(&["show", "loose/bela"])["content"].clone();
    assert_eq!(loose(), "half a sen");
    project.script(Script::new());
    project.ok(&["build", "--retry-failed=truncated"]);
    assert_eq!(loose(), "half a sen");
    assert_ne!(project.json(&["show", "strict/bela"])["content"], loose());
    project.ok(&["clean"]);
    project.ok(&["build"]);
    assert_eq!((loose(), project.sent()), ("half a sen".into(), 4));
}
