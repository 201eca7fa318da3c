//! `costs`: the sums of all builds are those that other commands show for each of them.

use serde_json::{Value, json};
use synix_scripted_provider::{Rule, Script};

use crate::support::costs::{billed, picodollars};
use crate::support::pipelines::BATCH_BUILD;
use crate::support::test_project::{TestProject, text};

/// A project with a sync build and a batch build.
fn built() -> TestProject {
    let project = TestProject::team();
    project.ok(&["build"]);
    project.write("bios/bela.md", "I am bela and I draw.");
    project.ok(&BATCH_BUILD);
    project
}

fn costs(project: &TestProject, by: &str) -> Value {
    project.json(&["costs", "--by", by])
}

fn sum(costs: &Value) -> u64 {
    let costs = costs["costs"].as_array().expect("costs");
    costs.iter().map(|one| picodollars(&one["cost_usd"])).sum()
}

/// M10
#[test]
fn costs_add_up_to_what_the_provider_billed() {
    let project = built();
    let status = project.json(&["status"]);
    for by in [
        "day",
        "layer",
        "model",
        "build",
        "layer,build",
        "day,layer,model,build",
    ] {
        let costs = costs(&project, by);
        assert_eq!(sum(&costs), billed(&project.ledger()), "{by}");
        assert_eq!(costs["total"]["cost_usd"], status["cost_usd"], "{by}");
    }
    assert_eq!(project.json(&["costs"]), costs(&project, "day"));
}

/// M10
#[test]
fn the_cost_of_a_build_is_the_one_that_its_status_shows() {
    let project = built();
    let costs = costs(&project, "build");
    for name in ["build-1", "build-2"] {
        let status = project.json(&["status", name]);
        let all = costs["costs"].as_array().expect("costs");
        let cost = all.iter().find(|one| one["build"] == name).expect(name);
        for field in ["requests", "tokens", "cost_usd", "unpriced"] {
            assert_eq!(cost[field], status[field], "{name} {field}");
        }
        assert_eq!(cost.get("day"), None);
    }
}

#[test]
fn the_costs_of_layers_are_those_of_their_builds() {
    let project = built();
    let builds = ["build-1", "build-2"].map(|name| project.json(&["status", name]));
    let costs = costs(&project, "layer");
    let names: Vec<_> = costs["costs"]
        .as_array()
        .expect("costs")
        .iter()
        .map(|one| text(&one["layer"]))
        .collect();
    assert_eq!(names, ["styles", "summary"]);
    for cost in costs["costs"].as_array().expect("costs") {
        let of_builds: u64 = builds
            .iter()
            .flat_map(|build| build["layers"].as_array().expect("layers"))
            .filter(|layer| layer["name"] == cost["layer"])
            .map(|layer| picodollars(&layer["cost_usd"]))
            .sum();
        assert_eq!(picodollars(&cost["cost_usd"]), of_builds);
    }
}

/// M9
#[test]
fn an_unknown_price_makes_only_its_own_sums_unknown() {
    let project = TestProject::team();
    let pipeline = crate::support::pipelines::TEAM.replace("gpt-4o-mini", "our-own-model");
    project.pipeline("synix.toml", &pipeline);
    project.ok(&["build"]);
    let costs = costs(&project, "model");
    let all = costs["costs"].as_array().expect("costs");
    let unknown: Vec<_> = all.iter().filter(|one| one["cost_usd"].is_null()).collect();
    assert_eq!(unknown.len(), 1, "{costs:#}");
    assert_eq!(unknown[0]["model"], "our-own-model");
    assert!(
        all.iter().any(|one| picodollars(&one["cost_usd"]) > 0),
        "{costs:#}"
    );
    assert_eq!(costs["total"]["cost_usd"], Value::Null);
    assert_eq!(costs["total"]["unpriced"], unknown[0]["unpriced"]);
}

#[test]
fn a_replay_and_a_failed_request_without_tokens_cost_nothing() {
    let project = TestProject::team();
    project.script(Script::new().rule(Rule::on("amara").status(400)));
    project.run(&["build"]).expect_code(3);
    let costs = costs(&project, "layer");
    assert_eq!(sum(&costs), billed(&project.ledger()));
    assert_eq!(
        costs["total"]["requests"],
        json!({"sync": 3, "batch": 0, "unclear": 0})
    );
}

#[test]
fn costs_are_a_table_with_a_total() {
    let project = built();
    let shown = project.ok(&["costs", "--by", "layer,model"]).stdout;
    let last = shown.lines().last().expect("a line");
    assert!(last.starts_with("total "), "{shown}");
    assert!(shown.contains("styles gpt-4o-mini"), "{shown}");
    project.run(&["costs", "--by", "weekday"]).expect_code(2);
}
