//! Failures and the layers downstream of them: held-back units, partial results, and answers of other requests.

use std::process::Stdio;

use synix_scripted_provider::{Endpoint, Rule, Script};

use crate::support::invocation::Run;
use crate::support::pipelines::{script_that_truncates, truncated_answer};
use crate::support::processes::wait_for_output;
use crate::support::test_project::{TestProject, failure_kinds, text};
use crate::support::transcript::assert_transcript;

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
    project.script(Script::new().rule(Rule::on("I am bela").held()));
    let mut command = project.command(&["build"]).process();
    command.env_remove("ANTHROPIC_API_KEY");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut build = command.spawn().unwrap();
    project.wait_for(&mut build, |ledger| ledger.calls(Endpoint::Chat) == 3);
    project.wait_for_state(&mut build, "SELECT count(*) = 2 FROM answer");
    project.script(Script::new());
    let run = wait_for_output(build).expect_code(1);
    assert_transcript!(run);
    assert_eq!(project.sent(), 3);
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

/// A6: a result of partial input is marked.
#[test]
fn dependants_of_a_failed_unit_are_held_back_unless_partial_input_is_allowed() {
    let project = TestProject::team();
    project.script(crate::support::pipelines::script_that_truncates("bela"));
    let run = project.run(&["build", "--json"]).expect_code(3);
    let failures = TestProject::failures(&run.json());
    assert_eq!(
        failures,
        failure_kinds(&[("bela", "truncated"), ("summary", "held_back")])
    );
    assert!(
        !project
            .artifact_names()
            .contains(&"summary/summary".to_owned())
    );

    project.run(&["build", "--allow-partial"]).expect_code(3);
    assert_eq!(
        project.json(&["show", "summary"])["provenance"]["partial"],
        true
    );
}

/// A6: an old artifact is not an input of a build with errors.
#[test]
fn the_old_artifact_of_a_failed_unit_is_not_in_the_new_snapshot() {
    let project = TestProject::team();
    project.ok(&["build"]);
    project.write("bios/bela.md", "I am bela and I changed my mind.");
    project.script(crate::support::pipelines::script_that_truncates("bela"));
    let Run { .. } = project.run(&["build"]).expect_code(3);
    let names = project.artifact_names();
    assert!(!names.contains(&"styles/ws-bela".to_owned()), "{names:?}");
    assert!(names.contains(&"styles/ws-amara".to_owned()), "{names:?}");
}
