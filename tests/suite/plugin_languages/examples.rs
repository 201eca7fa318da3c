//! The example plugin in every language: each passes `plugin check`, and all have the same descriptor, requests and
//! outputs.
//!
//! The inputs contain what languages treat differently: white space, escapes, line ends, long characters.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::plugin_tools::{built_example, languages};
use crate::support::test_project::{TestProject, command_in};

/// Answers with characters that languages trim and escape differently.
const UNUSUAL_ANSWERS: [&str; 2] = [
    "\u{3000}\u{2028}\u{85}\u{a0}\t\u{b}\u{c}\r\n \u{feff}- \"Call\" <Ann> & Bela\\\r\n\u{2003}\n\u{1c}\n\u{1680}- \u{1f600} pay\u{0}\u{7f}\n\u{202f}\u{205f}\u{200a}",
    "\u{1f} one \u{200b}",
];

/// The file name and content of each note, and the config for it.
fn cases() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let long = "Grüße 漢字 \u{1f600} \"x\" \\ \u{2028}\n".repeat(3000);
    vec![
        ("plain.md", b"Call Ann.".to_vec(), "{}"),
        ("empty.txt", Vec::new(), "{}"),
        ("space.txt", " \u{a0}\u{2003}\r\n\t".into(), "{}"),
        ("windows.txt", b"one\r\ntwo\r\n".to_vec(), "{}"),
        ("zero.txt", b"a\0b".to_vec(), "{}"),
        ("mark.txt", "\u{feff}one".into(), "{}"),
        ("long.txt", long.into(), "{}"),
        ("a \"quote\" and \\.txt", b"x".to_vec(), "{}"),
        ("<b>&amp; \u{2028}\u{2029}.txt", b"x".to_vec(), "{}"),
        (
            "日本語 \u{1f469}\u{200d}\u{1f466}\u{feff}.txt",
            b"x".to_vec(),
            "{}",
        ),
        ("face.png", vec![0x89, b'P', b'N', b'G', 0, 255], "{}"),
        ("least.txt", b"x".to_vec(), r#"{"limit": 1}"#),
        ("most.txt", b"x".to_vec(), r#" { "limit" : 20 } "#),
        ("point.txt", b"x".to_vec(), r#"{"limit": 3.0}"#),
        ("exponent.txt", b"x".to_vec(), r#"{"limit": 1e1}"#),
        ("none.txt", b"x".to_vec(), r#"{"limit": 0}"#),
        ("beyond.txt", b"x".to_vec(), r#"{"limit": 21}"#),
        ("huge.txt", b"x".to_vec(), r#"{"limit": 1e300}"#),
        ("half.txt", b"x".to_vec(), r#"{"limit": 2.5}"#),
        ("text.txt", b"x".to_vec(), r#"{"limit": "3"}"#),
        ("unknown.txt", b"x".to_vec(), r#"{"limits": 3}"#),
    ]
}

/// Returns the exit code, the record without its fuel, and stderr after a usage error.
fn run_plugin(component: &Path, folder: &Path, arguments: &[&str]) -> (i32, Value, String) {
    let file = component.to_str().unwrap();
    let arguments = [&["plugin", "run", file, "--json"], arguments].concat();
    let run = command_in(folder, &arguments).run();
    if run.code == 2 {
        return (run.code, Value::Null, run.stderr);
    }
    let mut record = run.json();
    record.as_object_mut().unwrap().remove("fuel");
    (run.code, record, String::new())
}

#[test]
fn every_example_passes_all_applicable_points_of_the_check() {
    let folder = tempfile::tempdir().unwrap();
    for language in languages() {
        let file = built_example(&language).file.to_str().unwrap();
        let report = command_in(folder.path(), &["plugin", "check", file, "--json"]).run();
        let report = report.expect_code(0).json();
        let points = report["points"].as_array().unwrap();
        let skipped: Vec<_> = points
            .iter()
            .filter(|point| point["outcome"] != "pass")
            .map(|point| (&point["point"], &point["outcome"]))
            .collect();
        // Each input is a unit of its own, so keys and order do not apply.
        let expected = [json!("unit-keys"), json!("input-order")];
        let skip = json!("skip");
        assert_eq!(
            skipped,
            [(&expected[0], &skip), (&expected[1], &skip)],
            "{language}"
        );
        assert_eq!(points.len(), 23, "{language}");
    }
}

#[test]
fn every_example_has_the_same_descriptor() {
    let folder = tempfile::tempdir().unwrap();
    let expected = |language: &str| {
        let file = built_example(language).file.to_str().unwrap();
        let arguments = ["plugin", "inspect", file, "--json"];
        let run = command_in(folder.path(), &arguments).run().expect_code(0);
        let all = run.json();
        let members = [
            "name",
            "version",
            "summary",
            "shape",
            "capabilities",
            "contract",
            "config_schema",
        ];
        members.map(|member| {
            assert!(!all[member].is_null(), "{member}");
            all[member].clone()
        })
    };
    for language in languages() {
        assert_eq!(expected(&language), expected("c"), "{language}");
    }
}

#[test]
fn every_example_names_its_language() {
    let folder = tempfile::tempdir().unwrap();
    for (language, title) in [
        ("rust", "Rust"),
        ("python", "Python"),
        ("js", "JavaScript"),
        ("ts", "TypeScript"),
        ("c", "C"),
        ("go", "Go"),
    ] {
        let file = built_example(language).file.to_str().unwrap();
        let arguments = ["plugin", "inspect", file, "--json"];
        let run = command_in(folder.path(), &arguments).run().expect_code(0);
        let named = run.json()["producers"]["language"].clone();
        let names: Vec<&String> = named.as_object().unwrap().keys().collect();
        assert_eq!(names, [title]);
    }
}

#[test]
fn every_example_sends_and_makes_the_same_for_unusual_inputs() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("replies.json"),
        json!(UNUSUAL_ANSWERS).to_string(),
    )
    .unwrap();
    let mut codes = Vec::new();
    for (name, content, config) in cases() {
        fs::write(folder.path().join(name), content).unwrap();
        let arguments = [
            "--input",
            name,
            "--config",
            config,
            "--replies",
            "replies.json",
        ];
        let result_in =
            |language: &str| run_plugin(&built_example(language).file, folder.path(), &arguments);
        let expected = result_in("c");
        for language in languages() {
            assert_eq!(
                result_in(&language),
                expected,
                "{language}: {name} {config}"
            );
        }
        codes.push((name, expected.0));
        if name == "point.txt" {
            let messages = expected.1["requests"][0]["messages"].to_string();
            assert!(messages.contains("at most 3."), "{messages}");
        }
    }
    let ending_with = |code: i32| {
        let selected = codes.iter().filter(|one| one.1 == code);
        selected.map(|one| one.0).collect::<Vec<_>>()
    };
    // A picture comes in as bytes, which the examples refuse.
    assert_eq!(ending_with(1), ["face.png"]);
    // The first two names have invisible characters.
    let refused = [
        "<b>&amp; \u{2028}\u{2029}.txt",
        "日本語 👩\u{200d}👦\u{feff}.txt",
        "none.txt",
        "beyond.txt",
        "huge.txt",
        "half.txt",
        "text.txt",
        "unknown.txt",
    ];
    assert_eq!(ending_with(2), refused);
}

/// White space is what Unicode defines as such.
#[test]
fn every_example_trims_white_space_alike() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("replies.json"),
        json!(UNUSUAL_ANSWERS).to_string(),
    )
    .unwrap();
    fs::write(folder.path().join("note.md"), "x").unwrap();
    let arguments = ["--input", "note.md", "--replies", "replies.json"];
    for language in languages() {
        let (code, record, _) =
            run_plugin(&built_example(&language).file, folder.path(), &arguments);
        assert_eq!(code, 0, "{language}");
        let outputs = record["outputs"].as_array().unwrap();
        let items = outputs[0]["content"].as_str().unwrap();
        assert!(
            items.starts_with("\u{feff}- \"Call\""),
            "{language}: {items:?}"
        );
        assert!(items.ends_with("pay\u{0}\u{7f}"), "{language}: {items:?}");
        assert_eq!(outputs[0]["metadata"]["count"], 3, "{language}");
        assert_eq!(outputs[1]["content"], "\u{1f} one \u{200b}", "{language}");
    }
}

/// Only another layer can make an input that is not text. No request is sent for it.
#[test]
fn every_example_refuses_an_image_with_the_same_message() {
    let mut layers = String::from(
        "[models.default]\nprovider = \"openai\"\nmodel = \"gpt-4o-mini\"\n\n[layers.notes]\nsource = \"notes/*.md\"\n\n\
         [layers.pictures]\ntransform = \"./plugins/picture.wasm\"\ninputs = [\"notes\"]\n",
    );
    for language in languages() {
        layers.push_str(&format!(
            "\n[layers.{language}]\ntransform = \"./plugins/{language}.wasm\"\ninputs = [\"pictures\"]\n"
        ));
    }
    let project = TestProject::with_layers(&layers);
    project.plugin("picture");
    for language in languages() {
        let path = project.path(&format!("plugins/{language}.wasm"));
        fs::write(path, &built_example(&language).component).unwrap();
    }
    project.write("notes/monday.md", "Call Ann.");
    let built = project.run(&["build", "--json"]).expect_code(3).json();
    let failures = built["failures"].as_array().unwrap();
    let mut failed: Vec<_> = failures
        .iter()
        .map(|failure| failure["layer"].as_str().unwrap())
        .collect();
    failed.sort_unstable();
    assert_eq!(failed, languages());
    for failure in failures {
        let message = failure["message"].as_str().unwrap();
        let expected = "invalid-input: the input `monday` is image/png, not text";
        assert!(message.ends_with(expected), "{failure}");
    }
    assert_eq!(project.sent(), 0);
}
