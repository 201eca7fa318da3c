//! The total of a plan, stored answers and requests in flight.

use serde_json::Value;

use crate::plans::{layer, table_line};
use crate::support::costs::{billed, picodollars};
use crate::support::pipelines::{BATCH_BUILD, TEAM};
use crate::support::test_project::{TestProject, text};

/// The last line is the sum of the others.
#[test]
fn a_plan_ends_with_a_total() {
    let project = TestProject::team();
    let plan = project.json(&["plan"]);
    let total = &plan["total"];
    assert_eq!((&total["units"], &total["stale"]), (&7.into(), &7.into()));
    assert_eq!(
        (&total["requests"], &total["requests_max"]),
        (&3.into(), &4.into())
    );
    assert_eq!(total["exact"], false);
    let styles = layer(&plan, "styles");
    assert_eq!(total["cost_usd"], styles["cost_usd_min"]);
    assert_eq!(total["cost_usd_known"], styles["cost_usd"]);
    assert_eq!(total["cost_usd_max"], Value::Null);
    assert!(table_line(&project, "total").ends_with('+'));

    // Without the downstream layer, the bound covers everything.
    let (rest, _) = TEAM.split_once("[layers.summary]").unwrap();
    project.pipeline("synix.toml", rest);
    let plan = project.json(&["plan"]);
    assert_eq!(plan["total"]["exact"], true);
    assert_eq!(
        plan["total"]["cost_usd_max"],
        layer(&plan, "styles")["cost_usd"]
    );
    assert!(table_line(&project, "total").contains("up to $"));
    project.ok(&["build"]);
    assert!(billed(&project.ledger()) <= picodollars(&plan["total"]["cost_usd_max"]));
    // Nothing is stale, and nothing that might be sent is shown.
    assert!(table_line(&project, "styles").contains("none"));
    assert!(table_line(&project, "total").ends_with('-'));
}

/// Such layers cost nothing.
#[test]
fn a_plan_reports_stored_answers() {
    let project = TestProject::team();
    project.ok(&["build"]);
    project.ok(&["clean"]);
    let plan = project.json(&["plan"]);
    let styles = layer(&plan, "styles");
    assert_eq!(
        (&styles["stale"], &styles["answered"]),
        (&3.into(), &3.into())
    );
    assert_eq!(
        (&styles["requests"], text(&styles["mode"])),
        (&0.into(), "none".to_owned())
    );
    assert_eq!(picodollars(&plan["total"]["cost_usd"]), 0);
    assert!(
        project
            .ok(&["plan"])
            .says("all answers are stored, so these layers send nothing: styles, summary")
    );
}

#[test]
fn a_plan_counts_requests_in_flight_separately() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    let plan = project.json(&["batch-build", "plan"]);
    let styles = layer(&plan, "styles");
    assert_eq!(
        (&styles["requests"], &styles["in_flight"]),
        (&0.into(), &3.into())
    );
    assert!(
        project
            .ok(&["plan"])
            .says("3 requests are already in flight")
    );
}

/// A batch is planned at the batch price.
#[test]
fn a_batch_plan_has_a_total_too() {
    let project = TestProject::team();
    let plan = project.json(&["batch-build", "plan"]);
    assert_eq!(text(&layer(&plan, "styles")["mode"]), "batch");
    assert_eq!(
        plan["total"]["cost_usd_known"],
        layer(&plan, "styles")["cost_usd"]
    );
    project.ok(&BATCH_BUILD);
    let after = project.json(&["batch-build", "plan"]);
    assert_eq!(text(&layer(&after, "styles")["mode"]), "none");
    assert_eq!(
        (&after["total"]["stale"], &after["total"]["exact"]),
        (&0.into(), &true.into())
    );
}
