//! The expected cost: what it rests on, where it lies, and how far it is off.

use serde_json::{Value, json};
use synix_scripted_provider::{Pace, Rule, Script};

use crate::plans::{MODEL, layer, with_notes};
use crate::support::costs::{billed, error_quantiles, picodollars};
use crate::support::pipelines::{BATCH_BUILD, RESUME};
use crate::support::random::{SeededRandom, skewed_length};
use crate::support::test_project::{TestProject, number_from_environment};

const TAGGED: &str = "[layers.tagged]\ntransform = \"map\"\ninputs = [\"notes\"]\n[layers.tagged.config]\nprompt = \"Tag this: {{ content }}\"\n";

/// Answers note `n` of [`with_notes`] with this many words, which the provider counts as tokens.
fn answers(lengths: &[u64]) -> Script {
    let lengths = lengths.iter().zip(1..);
    lengths.fold(Script::new(), |script, (length, note)| {
        let words = vec!["word"; usize::try_from(*length).unwrap()].join(" ");
        script.rule(Rule::on(format!("Note {note}.")).text(words))
    })
}

fn change_prompt(project: &TestProject, layers: &str) {
    let changed = layers.replace("Tag this", "Please tag this");
    project.pipeline("synix.toml", &format!("{MODEL}{changed}"));
}

#[test]
fn without_answers_on_record_the_maximum_is_expected() {
    let project = with_notes(TAGGED, 3);
    let plan = project.json(&["plan"]);
    for planned in [layer(&plan, "tagged"), &plan["total"]] {
        assert_eq!(planned["cost_usd_expected"], planned["cost_usd_max"]);
        assert_eq!(planned["cost_usd_median"], planned["cost_usd_max"]);
        assert_eq!(planned["cost_usd_p90"], planned["cost_usd_max"]);
        assert_eq!(planned["expected_from"], 0);
        assert_eq!(planned["expected_basis"], "bound");
    }
    let notes = layer(&plan, "notes");
    assert_eq!(
        (&notes["cost_usd_expected"], &notes["expected_basis"]),
        (&json!(0.0), &Value::Null)
    );
    assert!(!project.ok(&["plan"]).stdout.contains("expected"));
    // Nothing was expected of the first build, either.
    let built = project.json(&["build"]);
    assert_eq!(built["forecast"], Value::Null);
}

#[test]
fn the_mean_of_the_layer_is_expected_beside_median_and_90th_percentile() {
    let project = with_notes(TAGGED, 10);
    project.script(answers(&[10, 10, 10, 10, 20, 30, 40, 50, 60, 90]));
    project.ok(&["build"]);
    change_prompt(&project, TAGGED);
    let plan = project.json(&["plan"]);
    let tagged = layer(&plan, "tagged");
    assert_eq!(
        (&tagged["expected_from"], &tagged["expected_basis"]),
        (&json!(10), &json!("layer"))
    );
    let [min, median, expected, p90, max] = ["min", "median", "expected", "p90", "max"]
        .map(|name| picodollars(&tagged[format!("cost_usd_{name}")]));
    // The output is 20, 33 or 60 tokens for each, and the input is the same in all.
    let output = |tokens: u64| 10 * tokens * 600_000;
    assert_eq!(expected - median, output(33 - 20));
    assert_eq!(p90 - expected, output(60 - 33));
    assert!(min <= median && p90 <= max, "{tagged}");
    assert_eq!(
        plan["total"]["cost_usd_expected"],
        tagged["cost_usd_expected"]
    );
    let shown = project.ok(&["plan"]).stdout;
    assert!(
        shown.contains("10 answers on record of the same layer and model"),
        "{shown}"
    );
}

#[test]
fn a_new_layer_expects_what_is_known_of_its_model() {
    let project = with_notes(TAGGED, 3);
    project.ok(&["build"]);
    let renamed = TAGGED.replace("tagged", "named").replace("Tag", "Name");
    project.pipeline("synix.toml", &format!("{MODEL}{TAGGED}{renamed}"));
    let plan = project.json(&["plan"]);
    let named = layer(&plan, "named");
    assert_eq!(
        (&named["expected_from"], &named["expected_basis"]),
        (&json!(3), &json!("model"))
    );
    // Another model is not known at all.
    let other = MODEL.replace("gpt-4o-mini", "gpt-4o");
    project.pipeline("synix.toml", &format!("{other}{TAGGED}"));
    let plan = project.json(&["plan"]);
    assert_eq!(layer(&plan, "tagged")["expected_basis"], "bound");
}

#[test]
fn without_a_price_nothing_is_expected() {
    let project = with_notes(TAGGED, 2);
    let model = MODEL.replace("gpt-4o-mini", "my-own-model");
    project.pipeline("synix.toml", &format!("{model}{TAGGED}"));
    project.ok(&["build"]);
    change_prompt(&project, TAGGED);
    let changed = TAGGED.replace("Tag this", "Label this");
    project.pipeline("synix.toml", &format!("{model}{changed}"));
    let plan = project.json(&["plan"]);
    assert_eq!(layer(&plan, "tagged")["cost_usd_expected"], Value::Null);
    let built = project.json(&["build"]);
    let forecast = &built["forecast"];
    assert_eq!(forecast["requests"], 2);
    for unknown in ["cost_usd_expected", "cost_usd_spent", "error"] {
        assert_eq!(forecast[unknown], Value::Null);
    }
}

/// Checks the forecast of a build whose answers have 20 tokens each, after answers of 10 tokens.
#[track_caller]
fn expect_forecast(built: &Value, requests: u64, spent: u64) {
    let forecast = &built["forecast"];
    assert_eq!(forecast["requests"], requests);
    assert_eq!(forecast["requests_billed"], requests);
    assert_eq!(forecast["cost_usd_spent"], built["cost_usd"]);
    assert_eq!(picodollars(&forecast["cost_usd_spent"]), spent);
    let rate = if built["kind"] == "build" {
        600_000
    } else {
        300_000
    };
    let expected = spent - requests * 10 * rate;
    assert_eq!(picodollars(&forecast["cost_usd_expected"]), expected);
    #[expect(clippy::cast_precision_loss, reason = "small amounts")]
    let error = spent as f64 / expected as f64 - 1.0;
    assert!(
        (forecast["error"].as_f64().unwrap() - error).abs() < 1e-4,
        "{forecast}"
    );
}

#[test]
fn a_build_says_how_far_its_expectation_was_off() {
    let project = with_notes(TAGGED, 3);
    project.script(answers(&[10, 10, 10]));
    project.ok(&["build"]);
    project.script(answers(&[20, 20, 20]));
    change_prompt(&project, TAGGED);
    let before = billed(&project.ledger());
    let built = project.json(&["build"]);
    expect_forecast(&built, 3, billed(&project.ledger()) - before);
    assert_eq!(built["forecast"]["expected_from"], 3);
    let shown = project.ok(&["status", "build-2"]).stdout;
    let line = shown
        .lines()
        .find(|line| line.starts_with("expected "))
        .unwrap();
    assert!(line.contains(", spent ") && line.ends_with(" %)"), "{line}");
    // The answers of this build are on record now, and the comparison stays.
    assert_eq!(
        project.json(&["status", "build-2"])["forecast"],
        built["forecast"]
    );
}

#[test]
fn a_resumed_batch_build_compares_once_it_is_complete() {
    let project = with_notes(TAGGED, 3);
    project.script(answers(&[10, 10, 10]));
    project.run(&BATCH_BUILD).expect_code(0);
    change_prompt(&project, TAGGED);
    project.script(answers(&[20, 20, 20]).batches(Pace::in_progress(1 << 40)));
    let before = billed(&project.ledger());
    project.ok(&["batch-build", "run"]);
    assert_eq!(project.status()["forecast"], Value::Null);
    project.provider.finish_batches();
    project.run(&RESUME).expect_code(0);
    expect_forecast(&project.status(), 3, billed(&project.ledger()) - before);
}

#[test]
fn a_replay_expects_nothing() {
    let project = with_notes(TAGGED, 3);
    project.ok(&["build", "--cassette-mode", "record"]);
    change_prompt(&project, TAGGED);
    project.ok(&["build", "--cassette-mode", "record"]);
    let replayed = project.json(&["build", "--cassette-mode", "replay"]);
    assert_eq!(
        (&replayed["status"], &replayed["forecast"]),
        (&json!("completed"), &Value::Null)
    );
}

/// Prints the distribution of the errors after seeded random changes. `SYNIX_FORECAST_CHANGES` makes more of them.
#[test]
fn most_expectations_are_close_after_random_changes() {
    const NOTES: u32 = 12;
    let changes = number_from_environment("SYNIX_FORECAST_CHANGES").unwrap_or(8);
    let mut random = SeededRandom(5);
    let model = MODEL.replace("max_tokens = 100", "max_tokens = 400");
    let mut layers = TAGGED.to_owned();
    let project = with_notes(TAGGED, NOTES);
    let draw = |random: &mut SeededRandom| {
        let lengths: Vec<u64> = (0..NOTES).map(|_| skewed_length(random)).collect();
        project.script(answers(&lengths));
    };
    draw(&mut random);
    project.pipeline("synix.toml", &format!("{model}{layers}"));
    project.ok(&["build"]);
    let (mut planned, mut built, mut of_medians) = (Vec::new(), Vec::new(), Vec::new());
    for change in 0..changes {
        draw(&mut random);
        match random.below(3) {
            0 => layers = TAGGED.replace("Tag this", &format!("Tag this, in way {change}")),
            1 => {
                for note in 1..=NOTES {
                    if random.below(2) == 0 {
                        let text = format!("Note {note}. It changed {change} times.");
                        project.write(&format!("notes/{note:02}.md"), &text);
                    }
                }
                project.write(
                    "notes/01.md",
                    &format!("Note 1. It changed {change} times."),
                );
            }
            _ => {
                layers = TAGGED.replace(
                    "[layers.tagged.config]",
                    &format!("revision = \"{change}\"\n[layers.tagged.config]"),
                );
            }
        }
        project.pipeline("synix.toml", &format!("{model}{layers}"));
        let total = project.json(&["plan"])["total"].take();
        let [expected, median] =
            ["cost_usd_expected", "cost_usd_median"].map(|name| total[name].as_f64().unwrap());
        let status = project.json(&["build"]);
        let spent = status["cost_usd"].as_f64().unwrap();
        planned.push(spent / expected - 1.0);
        of_medians.push(spent / median - 1.0);
        built.push(status["forecast"]["error"].as_f64().unwrap());
    }
    println!("{}", error_quantiles("medians", &mut of_medians));
    for (name, errors) in [("plan", &mut planned), ("build", &mut built)] {
        println!("{}", error_quantiles(name, errors));
        let close = errors.iter().filter(|error| error.abs() < 0.4).count();
        assert!(close * 10 >= errors.len() * 8, "{name}: {errors:?}");
    }
}
