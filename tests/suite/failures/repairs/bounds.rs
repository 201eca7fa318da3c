//! What keeps a repair from being sent: schemas, limits, budgets.

use super::*;

/// Nothing is sent for a request whose answer nobody could check.
#[test]
fn an_unusable_schema_fails_before_anything_is_paid() {
    for (schema, message) in [
        (r#"type = "thing""#, "it is not a JSON Schema"),
        (
            r#"properties.a = { "$ref" = "http://127.0.0.1:9/x.json" }"#,
            "it is not a JSON Schema",
        ),
        (r##""$ref" = "#""##, "it refers to itself"),
    ] {
        let layers = TAGS.replace("fields = [\"tags\"]\n", "");
        let (head, _) = layers.split_once("type = \"object\"").unwrap();
        let project = notes(&format!("{head}{schema}\n"));
        let plan = project.json(&["plan"]);
        let planned = plan["layers"][1]["failures"].to_string();
        assert!(
            planned.contains("`response_format` cannot be used"),
            "{planned}"
        );
        let built = project.run(&["build", "--json"]).expect_code(3).json();
        let kinds = failure_kinds(&[("ann", "invalid"), ("bob", "invalid")]);
        assert_eq!(TestProject::failures(&built), kinds);
        assert!(failure_of(&built).contains(message), "{built}");
        assert_eq!(project.sent(), 0);
    }
}

#[test]
fn limits_of_a_unit_and_of_a_layer_count_repairs() {
    for (limits, message) in [
        ("limits.requests = 1", "`limits.requests` (1)"),
        ("limits.tokens = 40", "`limits.tokens` (40)"),
    ] {
        let layers = TAGS.replace(
            "[layers.tagged.config]",
            &format!("{limits}\n[layers.tagged.config]"),
        );
        let layers = layers.replace(
            "fields = [\"tags\"]",
            "fields = [\"tags\"]\nmax_tokens = 30",
        );
        let project = notes(&layers);
        project.script(answers(
            "I would rather not say anything about it.",
            r#"{"tags": []}"#,
        ));
        let built = project.run(&["build", "--json"]).expect_code(3).json();
        assert_eq!(
            TestProject::failures(&built),
            failure_kinds(&[("ann", "schema")])
        );
        assert!(failure_of(&built).contains(message), "{built}");
        assert_eq!(project.sent(), 2);
    }
    let limited = |requests: u32| {
        TAGS.replace(
            "batch = true",
            &format!("batch = true\nmax_requests = {requests}"),
        )
    };
    let project = notes(&limited(2));
    project.script(answers("no", "no"));
    project.run(&["build"]).expect_code(5);
    project.pipeline("synix.toml", &limited(3));
    // A repair that is not asked does not count.
    project.run(&["build"]).expect_code(3);
    assert_eq!(project.sent(), 3);
}

/// The bound of a plan holds, and a budget stops before a repair that it does not allow.
#[test]
fn a_repair_is_planned_priced_and_within_the_budget() {
    let project = notes(TAGS);
    let words = "word ".repeat(290);
    let long = format!("{{\"tags\": [\"{words}\"]}}");
    let script = Script::new().rule(Rule::on("Note of ann").text(words.clone()));
    let script = script.rule(Rule::on("Note of bob").text(long));
    project.script(script.rule(Rule::on(REPAIR).text(r#"{"tags": []}"#)));
    let layer = &project.json(&["plan"])["layers"][1];
    assert_eq!(
        (&layer["requests"], &layer["requests_max"]),
        (&2.into(), &2.into())
    );
    assert_eq!(layer["repairs"]["requests"], 2);
    let first = picodollars(&layer["cost_usd_max"]);
    let repairs = picodollars(&layer["repairs"]["cost_usd"]);
    let run = project.ok(&["plan"]);
    assert!(run.says("tagged: at most 2 more requests"), "{run:?}");
    // It is enough for both questions, which use nearly all of it.
    let budget = format!(
        "{:.12}",
        f64::from(u32::try_from(first / 1000).unwrap() + 1) / 1e9
    );
    let run = project.run(&["build", "--budget", &budget]).expect_code(5);
    assert!(run.says("the budget of"), "{run:?}");
    assert_eq!(project.sent(), 2);
    project.ok(&["build", "--budget", "1"]);
    assert_eq!(
        (project.sent(), project.ledger().duplicates().len()),
        (3, 0)
    );
    assert!(billed(&project.ledger()) <= first + repairs);
    // Nothing can follow an answer that fits, and a layer without a schema has no repairs.
    assert_eq!(
        project.json(&["plan"])["layers"][1]["repairs"]["requests"],
        0
    );
}
