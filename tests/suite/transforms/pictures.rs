//! Pictures that are sent with a question.

use std::fs;

use serde_json::Value;
use synix_scripted_provider::Endpoint;

use crate::support::pipelines::{BATCH_BUILD, MODES, Mode};
use crate::support::test_project::TestProject;

const LAYERS: &str = r#"
[models.default]
provider = "PROVIDER"
model = "MODEL"
max_tokens = 300
batch = true

[layers.album]
source = ["album/*.png", "album/*.md"]

[layers.captions]
transform = "map"
inputs = ["album"]
config = { prompt = "What is on {{ label }}? {{ content }}", attach = true }

[layers.story]
transform = "reduce"
inputs = ["album"]
config = { prompt = "Tell a story of{% for one in inputs %} {{ one.label }}{% endfor %}.", label = "story", attach = true }
"#;

const WIRES: [(&str, &str); 2] = [("openai", "gpt-4o-mini"), ("anthropic", "claude-haiku-4-5")];

/// The first bytes of a PNG of this size, which is all that anybody reads of it here.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([8, 2, 0, 0, 0]);
    bytes
}

/// Two pictures and a note.
fn album((provider, model): (&str, &str)) -> TestProject {
    let layers = LAYERS.replace("PROVIDER", provider).replace("MODEL", model);
    let project = TestProject::with_layers(&layers);
    project.write("album/note.md", "A day at the sea.");
    fs::write(project.path("album/sea.png"), png(1024, 512)).expect("a picture");
    fs::write(project.path("album/sun.png"), png(200, 200)).expect("a picture");
    project
}

#[test]
fn pictures_make_the_same_in_every_mode_and_wire_format() {
    for wire in WIRES {
        let made = MODES.map(|mode: Mode| {
            let project = album(wire);
            project.build_in(mode).expect_code(0);
            assert_eq!(project.sent(), 4, "{wire:?} {mode:?}");
            project.artifacts()
        });
        assert_eq!(made[0].len(), 7);
        assert_eq!(made[0], made[1]);
        assert_eq!(made[1], made[2]);
    }
}

#[test]
fn a_changed_picture_costs_the_questions_that_show_it() {
    let project = album(WIRES[0]);
    project.ok(&["build"]);
    fs::write(project.path("album/sun.png"), png(201, 200)).expect("a picture");
    project.ok(&["build"]);
    // Its caption and the story.
    assert_eq!(project.sent(), 6);
    let calls = project.ledger().calls(Endpoint::Chat);
    assert_eq!(calls, 6);
}

fn planned(project: &TestProject, layer: &str) -> Value {
    let plan = project.json(&["plan"]);
    let layers = plan["layers"].as_array().expect("layers");
    let found = layers.iter().find(|one| one["name"] == layer);
    found.expect("the layer").clone()
}

/// 1024 by 512 pixels are two tiles of 5667 tokens, 200 by 200 are one, and each picture has 2833 more.
#[test]
fn a_plan_counts_pictures_as_their_provider_does() {
    let project = album(WIRES[0]);
    let captions = planned(&project, "captions");
    let tokens = captions["input_tokens"].as_u64().expect("tokens");
    let pictures = 3 * 5667 + 2 * 2833;
    assert!((pictures..pictures + 100).contains(&tokens), "{tokens}");
    assert_eq!(captions["input_tokens_estimated"], true);
    assert!(captions["cost_usd"].as_f64().expect("a cost") > 0.0);
    project.ok(&["build", "--budget", "1"]);
}

#[test]
fn a_model_without_a_known_rule_has_no_cost_and_needs_no_budget() {
    let project = album(("openai", "my-model"));
    let price = "[prices.my-model]\ninput = 1.0\noutput = 1.0\nbatch = 0.5\n";
    let layers = LAYERS
        .replace("PROVIDER", "openai")
        .replace("MODEL", "my-model");
    project.pipeline("synix.toml", &format!("{price}{layers}"));
    assert_eq!(planned(&project, "captions")["cost_usd"], Value::Null);
    let refused = project.run(&["build", "--budget", "1"]);
    assert!(
        refused
            .stderr
            .contains("how many tokens it takes for a picture is not known"),
        "{refused:?}"
    );
    // The caption of the note has a price, so it may have been sent.
    assert!(project.sent() <= 1);
    project.ok(&BATCH_BUILD);
    assert_eq!(project.sent(), 4);
}

#[test]
fn a_picture_without_attach_fails_its_unit_before_a_request() {
    let project = album(WIRES[0]);
    let layers = LAYERS
        .replace("PROVIDER", "openai")
        .replace("MODEL", "gpt-4o-mini")
        .replace(", attach = true", "");
    project.pipeline("synix.toml", &layers);
    let run = project.run(&["build"]).expect_code(3);
    assert!(run.stdout.contains("with `attach = true`"), "{run:?}");
    // Only the note's caption was asked for.
    assert_eq!(project.sent(), 1);
}
