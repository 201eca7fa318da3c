//! The templates with a provider: what they make in each mode, and what a second export of conversations asks.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::support::pipelines::{MODES, Mode};
use crate::support::templates::{add, names, project};
use crate::support::test_project::{TestProject, text};

/// What a person has after a second export, and what is made of it.
const CHANGED_BY_THE_SECOND_EXPORT: [&str; 16] = [
    "core: core-memory",
    "episodes: Dehumidifier or open the windows",
    "episodes: Dinner for seven before the first",
    "episodes: Ferritin once a year",
    "episodes: Handing line 14 over to Deniz",
    "episodes: Memory",
    "episodes: Senior planner: prepare me",
    "episodes: Twelve kilos of tomatoes",
    "months: 2026-04",
    "months: 2026-09",
    "months: 2026-10",
    "topics: cooking",
    "topics: health",
    "topics: home",
    "topics: people",
    "topics: work",
];

/// `layer: label` of each artifact that a transform made, with the title in place of the label where there is one.
fn made(project: &TestProject) -> BTreeSet<(String, String)> {
    let listed = project.json(&["list"]);
    let artifacts = listed["artifacts"].as_array().unwrap().iter();
    let made = artifacts.filter(|one| one["layer"] != "conversations");
    made.map(|one| {
        let (layer, label) = (text(&one["layer"]), text(&one["label"]));
        let shown = match layer.as_str() {
            "episodes" => project.json(&["show", &format!("{layer}/{label}")]),
            _ => Value::Null,
        };
        let title = shown["metadata"]["title"].as_str().map(str::to_owned);
        (
            format!("{layer}: {}", title.unwrap_or(label)),
            text(&one["id"]),
        )
    })
    .collect()
}

/// A1, C8: a template makes the same bytes by calls, through batches, and of the answers in its cassette.
#[test]
fn every_template_makes_the_same_artifacts_by_calls_in_batches_and_in_a_replay() {
    for template in names() {
        let of_mode = MODES.map(|mode| {
            let project = project(&template);
            let run = match mode {
                // The cassette that comes with the template, and no other.
                Mode::Replay => project.run(&["build", "--cassette-mode", "replay"]),
                mode => project.build_in(mode),
            };
            run.expect_code(0);
            if mode == Mode::Replay {
                assert_eq!(project.sent(), 0, "{template}");
            }
            project.artifacts()
        });
        let [by_calls, in_batches, in_a_replay] = of_mode;
        assert!(by_calls.len() > 10, "{template}");
        assert_eq!(by_calls, in_batches, "{template}");
        assert_eq!(by_calls, in_a_replay, "{template}");
    }
}

/// M1: a second export repeats nearly everything, and nothing of that is paid again.
#[test]
fn a_second_export_asks_only_about_new_and_grown_conversations_and_what_is_made_of_them() {
    let project = project("chat-memory");
    project.ok(&["build"]);
    let (before, sent_before) = (made(&project), project.sent());
    assert_eq!(sent_before, before.len());

    add(&project.path("later"), &project.path(""));
    project.ok(&["build"]);
    let after = made(&project);
    let changed: Vec<_> = after.difference(&before).map(|(name, _)| name).collect();
    assert_eq!(changed, CHANGED_BY_THE_SECOND_EXPORT);
    assert_eq!(project.sent() - sent_before, changed.len());
    let core = project.content("core/core-memory");
    assert!(core.split_whitespace().count() <= 2000, "{core}");

    project.ok(&["build"]);
    assert_eq!(project.sent() - sent_before, changed.len());
}

/// A service moves the time of a conversation when somebody stars or archives it.
#[test]
fn an_export_with_other_bookkeeping_asks_nothing() {
    let project = project("chat-memory");
    project.ok(&["build"]);
    let sent = project.sent();
    let old = "exports/chatgpt-2026-09-30/conversations.json";
    let old = fs::read_to_string(project.path(old)).unwrap();
    let mut export: Value = serde_json::from_str(&old).unwrap();
    for conversation in export.as_array_mut().unwrap() {
        let updated = conversation["update_time"].as_f64().unwrap();
        conversation["update_time"] = Value::from(updated + 1.0);
        conversation["is_archived"] = Value::from(true);
        conversation["is_starred"] = Value::from(true);
    }
    let new = "exports/chatgpt-2026-10-01/conversations.json";
    project.write(new, &export.to_string());
    project.ok(&["build"]);
    assert_eq!(project.sent(), sent);
}
