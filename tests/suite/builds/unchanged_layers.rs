//! Layers whose units are taken from the snapshot without looking at each.
//!
//! Deleting the fingerprints of the layers makes a command look at each unit, so both ways can be compared.

use std::fmt::Write as _;
use std::fs;

use rusqlite::types::Value;
use synix_scripted_provider::{Reply, Rule, Script, StatusReply};

use crate::readers::set_age;
use crate::support::invocation::Run;
use crate::support::pipelines::notes_pipeline;
use crate::support::random::SeededRandom;
use crate::support::test_project::{TestProject, number_from_environment, text};

/// The number of seeds of the suite; `SYNIX_UNCHANGED` sets another one.
const SEEDS: u64 = 6;

/// The number of changes of a seed.
const ROUNDS: u64 = 10;

/// A text whose request fails.
const CURSED: &str = "cursed";

/// A row of `snapshot_layer`: snapshot, name, fingerprint, seal.
type Fingerprints = Vec<(i64, String, Vec<u8>, Value)>;

/// Returns the names of the layers of the newest snapshot that have fingerprints.
fn known_layers(project: &TestProject) -> Vec<String> {
    let database = project.database();
    let mut statement = database
        .prepare(
            "SELECT name FROM snapshot_layer WHERE fingerprint IS NOT NULL
             AND snapshot = (SELECT max(id) FROM snapshot WHERE name IS NULL) ORDER BY position",
        )
        .unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names.collect::<Result<_, _>>().unwrap()
}

fn fingerprints(project: &TestProject) -> Fingerprints {
    let database = project.database();
    let mut statement = database
        .prepare(
            "SELECT snapshot, name, fingerprint, seal FROM snapshot_layer
             WHERE fingerprint IS NOT NULL ORDER BY snapshot, position",
        )
        .unwrap();
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

fn forget(project: &TestProject) {
    let statement = "UPDATE snapshot_layer SET fingerprint = NULL, seal = NULL";
    project.database().execute(statement, []).unwrap();
}

fn restore(project: &TestProject, fingerprints: &Fingerprints) {
    let database = project.database();
    for (snapshot, name, fingerprint, seal) in fingerprints {
        let statement = "UPDATE snapshot_layer SET fingerprint = ?3, seal = ?4 WHERE snapshot = ?1 AND name = ?2";
        let values = rusqlite::params![snapshot, name, fingerprint, seal];
        assert_eq!(database.execute(statement, values), Ok(1));
    }
}

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

fn write_settled(project: &TestProject, file: &str, text: &str, age: u64) {
    project.write(file, text);
    set_age(project, file, age);
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

const CHAIN: &str = notes_pipeline!(
    r#"
[layers.parts]
transform = "chunk"
inputs = ["notes"]
[layers.answers]
transform = "map"
inputs = ["parts"]
[layers.answers.config]
prompt = "Answer: {{ content }}"
[layers.report]
transform = "reduce"
inputs = ["answers"]
[layers.report.config]
prompt = "Sum up:{% for one in inputs %} {{ one.content }}{% endfor %}"
label = "report"
"#
);

fn chain() -> TestProject {
    let project = TestProject::with_layers(CHAIN);
    for name in ["a", "b"] {
        write_settled(&project, &format!("notes/{name}.md"), name, 0);
    }
    project
}

/// The rows of a million units are not read to find that nothing changed.
#[test]
fn the_units_of_an_unchanged_layer_are_not_read() {
    let project = chain();
    project.ok(&["build"]);
    assert_eq!(
        known_layers(&project),
        ["notes", "parts", "answers", "report"]
    );
    let damage = "UPDATE unit SET seal = seal + 1; UPDATE artifact SET seal = seal + 1";
    project.database().execute_batch(damage).unwrap();
    let plan = project.json(&["plan"]);
    assert_eq!(
        (&plan["total"]["units"], &plan["total"]["stale"]),
        (&7.into(), &0.into())
    );
    project.ok(&["build"]);
    // What is read is checked.
    project.run(&["list"]).expect_code(1);
    forget(&project);
    project.run(&["plan"]).expect_code(1);
}

/// Only what is downstream of a change is looked at, from the artifacts that the snapshot has.
#[test]
fn a_changed_layer_gets_the_artifacts_of_unchanged_ones() {
    let project = chain();
    project.ok(&["build"]);
    assert_eq!(project.sent(), 3);
    project.pipeline("synix.toml", &CHAIN.replace("Answer:", "Reply:"));
    let plan = project.json(&["plan"]);
    let stale: Vec<_> = plan["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| &layer["stale"])
        .collect();
    assert_eq!(stale[..3], [0, 0, 2]);
    project.ok(&["build"]);
    assert_eq!(project.sent(), 6);
    // The group of a changed layer, too.
    project.pipeline(
        "synix.toml",
        &CHAIN.replace("Answer:", "Reply:").replace("Sum", "Add"),
    );
    project.ok(&["build"]);
    assert_eq!(project.sent(), 7);
    assert_eq!(
        known_layers(&project),
        ["notes", "parts", "answers", "report"]
    );
}

/// F1: a failed unit is tried again, so its layer and those downstream of it are looked at.
#[test]
fn a_layer_with_a_failed_unit_has_no_fingerprint() {
    for arguments in [&["build"][..], &["build", "--allow-partial"]] {
        let project = chain();
        let refused = Reply::Status(StatusReply::new(400));
        project.script(Script::new().rule(Rule::on(CURSED).reply(refused)));
        write_settled(&project, "notes/b.md", CURSED, 0);
        project.run(arguments).expect_code(3);
        assert_eq!(known_layers(&project), ["notes", "parts"], "{arguments:?}");
        project.script(Script::new());
        project.ok(&["build"]);
        assert_eq!(known_layers(&project).len(), 4);
    }
}

/// A trial has a part of the units, and a snapshot of its own.
#[test]
fn a_trial_neither_uses_nor_changes_the_fingerprints() {
    let project = chain();
    project.ok(&["build"]);
    let known = fingerprints(&project);
    project.ok(&["build", "--limit", "1"]);
    project.ok(&["build", "--select", "parts/*"]);
    assert_eq!(fingerprints(&project), known);
}

/// A2: a unit of one answer origin is never used for another.
#[test]
fn a_layer_of_another_answer_origin_is_not_taken() {
    let project = chain();
    project.ok(&["build", "--cassette-mode", "record"]);
    let replay = &["plan", "--json", "--cassette-mode", "replay"];
    let plan = project.run(replay).json();
    assert_eq!(
        (&plan["layers"][1]["stale"], &plan["layers"][2]["stale"]),
        (&2.into(), &2.into())
    );
    assert_eq!(plan["layers"][0]["stale"], 0);
}

/// A file whose stamp proves nothing is hashed; what is downstream of it is not looked at.
#[test]
fn a_touched_file_leaves_the_layers_unchanged() {
    let project = chain();
    project.ok(&["build"]);
    let text = fs::read_to_string(project.path("notes/a.md")).unwrap();
    project.write("notes/a.md", &text);
    let damage = "UPDATE unit SET seal = seal + 1 WHERE layer <> 'notes'";
    project.database().execute_batch(damage).unwrap();
    for arguments in [&["plan"][..], &["plan", "--rehash"]] {
        assert_eq!(
            project.json(arguments)["total"]["stale"],
            0,
            "{arguments:?}"
        );
    }
}
