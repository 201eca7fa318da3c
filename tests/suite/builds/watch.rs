//! `watch` builds again when something changes that the project is built from.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStderr};

use synix_scripted_provider::{Endpoint, Rule, Script};

use crate::support::processes::{interrupt_before_replies, send_signal};
use crate::support::test_project::TestProject;

/// A command that watches, and what it says.
struct Watching {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
}

impl Watching {
    fn start(project: &TestProject, arguments: &[&str]) -> Self {
        let mut child = project.start(&[&["watch", "--pause", "50ms"], arguments].concat());
        let stderr = child.stderr.take().expect("a pipe");
        Self {
            child,
            lines: BufReader::new(stderr).lines(),
        }
    }

    /// Reads until the command waits for changes, and returns what it said.
    fn until_idle(&mut self) -> String {
        self.until("waiting for changes")
    }

    fn until(&mut self, end: &str) -> String {
        let mut said = String::new();
        for line in &mut self.lines {
            let line = line.unwrap();
            if line.contains(end) {
                return said;
            }
            said.push_str(&line);
            said.push('\n');
        }
        panic!("the command ended before it said {end:?}: {said}");
    }

    fn interrupt(mut self) -> (Option<i32>, String) {
        send_signal(&self.child, "-INT");
        let said: Vec<String> = self.lines.map(Result::unwrap).collect();
        (self.child.wait().unwrap().code(), said.join("\n"))
    }
}

#[test]
fn only_changes_of_what_a_project_is_built_from_lead_to_a_build() {
    let project = TestProject::team();
    let mut watch = Watching::start(&project, &[]);
    watch.until_idle();
    assert_eq!(project.sent(), 4);

    project.write("bios/notes.txt", "no source");
    project.write("bios/amara.md", "I am amara and I have changed.");
    let said = watch.until_idle();
    assert!(said.contains("changed: bios/amara.md\n"), "{said}");
    assert_eq!(project.sent(), 6);

    // A file in a folder that did not exist, a prompt, and a file that disappears.
    project.remove("bios/bela.md");
    let said = watch.until_idle();
    assert!(said.contains("bios/bela.md"), "{said}");
    project.write("prompts/style.md", "How? {{ content }}");
    let said = watch.until_idle();
    assert!(said.contains("changed: prompts/style.md"), "{said}");
    let (code, said) = watch.interrupt();
    assert_eq!((code, said.contains("stopped")), (Some(0), true), "{said}");
    assert_eq!(project.ledger().duplicates(), []);
    assert_eq!(project.artifact_names().len(), 5);
}

#[test]
fn polling_leads_to_the_same_builds() {
    let project = TestProject::team();
    let mut watch = Watching::start(&project, &["--poll", "20ms"]);
    watch.until_idle();
    project.write("bios/dora.md", "I am dora.");
    watch.until_idle();
    assert_eq!(project.artifact_names().len(), 9);
    watch.interrupt();
}

#[test]
fn watch_goes_on_after_a_mistake_in_the_pipeline_file() {
    let project = TestProject::team();
    let good = std::fs::read_to_string(project.path("synix.toml")).unwrap();
    project.write("synix.toml", "layers = nonsense");
    let mut watch = Watching::start(&project, &[]);
    let said = watch.until_idle();
    assert!(said.contains("synix.toml"), "{said}");

    // While the pipeline is unknown, each file may be the one that corrects it.
    project.write(
        "synix.toml",
        &good.replace("prompts/style.md", "prompts/new.md"),
    );
    let said = watch.until_idle();
    assert!(said.contains("prompts/new.md"), "{said}");
    assert_eq!(project.sent(), 0);
    project.write("prompts/new.md", "How? {{ content }}");
    watch.until_idle();
    assert_eq!(project.sent(), 4);
    watch.interrupt();
}

#[test]
fn a_signal_during_a_build_stops_it_as_ever() {
    let project = TestProject::team();
    project.script(Script::new().rule(Rule::any().held()));
    let mut child = project.start(&["watch", "--concurrency", "2"]);
    project.wait_for(&mut child, |ledger| ledger.calls(Endpoint::Chat) == 2);
    let (code, stderr) = interrupt_before_replies(&project, child, "-INT");
    assert_eq!(code, 1, "{stderr}");
    assert!(
        stderr.contains("interrupted; all answers are kept"),
        "{stderr}"
    );
}

/// The budget covers what other builds of the day have spent.
#[test]
fn a_daily_budget_covers_all_builds_of_a_day() {
    let project = TestProject::team();
    let build = project.json(&["build", "--budget", "0.01"]);
    let spent = build["cost_usd"].as_f64().unwrap();
    let daily = (spent + 0.000_01).to_string();
    let mut watch = Watching::start(&project, &["--daily-budget", &daily]);
    let said = watch.until_idle();
    assert!(!said.contains("--daily-budget"), "{said}");

    let sent = project.sent();
    project.write("bios/amara.md", "I am amara and I have changed.");
    let said = watch.until_idle();
    assert!(said.contains("used up until midnight UTC"), "{said}");
    assert_eq!(project.sent(), sent);
    watch.interrupt();
}

/// A release within the project is neither a source nor a change.
#[test]
fn each_complete_build_is_released() {
    let project = TestProject::team();
    let pipeline = std::fs::read_to_string(project.path("synix.toml")).unwrap();
    let outputs =
        "\n[outputs.all]\nlayers = [\"summary\"]\nformat = \"jsonl\"\npath = \"all.jsonl\"\n";
    project.write("synix.toml", &format!("{pipeline}{outputs}"));
    let mut watch = Watching::start(&project, &["--release", "--to", "bios/out", "--keep", "1"]);
    watch.until_idle();
    let released = |at: &str| std::fs::read_to_string(project.path(at));
    let first = released("bios/out/current/all.jsonl").unwrap();
    assert!(first.contains("\"label\":\"summary\""), "{first}");

    project.write("bios/amara.md", "I am amara and I have changed.");
    watch.until_idle();
    assert_ne!(released("bios/out/current/all.jsonl").unwrap(), first);
    assert!(released("bios/out/snapshot-1/all.jsonl").is_err());

    // Nothing has changed since, so nothing is built.
    watch.interrupt();
    let builds = project.json(&["builds"]);
    assert_eq!(builds["builds"].as_array().unwrap().len(), 2);
}

#[test]
fn a_missing_project_or_permission_ends_the_command() {
    let project = TestProject::team();
    project.remove("synix.toml");
    let run = project.run(&["watch"]).expect_code(2);
    assert!(run.says("there is no pipeline file"), "{run:?}");
}
