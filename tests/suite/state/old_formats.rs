//! Old states, stored in `tests/state`, can be read and migrated, and nothing in them is paid for again (L9).
//!
//! `make_the_state_of_this_format` made them, one folder for each format, with the command of its time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use synix_core::digest::{Digest, Encoder};
use synix_scripted_provider::Script;
use synix_store::SUPPORTED_FORMAT;

use crate::support::folders::copy;
use crate::support::pipelines::{BATCH_BUILD, RESUME, TEAM};
use crate::support::test_project::{TestProject, text};

const STATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/state");

/// Makes the folder of the current format. Run it once when the format is final, before its release:
///
/// `cargo test --workspace --locked --test suite make_the_state_of_this_format -- --ignored`
#[test]
#[ignore = "writes tests/state"]
fn make_the_state_of_this_format() {
    let project = TestProject::team();
    let layers = format!("{TEAM}\n[layers.papers]\nsource = \"papers/*.md\"\n");
    project.pipeline("synix.toml", &layers);
    // Large enough to be stored in a file of its own.
    project.write("papers/long.md", &"All work and no play. ".repeat(3000));
    project.ok(&BATCH_BUILD);
    project.ok(&["build"]);
    let folder = PathBuf::from(format!("{STATES}/format-{SUPPORTED_FORMAT}"));
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    for part in ["bios", "prompts", "papers"] {
        copy(&project.path(part), &folder.join(part));
    }
    fs::write(folder.join("layers.toml"), layers).unwrap();
    let database = project.database();
    database
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE; VACUUM")
        .unwrap();
    drop(database);
    copy(
        &project.path(".synix/objects"),
        &folder.join("state/objects"),
    );
    fs::copy(
        project.path(".synix/state.sqlite3"),
        folder.join("state/state.sqlite3"),
    )
    .unwrap();
    fs::write(folder.join("artifacts.txt"), artifacts(&project)).unwrap();
}

/// Returns the layer, label and digest of every artifact, one line each.
fn artifacts(project: &TestProject) -> String {
    let artifacts = project.artifacts();
    let lines = artifacts
        .iter()
        .map(|(name, digest)| format!("{name} {digest}\n"));
    lines.collect()
}

fn old_states() -> impl Iterator<Item = PathBuf> {
    (1..=SUPPORTED_FORMAT).map(|format| PathBuf::from(format!("{STATES}/format-{format}")))
}

/// A project with a copy of the state in `folder`.
fn with_state(folder: &Path) -> TestProject {
    let project =
        TestProject::with_layers(&fs::read_to_string(folder.join("layers.toml")).unwrap());
    for part in ["bios", "prompts", "papers"] {
        copy(&folder.join(part), &project.path(part));
    }
    copy(&folder.join("state"), &project.path(".synix"));
    // It was made on another machine, before states had a seal.
    project.trust();
    project
}

/// L9: each format that was ever written has a folder.
#[test]
fn every_format_has_a_stored_state() {
    for folder in old_states() {
        assert!(
            folder.join("state/state.sqlite3").exists(),
            "{} is missing: run make_the_state_of_this_format",
            folder.display()
        );
    }
}

/// L9
#[test]
fn an_old_state_can_be_read() {
    for folder in old_states() {
        let project = with_state(&folder);
        let expected = fs::read_to_string(folder.join("artifacts.txt")).unwrap();
        assert_eq!(artifacts(&project), expected, "{}", folder.display());
        for name in project.artifact_names() {
            assert!(!project.content(&name).is_empty(), "{name}");
        }
        project.ok(&["lineage", "summary/summary"]);
        assert_eq!(text(&project.status()["status"]), "completed");
        assert_eq!(
            project.json(&["runs"])["builds"].as_array().unwrap().len(),
            2
        );
        let listed = project.json(&["list", "summary"]);
        let page = project.json(&["list", "summary", "--limit", "1"]);
        assert_eq!(page["artifacts"], listed["artifacts"]);
        let costs = project.json(&["costs", "--by", "build"]);
        let costs = costs["costs"].as_array().unwrap();
        let status = project.status();
        let cost = costs.iter().find(|one| one["build"] == status["build"]);
        assert_eq!(cost.unwrap()["cost_usd"], status["cost_usd"]);
        // Early formats have no times of units and requests, so their logs are short.
        let log = project.json(&["builds", "show", "build-2", "--log"]);
        let events = log["events"].as_array().unwrap();
        let ends = [events.first(), events.last()].map(|event| text(&event.unwrap()["event"]));
        assert_eq!(ends, ["opened", "closed"]);
    }
}

/// L9: no stored answer is requested again, even if the plugin was compiled again.
#[test]
fn a_build_on_an_old_state_sends_nothing() {
    for folder in old_states() {
        let project = with_state(&folder);
        project.ok(&["build"]);
        project.ok(&BATCH_BUILD);
        let expected = fs::read_to_string(folder.join("artifacts.txt")).unwrap();
        assert_eq!((project.sent(), artifacts(&project)), (0, expected));
    }
}

/// L9: the first command that writes migrates the file to the current format.
#[test]
fn an_old_state_is_migrated_when_it_is_written() {
    for folder in old_states() {
        let project = with_state(&folder);
        project.ok(&["build"]);
        let format: u32 = project
            .database()
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap();
        assert_eq!(format, SUPPORTED_FORMAT, "{}", folder.display());
    }
}

/// Returns the settings of a pipeline as the first versions of synix stored them, from the current form.
fn settings_of_first_version(parts: &Value) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::from([("name".to_owned(), text(&parts["name"]))]);
    for (name, layer) in parts["layers"].as_object().unwrap() {
        let mut insert =
            |what: &str, text: String| settings.insert(format!("layer {name}: {what}"), text);
        if let Some(source) = layer.get("source") {
            let (glob, kind) = (text(&source["glob"]), text(&source["kind"]));
            insert("source", format!("{glob} as {kind}"));
            continue;
        }
        let (layer, own) = (&layer["transform"], &layer["transform"]["parts"]);
        let inputs: Vec<_> = layer["inputs"]
            .as_array()
            .unwrap()
            .iter()
            .map(text)
            .collect();
        insert("inputs", inputs.join(", "));
        insert("plugin", text(&own["component"]));
        insert("config", text(&own["config"]));
        for (place, file) in own["files"].as_object().unwrap() {
            insert(&format!("file at {place}"), text(&file["digest"]));
        }
        let model = &own["model"];
        let mut model_settings = ["api", "provider", "model"]
            .map(|key| text(&model[key]))
            .join(" ");
        for key in ["max_tokens", "temperature"] {
            if !model[key].is_null() {
                model_settings.push_str(&format!(" {key}={}", model[key]));
            }
        }
        insert("model", model_settings);
        insert("asking", String::new());
        let limits = &own["limits"];
        let of = |key: &str| limits[key].to_string();
        insert(
            "limits",
            format!(
                "fuel={} memory={} stack={} hostcall={} output={} requests={}",
                of("fuel"),
                of("memory_bytes"),
                of("stack_bytes"),
                of("hostcall_bytes"),
                of("output_bytes"),
                of("requests")
            ),
        );
        let batch = match text(&layer["batch"]).as_str() {
            "always" => "Always",
            "never" => "Never",
            _ => "Auto",
        };
        insert("batch", format!("{batch} min_batch={}", layer["min_batch"]));
    }
    settings
}

fn fingerprint_of_first_version(settings: &BTreeMap<String, String>) -> Digest {
    let encoder = Encoder::new("synix.pipeline.v1").list(settings.len());
    let add = |encoder: Encoder, (name, value): (&String, &String)| encoder.text(name).text(value);
    settings.iter().fold(encoder, add).finish()
}

/// A team whose batch was sent by the first version of synix and is in flight.
fn sent_by_the_first_version() -> TestProject {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    let database = project.database();
    let parts: String = database
        .query_row("SELECT parts FROM build", [], |row| row.get(0))
        .unwrap();
    let settings = settings_of_first_version(&serde_json::from_str(&parts).unwrap());
    let changed = database.execute(
        "UPDATE build SET fingerprint = ?1, parts = ?2",
        rusqlite::params![
            fingerprint_of_first_version(&settings).as_bytes(),
            serde_json::to_string(&settings).unwrap()
        ],
    );
    assert_eq!(changed, Ok(1));
    project
}

/// L9: the first version had another form of fingerprints. The batch is already paid for.
#[test]
fn an_open_build_of_the_first_version_continues() {
    let project = sent_by_the_first_version();
    project.provider.finish_batches();
    project.script(Script::new());
    project.ok(&RESUME);
    assert_eq!((project.sent(), project.artifact_names().len()), (4, 7));
    assert_eq!(project.ledger().duplicates(), []);
}

/// I1: the error has the current terms.
#[test]
fn an_open_build_of_the_first_version_reports_a_changed_pipeline() {
    let project = sent_by_the_first_version();
    project.pipeline(
        "synix.toml",
        &TEAM.replace("max_tokens = 200", "max_tokens = 250"),
    );
    let run = project.run(&RESUME).expect_code(5);
    assert!(
        run.says("layer styles: max_tokens changed (200 -> 250)"),
        "{run:?}"
    );
}

/// L9: units of an earlier version run once more with the stored answers, and a plan reports it.
#[test]
fn units_of_the_first_version_are_stale_because_of_their_version() {
    let project = with_state(&PathBuf::from(format!("{STATES}/format-1")));
    let plan = project.json(&["plan"]);
    let styles = &plan["layers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|layer| layer["name"] == "styles")
        .unwrap();
    assert_eq!(
        (&styles["stale"], &styles["requests"]),
        (&3.into(), &0.into())
    );
    assert_eq!(styles["stale_units"][0]["reasons"][0]["reason"], "version");
    project.ok(&["build"]);
    let plan_after = project.json(&["plan"]);
    assert_eq!(plan_after["total"]["stale"], 0);
    assert_eq!(project.sent(), 0);
}
