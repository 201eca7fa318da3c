//! Every line of the recipes in `docs/ci.md`, run in the shell of a CI service against the scripted provider.

#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::invocation::Run;
use crate::support::test_project::{TestProject, command_in};

const RECIPES: &str = include_str!("../../../docs/ci.md");

/// Programs that a line of a recipe may run. Lines that install synix from a release are not run.
const RUN_PROGRAMS: [&str; 3] = ["synix", "git", "jq"];
const SKIPPED_PROGRAMS: [&str; 4] = ["name=synix", "curl", "sha256sum", "tar"];

/// Returns the lines of shell scripts with the titles of their sections.
fn recipe_lines() -> Vec<(String, String)> {
    let (mut lines, mut section, mut block) = (Vec::new(), String::new(), "");
    // The column of a script in a YAML block.
    let mut script: Option<usize> = None;
    for line in RECIPES.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title.to_owned();
        }
        if let Some(language) = line.strip_prefix("```") {
            (block, script) = (language, None);
            continue;
        }
        let text = line.trim();
        let column = line.len() - line.trim_start().len();
        match block {
            "sh" => lines.push((section.clone(), text.to_owned())),
            "yaml" => {
                if script.is_some_and(|start| column > start) {
                    lines.push((section.clone(), text.to_owned()));
                    continue;
                }
                script = None;
                let run = text.trim_start_matches("- ").strip_prefix("run: ");
                match run {
                    Some("|") => script = Some(column),
                    Some(command) => lines.push((section.clone(), command.to_owned())),
                    None => {}
                }
            }
            _ => {}
        }
    }
    lines
}

/// Runs a line as a CI service does, with synix in the path.
fn run_line(project: &TestProject, path: &Path, line: &str) -> Run {
    // This provider answers at once.
    let line = line.replace("--poll-interval 5m", "--poll-interval 0");
    let synix = command_in(&project.path(""), &[]).process();
    let mut shell = Command::new("bash");
    let folders = format!("{}:/usr/local/bin:/usr/bin:/bin", path.display());
    shell
        .args(["-e", "-o", "pipefail", "-c", &line])
        .current_dir(project.path(""))
        .env_clear()
        .envs(
            synix
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .env("PATH", folders)
        .env("CI", "true")
        .env("GITHUB_STEP_SUMMARY", project.path("summary.md"));
    Run::of(&mut shell)
}

#[test]
fn every_recipe_for_a_ci_service_works() {
    let project = TestProject::team();
    let path = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(
        crate::support::invocation::PROGRAM,
        path.path().join("synix"),
    )
    .unwrap();
    fs::create_dir(project.path("my-items")).unwrap();
    // A plugin is checked without the cache, and this one compiles fastest.
    let plugin = synix_components::component("chunk").unwrap();
    fs::write(project.path("my-items/my-items.wasm"), plugin).unwrap();
    run_line(&project, path.path(), "git init --quiet").expect_code(0);
    let mut run_lines = Vec::new();
    for (section, line) in recipe_lines() {
        let program = line.split([' ', '-']).next().unwrap_or_default();
        if SKIPPED_PROGRAMS.contains(&program) {
            continue;
        }
        assert!(RUN_PROGRAMS.contains(&program), "{section}: {line}");
        if line.contains("build --batch") {
            // A change that was merged during the day.
            project.write("bios/bela.md", "I am bela and I draw now.");
        }
        if program == "jq" && Command::new("jq").arg("--version").output().is_err() {
            continue;
        }
        let sent = project.sent();
        let run = run_line(&project, path.path(), &line);
        assert_eq!(
            run.code, 0,
            "{section}: {line}\n{}\n{}",
            run.stdout, run.stderr
        );
        // Only these lines send requests.
        let sends_requests = line.contains("record") || line.contains("build --batch");
        assert_eq!(project.sent() > sent, sends_requests, "{section}: {line}");
        run_lines.push(line);
    }
    for promised in [
        "synix build --cassette-mode record",
        "synix test --update",
        "synix test --junit report.xml",
        "synix plugin check my-items/my-items.wasm --junit check.xml",
    ] {
        assert!(
            run_lines.iter().any(|line| line == promised),
            "{promised}: {run_lines:#?}"
        );
    }
    assert!(
        run_lines.iter().any(|line| line.contains("--budget")),
        "{run_lines:#?}"
    );
    for report in ["report.xml", "check.xml"] {
        let report = fs::read_to_string(project.path(report)).unwrap();
        assert!(report.contains("failures=\"0\""), "{report}");
    }
    let built = fs::read_to_string(project.path("build.json")).unwrap();
    let built: Value = serde_json::from_str(&built).unwrap();
    assert_eq!(built["status"], "completed", "{built:#}");
    let summary = fs::read_to_string(project.path("summary.md")).unwrap();
    assert!(summary.contains("build-2 completed"), "{summary}");
}
