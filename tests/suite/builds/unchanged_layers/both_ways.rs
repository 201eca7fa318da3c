//! Seeded changes of a project, after which looking at each unit finds the same as taking layers as a whole.

use std::fmt::Write as _;

use synix_scripted_provider::{Reply, Rule, Script, StatusReply};

use super::{CURSED, fingerprints, forget, restore, write_settled};
use crate::support::invocation::Run;
use crate::support::random::SeededRandom;
use crate::support::test_project::{TestProject, number_from_environment, text};

/// The number of seeds of the suite; `SYNIX_UNCHANGED` sets another one.
const SEEDS: u64 = 6;

/// The number of changes of a seed.
const ROUNDS: u64 = 10;

/// The settings that a change can choose.
#[derive(Debug, Clone)]
struct Settings {
    prompt: u64,
    temperature: u64,
    other_role: u64,
    size: u64,
    on_duplicate: &'static str,
    max_units: u64,
    has_more: bool,
}

impl Settings {
    fn layers(&self) -> String {
        let Self {
            prompt,
            temperature,
            other_role,
            size,
            on_duplicate,
            max_units,
            has_more,
        } = self;
        let mut layers = format!(
            r#"
[models.default]
provider = "openai"
model = "gpt-4o-mini"
max_tokens = 50
temperature = 0.{temperature}
[models.unused]
provider = "openai"
model = "gpt-4o"
temperature = 0.{other_role}
[layers.notes]
source = "notes/*.md"
[layers.rows]
source = "rows/*.jsonl"
read = "rows"
on_duplicate = "{on_duplicate}"
[layers.rows.config]
content = "text"
label = "id"
[layers.parts]
transform = "chunk"
inputs = ["notes"]
max_units = {max_units}
[layers.parts.config]
size = {size}
[layers.answers]
transform = "map"
inputs = ["parts", "rows"]
[layers.answers.config]
prompt = "Question {prompt}: {{{{ content }}}}"
[layers.report]
transform = "reduce"
inputs = ["answers"]
[layers.report.config]
prompt = "Sum up:{{% for one in inputs %}} {{{{ one.content }}}}{{% endfor %}}"
label = "report"
"#
        );
        if *has_more {
            layers.push_str(
                "[layers.more]\ntransform = \"map\"\ninputs = [\"rows\"]\n[layers.more.config]\nprompt = \"More: {{ content }}\"\n",
            );
        }
        layers
    }
}

fn row(id: u64, text: &str, updated: u64) -> String {
    format!("{{\"id\": \"r{id}\", \"text\": \"{text}\", \"updated\": \"2026-01-{updated:02}\"}}\n")
}

/// Changes something of a project, and says what.
fn change(project: &TestProject, settings: &mut Settings, random: &mut SeededRandom) -> String {
    let choice = random.below(17);
    let (number, age) = (random.below(4), random.below(5));
    let note = format!("notes/{number}.md");
    match choice {
        0 | 1 => write_settled(
            project,
            &note,
            &format!("Note {age}. {}", "Word. ".repeat(40)),
            age,
        ),
        2 => write_settled(project, &note, &format!("A {CURSED} note {age}."), age),
        3 => project.write(&note, &format!("Note {age}, just written.")),
        4 if project.path(&note).exists() && number > 0 => project.remove(&note),
        5 => write_settled(
            project,
            &format!("notes/.hidden{number}.md"),
            "Hidden.",
            age,
        ),
        6 | 7 => {
            let rows = [
                row(number, "one", age + 1),
                row(9, "nine", age + 1),
                "{}\n".to_owned(),
            ];
            let file = format!("rows/{number}.jsonl");
            write_settled(project, &file, &rows.concat(), age);
        }
        8 if number > 0 && project.path(&format!("rows/{number}.jsonl")).exists() => {
            project.remove(&format!("rows/{number}.jsonl"));
        }
        9 => settings.prompt = random.below(2),
        10 => settings.temperature = random.below(2),
        11 => settings.other_role = random.below(2),
        12 => settings.size = 100 + 50 * random.below(2),
        13 => settings.on_duplicate = random.one_of(&["newest", "newest", "error"]),
        14 => settings.max_units = random.one_of(&[2, 1000, 1000]),
        15 => settings.has_more = !settings.has_more,
        _ => {
            let command: &[&str] = random.one_of(&[
                &["gc", "--older-than", "0s"][..],
                &["clean"],
                &["build", "--limit", "1"],
                &["build", "--select", "report/*"],
                &["build", "--rehash"],
                &["build", "--allow-partial"],
                &["build", "--retry-failed"],
                &["batch-build", "run", "--poll", "--poll-interval", "0"],
                &["build", "--cassette-mode", "record"],
                &["build", "--cassette-mode", "replay"],
            ]);
            let code = project.run(command).code;
            return format!("{command:?} ended with {code}");
        }
    }
    project.pipeline("synix.toml", &settings.layers());
    format!("change {choice} of {number} at {age}: {settings:?}")
}

/// Returns a plan. Which failure comes first, and which of them holds a unit back, depends on the workers.
fn plan(run: &Run) -> serde_json::Value {
    let mut plan = run.json();
    for layer in plan["layers"].as_array_mut().into_iter().flatten() {
        let failures = layer["failures"].as_array().unwrap();
        let mut units: Vec<String> = failures.iter().map(|one| text(&one["unit"])).collect();
        units.sort();
        layer["failures"] = units.into();
    }
    plan
}

/// Runs a plan in both ways.
fn compare(project: &TestProject, arguments: &[&str], context: &str) {
    let fast = project.run(arguments);
    if !project.path(".synix/state.sqlite3").exists() {
        return;
    }
    let known = fingerprints(project);
    forget(project);
    let slow = project.run(arguments);
    restore(project, &known);
    assert_eq!(fast.code, slow.code, "{context}\n{fast:?}\n{slow:?}");
    assert_eq!(plan(&fast), plan(&slow), "{context}\n{arguments:?}");
}

fn run_seed(seed: u64, taken: &mut usize) {
    let mut random = SeededRandom(seed);
    let mut settings = Settings {
        prompt: 0,
        temperature: 0,
        other_role: 0,
        size: 100,
        on_duplicate: "newest",
        max_units: 1000,
        has_more: false,
    };
    let project = TestProject::with_layers(&settings.layers());
    let refused = Reply::Status(StatusReply::new(400));
    project.script(Script::new().rule(Rule::on(CURSED).reply(refused)));
    write_settled(&project, "notes/0.md", "A first note.", 0);
    write_settled(&project, "rows/0.jsonl", &row(0, "zero", 1), 0);
    let mut context = format!("seed {seed}");
    for _ in 0..ROUNDS {
        let changed = change(&project, &mut settings, &mut random);
        writeln!(context, "\n{changed}").unwrap();
        compare(&project, &["plan", "--json"], &context);
        compare(
            &project,
            &["plan", "--json", "--cassette-mode", "replay"],
            &context,
        );
        if random.below(3) == 0 {
            continue;
        }
        context.push_str("build\n");
        let built = project.run(&["build", "--json"]);
        compare(&project, &["plan", "--json"], &context);
        if built.code != 0 {
            continue;
        }
        // A build that looks at each unit finds the same units, and the same fingerprints.
        let (known, snapshots) = (fingerprints(&project), project.json(&["snapshots"]));
        *taken += known.len();
        forget(&project);
        project.ok(&["build"]);
        let newest = known.iter().map(|(snapshot, ..)| *snapshot).max();
        let newest = known.into_iter().filter(|one| Some(one.0) == newest);
        assert_eq!(
            fingerprints(&project),
            newest.collect::<Vec<_>>(),
            "{context}"
        );
        assert_eq!(project.json(&["snapshots"]), snapshots, "{context}");
    }
}

/// I1: taking a layer as a whole never hides a stale unit, and never makes one stale.
#[test]
fn unchanged_layers_are_those_whose_units_are_all_fresh() {
    let first = number_from_environment("SYNIX_UNCHANGED_SEED").unwrap_or(1);
    let seeds = number_from_environment("SYNIX_UNCHANGED").unwrap_or(SEEDS);
    let mut taken = 0;
    for seed in first..first + seeds {
        run_seed(seed, &mut taken);
    }
    assert!(taken > 0, "no layer was ever known");
}
