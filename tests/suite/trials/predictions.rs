//! Seeded changes: what a plan and a trial predict is what the provider bills.
//!
//! The suite tries some seeds. `SYNIX_PREDICTIONS` sets another number, such as 200.

use serde_json::Value;

use crate::support::random::SeededRandom;
use crate::support::test_project::{TestProject, number_from_environment};
use crate::trials::project_of;

/// The number of seeds in a run of the suite.
const SEEDS: u64 = 6;

/// The number of changes of a project.
const CHANGES: u64 = 4;

/// Layers of several shapes. Each asks another model, so that the ledger shows whose requests they are.
const LAYERS: &str = r#"
[models.default]
provider = "openai"
model = "gpt-4o-mini-a"
max_tokens = 100
temperature = 0.2

[models.second]
provider = "openai"
model = "gpt-4o-mini-b"
max_tokens = 100

[models.third]
provider = "anthropic"
model = "claude-haiku-4-5"
max_tokens = 100

[layers.notes]
source = "notes/*.md"

[layers.facts]
transform = "map"
inputs = ["notes"]
[layers.facts.config]
prompt = "Facts of {{ label }}: {{ content }}"

[layers.tens]
transform = "group"
inputs = ["notes"]
config.by_template = "{{ label[:2] }}"

[layers.topics]
transform = "map"
inputs = ["tens"]
model = "second"
config.prompt_file = "prompts/topics.md"

[layers.core]
transform = "reduce"
inputs = ["facts", "topics"]
model = "third"
config.prompt = "All:{% for one in inputs %} {{ one.content }}{% endfor %}"
config.label = "core"
"#;

const MODELS: [(&str, &str); 3] = [
    ("facts", "gpt-4o-mini-a"),
    ("topics", "gpt-4o-mini-b"),
    ("core", "claude-haiku-4-5"),
];

#[test]
fn what_is_predicted_is_what_is_billed() {
    let seeds = number_from_environment("SYNIX_PREDICTIONS").unwrap_or(SEEDS);
    for seed in 1..=seeds {
        let mut random = SeededRandom(seed);
        let notes = usize::try_from(8 + random.below(25)).unwrap();
        let project = project_of(LAYERS, notes);
        project.write("prompts/topics.md", "Topics of {{ content }}");
        for change in 0..CHANGES {
            let flags = change_something(&project, &mut random, notes);
            let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
            let context = format!("seed {seed}, change {change}: {flags:?}");
            check(&project, &mut random, &flags, &context);
        }
        assert!(project.ledger().duplicates().is_empty(), "seed {seed}");
    }
}

/// Changes an input or a prompt file, or returns options that change or select something.
fn change_something(project: &TestProject, random: &mut SeededRandom, notes: usize) -> Vec<String> {
    let number = random.below(1000);
    let note = 1 + usize::try_from(random.below(notes as u64)).unwrap();
    let mut flags = Vec::new();
    match random.below(6) {
        0 => project.write(&format!("notes/{note:03}.md"), &format!("Edited {number}.")),
        1 => project.write(
            "prompts/topics.md",
            &format!("Topics {number} of {{{{ content }}}}"),
        ),
        2 => flags.push(format!("--set=models.default.max_tokens={}", 100 + number)),
        3 => flags.push(format!(
            "--set=layers.facts.config.prompt=Fact {number}: {{{{ content }}}}"
        )),
        4 => {
            project.write(
                "other.md",
                &format!("Other topics {number} of {{{{ content }}}}"),
            );
            flags.push("--prompt-file=topics=other.md".to_owned());
        }
        _ => {}
    }
    match random.below(5) {
        0 | 1 => flags.push(format!("--limit={}", 1 + random.below(12))),
        2 => flags.push(format!("--select=facts/{:02}*", note / 10)),
        3 => {
            flags.push("--select=topics".to_owned());
            flags.push(format!("--limit={}", 1 + random.below(3)));
        }
        _ => {}
    }
    flags
}

/// Compares a plan with what its build sends, layer by layer.
fn check(project: &TestProject, random: &mut SeededRandom, flags: &[&str], context: &str) {
    let sent = |model: &str| {
        let ledger = project.ledger();
        let mine = ledger.executed.iter().filter(|one| &*one.model == model);
        mine.count() as u64
    };
    let before = MODELS.map(|(_, model)| sent(model));
    let tries = random.below(3) == 0 && flags.iter().any(|flag| flag.starts_with("--limit"));
    let plan = if tries {
        project.json(&[&["try"], flags].concat())["plan"].clone()
    } else {
        let plan = project.json(&[&["plan"], flags].concat());
        let run = project.run(&[&["build"], flags].concat());
        assert_eq!(run.code, 0, "{context}: {run:?}");
        plan
    };
    for ((layer, model), before) in MODELS.into_iter().zip(before) {
        let billed = sent(model) - before;
        let planned = crate::plans::layer(&plan, layer);
        let least = planned["requests"].as_u64().unwrap();
        if planned["exact"] == true {
            assert_eq!(billed, least, "{context}: {layer} {planned}");
        } else {
            let most = planned["requests_max"].as_u64().unwrap_or(u64::MAX);
            assert!(
                (least..=most).contains(&billed),
                "{context}: {billed} of {layer} {planned}"
            );
        }
    }
    // The layers whose inputs are sources, and those that ask nothing before, are always exact.
    assert_eq!(
        crate::plans::layer(&plan, "facts")["exact"],
        true,
        "{context}"
    );
    assert_eq!(
        crate::plans::layer(&plan, "topics")["exact"],
        true,
        "{context}"
    );
    let again: Value = project.json(&[&["plan"], flags].concat());
    assert_eq!(crate::trials::exact_requests(&again), 0, "{context}");
}
