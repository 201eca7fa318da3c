//! What embeddings cost: planned, billed, and kept within a budget.

use synix_scripted_provider::Endpoint;

use super::{NAMES, VECTORS, project, project_with};
use crate::support::pipelines::BATCH_BUILD;

/// `text-embedding-3-small` costs 0.02 dollars per million tokens, and half of it in a batch.
const PICODOLLARS_PER_TOKEN: f64 = 20_000.0;

#[test]
fn a_plan_counts_the_tokens_of_texts_and_no_answer() {
    let project = project();
    let plan = project.json(&["plan"]);
    let layer = &plan["layers"][1];
    assert_eq!(layer["requests"], NAMES.len(), "{plan}");
    let least = layer["cost_usd_min"].as_f64().unwrap();
    let most = layer["cost_usd_max"].as_f64().unwrap();
    assert!(least > 0.0, "{plan}");
    assert!((least - most).abs() < f64::EPSILON, "{plan}");
    assert_eq!(project.sent(), 0);
}

#[test]
fn the_cost_of_a_build_is_what_the_provider_billed() {
    for (build, share) in [(&["build"][..], 1.0), (&BATCH_BUILD, 0.5)] {
        let project = project();
        let document = project.json(build);
        let tokens: u64 = project
            .ledger()
            .executed
            .iter()
            .map(|entry| entry.input_tokens)
            .sum();
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let expected = tokens as f64 * PICODOLLARS_PER_TOKEN * share / 1e12;
        let cost = document["cost_usd"]
            .as_f64()
            .unwrap_or_else(|| panic!("{document}"));
        assert!((cost - expected).abs() < 1e-12, "{cost} {expected}");
    }
}

#[test]
fn a_budget_refuses_embeddings_before_anything_is_sent() {
    for build in [&["build"][..], &BATCH_BUILD] {
        let project = project();
        let budget = ["--budget", "0.00000001"];
        let run = project.run(&[build, &budget].concat()).expect_code(5);
        assert!(run.says("the next requests cost at most"), "{run:?}");
        assert_eq!(project.ledger().calls.values().sum::<u64>(), 0);
    }
}

#[test]
fn the_cost_of_an_unknown_model_is_unknown() {
    let layers = VECTORS.replace("text-embedding-3-small", "nomic-embed-text");
    let project = project_with(&layers);
    let plan = project.json(&["plan"]);
    assert!(plan["layers"][1]["cost_usd_max"].is_null(), "{plan}");
    let run = project.run(&["build", "--budget", "1"]).expect_code(5);
    assert!(run.says("nomic-embed-text"), "{run:?}");
    assert_eq!(project.ledger().calls(Endpoint::Embeddings), 0);
    project.ok(&["build"]);
}
