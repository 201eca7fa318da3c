//! The reference and the conformance of all first-party transforms.

use std::fs;

use serde_json::Value;

use crate::support::invocation::Run;
use crate::support::test_project::command_in;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn transform_names() -> impl Iterator<Item = &'static str> {
    synix_components::TRANSFORMS.iter().map(|known| known.name)
}

fn synix(arguments: &[&str]) -> Run {
    // In the repository, which contains the cache of the suite, synix would not use compiled code.
    let folder = tempfile::tempdir().unwrap();
    command_in(folder.path(), arguments).run()
}

/// Three copies of each were once an eighth of the command's size.
#[test]
fn the_command_contains_each_component_once_and_packed() {
    let command = fs::read(env!("CARGO_BIN_EXE_synix")).unwrap();
    for known in synix_components::all() {
        let packed = format!("{ROOT}/host/components/packed/{}.wasm.br", known.name);
        let packed = fs::read(packed).unwrap();
        let middle = packed.len() / 2;
        let part = memchr::memmem::Finder::new(&packed[middle..middle + 256]);
        assert_eq!(part.find_iter(&command).count(), 1, "{}", known.name);
        let component = known.component();
        let middle = component.len() / 2;
        let part = memchr::memmem::Finder::new(&component[middle..middle + 256]);
        assert_eq!(part.find_iter(&command).count(), 0, "{}", known.name);
    }
}

/// C12: the documents give the type and default of each setting.
#[test]
fn the_documented_reference_matches_the_descriptors() {
    let written = |document: &str| fs::read_to_string(format!("{ROOT}/docs/{document}")).unwrap();
    let written = written("transforms.md") + &written("sources.md");
    for name in transform_names().chain(["chats", "rows"]) {
        let printed = synix(&["plugin", "inspect", "--markdown", name]).expect_code(0);
        let begin = format!("<!-- made by `cargo xtask docs`: {name} -->");
        let (_, rest) = written.split_once(&begin).unwrap();
        let (written, _) = rest.split_once("<!-- end -->").unwrap();
        assert_eq!(
            written.trim(),
            printed.stdout.trim(),
            "`cargo xtask docs` brings {name} up to date"
        );
    }
}

#[test]
fn every_setting_has_a_type_and_a_description() {
    for name in synix_components::all().map(|known| known.name) {
        let found = synix(&["plugin", "inspect", name, "--json"]).json();
        let schema = &found["config_schema"];
        assert_eq!(schema["additionalProperties"], false, "{name}");
        // The transform `embed` has no settings.
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            let description = property["description"].as_str().unwrap_or_default();
            assert!(description.ends_with('.'), "{name}: {key}: {description:?}");
            let typed = ["type", "enum", "anyOf"]
                .iter()
                .any(|of| property.get(of).is_some());
            assert!(typed, "{name}: {key} has no type");
        }
    }
}

/// C12: the documents only name filters that templates have.
#[test]
fn every_filter_in_the_documents_exists() {
    let written = fs::read_to_string(format!("{ROOT}/docs/transforms.md")).unwrap();
    let (_, list) = written.split_once("<!-- filters -->").unwrap();
    let (list, _) = list.split_once("<!-- end -->").unwrap();
    let listed: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
    assert!(listed.len() > 40, "{listed:?}");
    let declares_llm: Vec<String> = listed
        .iter()
        .map(|name| format!("{{{{ '{name}' if '{name}' is filter else 'NO {name}' }}}}"))
        .collect();
    let config = serde_json::json!({ "prompt": declares_llm.join(" ") }).to_string();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("note.md"), "x").unwrap();
    let arguments = [
        "plugin", "run", "map", "--input", "note.md", "--json", "--config", &config,
    ];
    let record = command_in(folder.path(), &arguments).run().json();
    let messages = record["requests"][0]["messages"].to_string();
    assert!(messages.contains("abs attr"), "{record}");
    assert!(!messages.contains("NO "), "{messages}");
}

/// `plugins/build` has the list of the components and writes a line for each of them into this file.
#[test]
fn the_command_contains_every_built_component() {
    let digests = format!("{ROOT}/host/components/packed/digests.sha256");
    let digests = fs::read_to_string(digests).unwrap();
    let built: Vec<&str> = digests
        .lines()
        .filter_map(|line| line.split(' ').next_back())
        .collect();
    let known: Vec<&str> = synix_components::all().map(|known| known.name).collect();
    assert_eq!(built, known);
}

#[test]
fn only_transforms_that_need_a_model_declare_llm() {
    for name in transform_names() {
        let found = synix(&["plugin", "inspect", name, "--json"]).json();
        let declares_llm = found["capabilities"] == Value::from(vec!["llm"]);
        assert_eq!(
            declares_llm,
            !["chunk", "embed", "merge"].contains(&name),
            "{name}"
        );
    }
}
