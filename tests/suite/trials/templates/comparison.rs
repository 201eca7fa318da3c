//! Compares a plan with what its build sends, layer by layer.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use synix_scripted_provider::Ledger;

use crate::support::costs::{picodollars, price_of};
use crate::support::random::SeededRandom;
use crate::support::test_project::{TestProject, text};
use crate::trials::templates::change::Change;
use crate::trials::templates::traced::{TracedTemplate, layer_of};

/// What a comparison found.
pub(super) struct Comparison {
    /// Whether the plan knew the number of all requests.
    pub(super) is_exact: bool,
    pub(super) sent: u64,
    /// The relative error of the plan's expected cost, for each layer whose requests it knew.
    pub(super) plan_errors: Vec<f64>,
    /// That of the forecast of the build.
    pub(super) build_error: Option<f64>,
}

/// Runs the commands of a change. Panics if a prediction does not come true.
pub(super) fn compare(
    template: &TracedTemplate,
    change: &Change,
    random: &mut SeededRandom,
    context: &str,
) -> Comparison {
    let project = &template.project;
    let flags: Vec<&str> = change.flags.iter().map(String::as_str).collect();
    let before = project.ledger();
    // `try` always draws a sample.
    let tries = flags.iter().any(|flag| flag.starts_with("--limit")) && random.below(2) == 0;
    let in_batches = random.below(4) == 0;
    let (plan, build) = run(project, &flags, tries, in_batches, context);
    assert_eq!(build["status"], "completed", "{context}: {build}");
    let after = project.ledger();
    let sent = sent_by_layer(&before, &after);
    let stale = stale_units(project);
    for planned in plan["layers"].as_array().unwrap() {
        let layer = text(&planned["name"]);
        let sent = sent.get(&layer).copied().unwrap_or_default();
        check_requests(planned, sent, context);
        check_units(
            planned,
            stale.get(&layer),
            layer_units(&build, &layer),
            context,
        );
    }
    check_exactness(template, change, &plan, context);
    let again = planned(project, &flags, in_batches);
    assert_eq!(again["total"]["exact"], true, "{context}: {again}");
    assert_eq!(again["total"]["requests"], 0, "{context}: {again}");
    assert_eq!(again["total"]["stale"], 0, "{context}: {again}");
    Comparison {
        is_exact: plan["total"]["exact"] == true,
        sent: sent.values().map(|sent| sent.requests).sum(),
        plan_errors: plan_errors(&plan, &sent),
        build_error: build["forecast"]["error"].as_f64(),
    }
}

/// Compares the expected cost of each layer whose requests the plan knew. A vector costs its input alone, which the
/// provider of the tests counts in words.
fn plan_errors(plan: &Value, sent: &BTreeMap<String, Sent>) -> Vec<f64> {
    let layers = plan["layers"].as_array().unwrap().iter();
    let rests_on_answers = |planned: &&Value| {
        planned["expected_basis"] == "layer" || planned["expected_basis"] == "model"
    };
    let exact = layers.filter(|planned| planned["exact"] == true);
    let errors = exact.filter(rests_on_answers).filter_map(|planned| {
        let sent = sent.get(planned["name"].as_str()?)?;
        let expected = picodollars(&planned["cost_usd_expected"]);
        (sent.output_tokens > 0).then(|| error(sent.picodollars, expected))
    });
    errors.collect()
}

fn run(
    project: &TestProject,
    flags: &[&str],
    tries: bool,
    in_batches: bool,
    context: &str,
) -> (Value, Value) {
    let plan = planned(project, flags, in_batches);
    let build: &[&str] = match (tries, in_batches) {
        (true, false) => &["try"],
        (true, true) => return run(project, flags, false, in_batches, context),
        (false, false) => &["build"],
        (false, true) => &["batch-build", "run", "--poll", "--poll-interval", "0"],
    };
    let mut built = project.json(&[build, flags].concat());
    assert!(built["error"].is_null(), "{context}: {built}");
    if tries {
        let differences: Vec<String> = ["layers", "total"]
            .iter()
            .flat_map(|part| differences(&plan[part], &built["plan"][part]))
            .collect();
        assert!(differences.is_empty(), "{context}: {differences:#?}");
        built = built["build"].take();
    }
    (plan, built)
}

/// Returns the paths at which two documents differ, with both values.
fn differences(left: &Value, right: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), left, right)];
    while let Some((path, left, right)) = open.pop() {
        match (left, right) {
            (Value::Object(left), Value::Object(right)) if left.keys().eq(right.keys()) => {
                open.extend(
                    left.iter()
                        .map(|(key, value)| (format!("{path}/{key}"), value, &right[key])),
                );
            }
            (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
                let pairs = left.iter().zip(right).enumerate();
                open.extend(pairs.map(|(at, (left, right))| (format!("{path}/{at}"), left, right)));
            }
            _ if left == right => {}
            _ => found.push(format!("{path}: {left} and {right}")),
        }
    }
    found
}

fn planned(project: &TestProject, flags: &[&str], in_batches: bool) -> Value {
    let plan: &[&str] = if in_batches {
        &["batch-build", "plan"]
    } else {
        &["plan"]
    };
    project.json(&[plan, flags].concat())
}

/// What the provider billed for a layer.
#[derive(Default, Clone, Copy)]
struct Sent {
    requests: u64,
    output_tokens: u64,
    picodollars: u64,
}

fn sent_by_layer(before: &Ledger, after: &Ledger) -> BTreeMap<String, Sent> {
    let mut layers: BTreeMap<String, Sent> = BTreeMap::new();
    for entry in &after.executed[before.executed.len()..] {
        let sent = layers.entry(layer_of(&entry.model).to_owned()).or_default();
        sent.requests += 1;
        sent.output_tokens += entry.output_tokens;
        sent.picodollars += price_of(entry);
    }
    layers
}

fn check_requests(planned: &Value, sent: Sent, context: &str) {
    let context = format!("{context}: {} requests of {planned}", sent.requests);
    let known = planned["requests"].as_u64().unwrap();
    if planned["exact"] == true {
        assert_eq!(sent.requests, known, "{context}");
    } else {
        let most = planned["requests_max"].as_u64().unwrap_or(u64::MAX);
        assert!((known..=most).contains(&sent.requests), "{context}");
    }
    // The provider counts words, which are fewer than tokens, so only the maximum can be compared.
    if !planned["cost_usd_max"].is_null() {
        let most = picodollars(&planned["cost_usd_max"]);
        assert!(
            sent.picodollars <= most,
            "{} picodollars, {context}",
            sent.picodollars
        );
    }
}

fn check_units(planned: &Value, stale: Option<&BTreeSet<String>>, units: u64, context: &str) {
    let none = BTreeSet::new();
    let stale = stale.unwrap_or(&none);
    let context = format!("{context}: {units} units, stale {stale:?} of {planned}");
    if planned["units_exact"] == true {
        assert_eq!(planned["units"], units, "{context}");
    } else {
        assert!(planned["units"].as_u64().unwrap() <= units, "{context}");
    }
    let named = planned["stale_units"].as_array().unwrap().iter();
    let named: BTreeSet<String> = named
        .filter(|unit| unit["guess"] == false)
        .map(|unit| text(&unit["unit"]))
        .collect();
    assert!(named.is_subset(stale), "{context}");
    if planned["stale_guess"].is_null() && planned["units_exact"] == true {
        assert_eq!(planned["stale"], stale.len() as u64, "{context}");
        assert_eq!(named, *stale, "{context}");
    }
}

/// A layer over sources alone, and one whose upstream layers ask nothing, is exact if its transform is known.
fn check_exactness(template: &TracedTemplate, change: &Change, plan: &Value, context: &str) {
    let known = |layer: &str| change.layer.as_deref() != Some(layer);
    let mut settled: BTreeSet<String> = BTreeSet::new();
    let layers = plan["layers"].as_array().unwrap();
    for planned in layers {
        let layer = text(&planned["name"]);
        let definition = &template.pipeline["layers"][&layer];
        let mut inputs = definition
            .get("inputs")
            .into_iter()
            .flat_map(|inputs| inputs.as_array().unwrap());
        if !inputs.all(|input| settled.contains(input.as_str().unwrap())) {
            continue;
        }
        let is_fold = definition.get("transform").and_then(toml::Value::as_str) == Some("fold");
        if known(&layer) && !is_fold {
            assert_eq!(planned["exact"], true, "{context}: {layer} {planned}");
        }
        if planned["exact"] == true && planned["requests"] == 0 {
            settled.insert(layer);
        }
    }
}

/// Returns the stale units of the newest build, by layer.
fn stale_units(project: &TestProject) -> BTreeMap<String, BTreeSet<String>> {
    let database = project.database();
    let mut statement = database
        .prepare(
            "SELECT l.name, u.key FROM build_unit u JOIN build_layer l ON l.build = u.build AND l.position = u.layer
             WHERE u.build = (SELECT max(id) FROM build) AND u.state <> 3",
        )
        .unwrap();
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    });
    let mut units: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows.unwrap() {
        let (layer, key) = row.unwrap();
        units.entry(layer).or_default().insert(key);
    }
    units
}

fn layer_units(build: &Value, layer: &str) -> u64 {
    let layers = build["layers"].as_array().unwrap();
    let built = layers.iter().find(|one| one["name"] == layer).unwrap();
    built["units"].as_u64().unwrap()
}

#[expect(clippy::cast_precision_loss, reason = "small amounts")]
fn error(spent: u64, expected: u64) -> f64 {
    spent as f64 / expected as f64 - 1.0
}
