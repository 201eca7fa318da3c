//! Readers from a registry or a URL: what is pinned, and when a pin changes.

use synix_core::digest::Digest;

use crate::support::plugin_project::{PluginProject, guest_bytes, lock_file_entry};
use crate::support::registry::{HttpReply, Registry};
use crate::support::test_project::{TestProject, text};

/// A source that a component from elsewhere reads, and a question about each line.
const LAYERS: &str = r#"
[models.default]
provider = "openai"
model = "gpt-4o-mini"
max_tokens = 30
[layers.lines]
source = "notes/*"
read = "REFERENCE"
[layers.answers]
transform = "map"
inputs = ["lines"]
[layers.answers.config]
prompt = "Sort: {{ content }}"
"#;

fn project_with(reference: &str) -> PluginProject {
    let project = PluginProject::of(TestProject::with_layers(""));
    project.write("notes/only.txt", "one\ntwo");
    set_reader(&project, reference);
    project
}

fn set_reader(project: &PluginProject, reference: &str) {
    project.pipeline("synix.toml", &LAYERS.replace("REFERENCE", reference));
    // The server is on this machine.
    project.trust();
}

/// Makes an artifact of each line. It is small, because each project compiles it for its own cache.
fn reader() -> Vec<u8> {
    guest_bytes("planted_reader")
}

/// A reader that does the same and has other bytes: a custom section is added.
fn changed(component: &[u8]) -> Vec<u8> {
    [component, b"\0\x05\x04note"].concat()
}

/// Leaves the compiled components, which take long to make.
fn delete_downloads(project: &PluginProject) {
    std::fs::remove_dir_all(project.path("cache/plugins")).unwrap();
}

fn stale(project: &PluginProject) -> Option<u64> {
    let plan = project.run(&["plan", "--json"]).expect_code(0).json();
    plan["total"]["stale"].as_u64()
}

#[test]
fn a_reader_from_a_server_is_pinned_and_its_artifacts_lead_to_it() {
    let server = Registry::start();
    let reader = reader();
    let references = [
        server.push("team/reader", "1.0", &reader),
        server.publish_file("/reader.wasm", &reader),
    ];
    let project = project_with(&references[0]);
    assert_eq!(stale(&project), Some(3));
    project.run(&["build"]).expect_code(0);
    assert_eq!(project.sent(), 2);
    let shown = project.run(&["show", "lines/a-1", "--json"]).expect_code(0);
    assert_eq!(text(&shown.json()["content"]), "two");
    for reference in &references {
        set_reader(&project, reference);
        // The same bytes from elsewhere are the same reader.
        assert_eq!(stale(&project), Some(0), "{reference}");
        assert!(
            project
                .lock_file()
                .ends_with(&lock_file_entry(reference, &reader)),
            "{}",
            project.lock_file()
        );
        let lineage = project
            .run(&["lineage", "answers/a-1", "--json"])
            .expect_code(0)
            .json();
        let id = format!("component:{}", Digest::of(&reader));
        let nodes = lineage["nodes"].as_array().unwrap();
        let node = nodes.iter().find(|node| node["id"] == id.as_str());
        let node = node.unwrap();
        assert_eq!(
            (&node["kind"], &node["name"]),
            (&"reader".into(), &reference.as_str().into())
        );
    }
}

#[test]
fn a_pinned_reader_needs_no_server() {
    let server = Registry::start();
    let reader = reader();
    let references = [
        (
            server.push("team/reader", "1.0", &reader),
            "/v2/team/reader/manifests/1.0",
        ),
        (server.publish_file("/reader.wasm", &reader), "/reader.wasm"),
    ];
    let project = project_with(&references[0].0);
    for (number, (reference, path)) in references.iter().enumerate() {
        set_reader(&project, reference);
        project.run(&["build"]).expect_code(0);
        let (lock, calls, sent) = (project.lock_file(), server.calls().len(), project.sent());
        server.set_reply(path, HttpReply::status(404));
        project.write("notes/only.txt", &format!("one\nand {number}"));
        assert_eq!(stale(&project), Some(2));
        project.run(&["build", "--locked"]).expect_code(0);
        assert_eq!(project.sent(), sent + 1);
        project.run(&["lineage", "answers/a-1"]).expect_code(0);
        assert_eq!(server.calls().len(), calls, "the cache has the component");
        assert_eq!(project.lock_file(), lock);
    }
}

#[test]
fn a_tag_that_moves_changes_no_reader_until_an_update() {
    let server = Registry::start();
    let reader = reader();
    let changed = changed(&reader);
    let reference = server.push("team/reader", "1.0", &reader);
    let project = project_with(&reference);
    project.run(&["build"]).expect_code(0);
    server.push("team/reader", "1.0", &changed);
    assert_eq!(stale(&project), Some(0));
    delete_downloads(&project);
    project.run(&["build"]).expect_code(0);
    assert!(
        project
            .lock_file()
            .ends_with(&lock_file_entry(&reference, &reader)),
        "{}",
        project.lock_file()
    );
    assert!(project.is_cached(&reader) && !project.is_cached(&changed));

    project
        .run(&["plugin", "update", &reference])
        .expect_code(0);
    assert!(
        project
            .lock_file()
            .ends_with(&lock_file_entry(&reference, &changed)),
        "{}",
        project.lock_file()
    );
    // The file is read again, and nothing is asked again about equal artifacts.
    let plan = project.run(&["plan", "--json"]).expect_code(0).json();
    let layers = &plan["layers"];
    assert_eq!(
        (&layers[0]["stale"], &layers[1]["stale"]),
        (&1.into(), &0.into())
    );
    project.run(&["build"]).expect_code(0);
    assert_eq!(stale(&project), Some(0));
    assert_eq!(project.sent(), 2);
}

#[test]
fn a_download_that_is_not_the_pinned_reader_is_refused() {
    let server = Registry::start();
    let reader = reader();
    let reference = server.publish_file("/reader.wasm", &reader);
    let project = project_with(&reference);
    project.run(&["build"]).expect_code(0);
    server.set_reply("/reader.wasm", HttpReply::of(&changed(&reader)));
    delete_downloads(&project);
    let run = project.run(&["build"]).expect_code(1);
    assert!(run.says("do not have the digest sha256:"), "{run:?}");
    assert_eq!(project.sent(), 2);
}
