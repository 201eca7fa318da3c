//! The cost that synix shows is the cost that the provider bills, and a plan bounds it.

use serde_json::Value;
use synix_scripted_provider::{Ledger, PriceClass, Reply, Rule, Script};

use crate::support::costs::{billed, picodollars};
use crate::support::pipelines::{BATCH_BUILD, TEAM};
use crate::support::test_project::{TestProject, text};
use crate::support::transcript::assert_transcript;

/// M10, M11
#[test]
fn a_build_costs_what_the_provider_billed() {
    let project = TestProject::team();
    let status = project.json(&["build"]);
    assert_eq!(picodollars(&status["cost_usd"]), billed(&project.ledger()));
    assert!(billed(&project.ledger()) > 0);
}

/// M9, M10: rows of batches have the batch price, sync calls the full price.
#[test]
fn a_batch_build_costs_what_the_provider_billed() {
    let project = TestProject::team();
    project.ok(&BATCH_BUILD);
    let status = project.status();
    assert_eq!(picodollars(&status["cost_usd"]), billed(&project.ledger()));
    let layers: u64 = status["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| picodollars(&layer["cost_usd"]))
        .sum();
    assert_eq!(layers, billed(&project.ledger()));
    // Only the second layer is in the batch.
    let batch = &status["batches"][0];
    assert_eq!(batch["cost_usd"], status["layers"][1]["cost_usd"]);
    assert_eq!(batch["tokens"], status["layers"][1]["tokens"]);
}

/// M11: neither a failed nor a missing row changes it.
#[test]
fn a_failed_row_does_not_change_the_cost_of_the_other_rows() {
    let project = TestProject::team();
    project.script(Script::new().rule(Rule::on("amara").status(400)));
    project.run(&BATCH_BUILD).expect_code(3);
    let status = project.status();
    assert_eq!(status["batches"][0]["failed"], 1);
    assert_eq!(picodollars(&status["cost_usd"]), billed(&project.ledger()));
    assert!(billed(&project.ledger()) > 0);
}

/// M11: the provider bills it, although it is not an artifact.
#[test]
fn a_refused_answer_is_in_the_cost() {
    let project = TestProject::team();
    let refusal = Reply::Refusal("I would rather not.".to_owned());
    project.script(Script::new().rule(Rule::on("amara").reply(refusal)));
    project.run(&["build"]).expect_code(3);
    let status = project.json(&["build", "--allow-partial", "--retry-failed"]);
    // The second build sends amara's request again, which is refused again.
    let entries = project.ledger().executed;
    let entries_of_second_build: Vec<_> = entries.into_iter().skip(3).collect();
    assert_eq!(entries_of_second_build.len(), 2);
    let ledger = Ledger {
        executed: entries_of_second_build,
        ..Ledger::default()
    };
    assert_eq!(picodollars(&status["cost_usd"]), billed(&ledger));
}

/// M10
#[test]
fn an_artifact_costs_what_its_answers_cost() {
    let project = TestProject::team();
    project.ok(&BATCH_BUILD);
    let cost = |name: &str| {
        let shown = project.json(&["show", name]);
        let requests = shown["provenance"]["requests"].as_array().unwrap();
        let sum: u64 = requests
            .iter()
            .map(|one| picodollars(&one["cost_usd"]))
            .sum();
        assert_eq!(picodollars(&shown["provenance"]["cost_usd"]), sum);
        sum
    };
    let all: u64 = ["ws-amara", "ws-bela", "ws-chitra", "summary"]
        .map(cost)
        .iter()
        .sum();
    assert_eq!(all, billed(&project.ledger()));
    let lineage = project.json(&["lineage", "summary"]);
    let of_lineage: u64 = lineage["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|node| node["type"] == "request")
        .map(|node| picodollars(&node["cost_usd"]))
        .sum();
    assert_eq!(of_lineage, all);
}

/// M9: a price in the pipeline file applies at once.
#[test]
fn an_unknown_model_has_no_price_until_the_file_gives_one() {
    let project = TestProject::team();
    let layers = TEAM.replace("gpt-4o-mini", "our-own-model");
    project.pipeline("synix.toml", &layers);
    project.ok(&BATCH_BUILD);
    let status = project.status();
    assert_eq!(status["cost_usd"], Value::Null);
    assert_eq!(status["layers"][1]["cost_usd"], Value::Null);
    assert!(picodollars(&status["layers"][2]["cost_usd"]) > 0);
    assert!(text(&status["unpriced"][0]).contains("our-own-model"));
    let shown = project.ok(&["batch-build", "status", "--latest"]);
    assert_transcript!(shown);

    let prices = "\n[prices.our-own-model]\ninput = 2\noutput = 4\nbatch = 0.25\n";
    project.pipeline("synix.toml", &format!("{layers}{prices}"));
    let status = project.status();
    let (input, output) = project.ledger().billed(PriceClass::Batch);
    assert_eq!(
        picodollars(&status["layers"][1]["cost_usd"]),
        input * 500_000 + output * 1_000_000
    );
    assert_eq!(status["unpriced"].as_array().map(Vec::len), Some(0));
}

/// M10
#[test]
fn a_replay_costs_nothing() {
    let project = TestProject::team();
    project.ok(&["build", "--cassette-mode", "record"]);
    std::fs::remove_dir_all(project.path(".synix")).unwrap();
    let status = project.json(&["build", "--cassette-mode", "replay"]);
    assert_eq!(picodollars(&status["cost_usd"]), 0);
    let shown = project.json(&["show", "summary"]);
    assert_eq!(picodollars(&shown["provenance"]["cost_usd"]), 0);
}

/// M9
#[test]
fn a_plan_bounds_the_bill() {
    for (plan, build) in [
        (&["plan"][..], &["build"][..]),
        (&["batch-build", "plan"], &BATCH_BUILD),
    ] {
        let project = TestProject::team();
        let planned = project.json(plan);
        let layer = &planned["layers"][1];
        assert_eq!(layer["requests"], 3);
        assert_eq!(layer["exact"], true);
        assert_eq!(layer["input_tokens_estimated"], false);
        assert_eq!(layer["output_tokens_max"], 600);
        // What depends on answers is not known, and is marked so.
        assert_eq!(planned["layers"][2]["exact"], false);
        assert_eq!(planned["layers"][2]["requests"], 0);
        assert_eq!(project.sent(), 0);

        let build_document = project.ok(&[build, &["--json"]].concat()).json();
        assert_eq!(project.sent(), 4);
        let built = &build_document["layers"][1];
        assert!(picodollars(&built["cost_usd"]) > 0);
        assert!(picodollars(&built["cost_usd"]) <= picodollars(&layer["cost_usd"]));
        assert!(picodollars(&layer["cost_usd_min"]) < picodollars(&layer["cost_usd"]));
        assert!(built["tokens"]["input"].as_u64() <= layer["input_tokens"].as_u64());
    }
}

/// M9
#[test]
fn a_batch_plan_costs_half() {
    let project = TestProject::team();
    let cost = |command: &[&str]| picodollars(&project.json(command)["layers"][1]["cost_usd"]);
    assert_eq!(cost(&["plan"]), cost(&["batch-build", "plan"]) * 2);
}

/// M9
#[test]
fn a_plan_without_max_tokens_has_a_minimum_cost_and_no_maximum() {
    let project = TestProject::team();
    let layers = TEAM.replace("max_tokens = 200\n", "");
    project.pipeline("synix.toml", &layers);
    let layer = &project.json(&["plan"])["layers"][1];
    assert_eq!(layer["output_tokens_max"], Value::Null);
    assert_eq!(layer["cost_usd"], Value::Null);
    assert!(picodollars(&layer["cost_usd_min"]) > 0);
    assert!(project.ok(&["plan"]).says("max_tokens"));
}

/// M9: OpenAI has published no encoding for some models, so their tokens are estimated.
#[test]
fn a_plan_marks_its_estimates() {
    let project = TestProject::team();
    project.pipeline(
        "synix.toml",
        &TEAM
            .replace("model = \"cheap\"\n", "batch = false\n")
            .replace("\nbatch = true\n", "\n"),
    );
    let layer = &project.json(&["plan"])["layers"][1];
    assert_eq!(layer["input_tokens_estimated"], true);
    assert!(project.ok(&["plan"]).says("an estimate"));
    project.ok(&["build"]);
    let after = &project.json(&["plan"])["layers"][1];
    assert_eq!(after["requests"], 0);
    assert_eq!(picodollars(&after["cost_usd"]), 0);
    assert_eq!(after["input_tokens_estimated"], false);
}
