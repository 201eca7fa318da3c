//! All first-party transforms: their reference, their conformance, and the sizes that `chunk` and `merge` must handle.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::test_project::{MODES, Mode, Run, TestProject, command_in, notes_pipeline};
use crate::transcript::assert_transcript;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn names() -> impl Iterator<Item = &'static str> {
    synix_components::TRANSFORMS.iter().map(|known| known.name)
}

fn synix(arguments: &[&str]) -> Run {
    // In the repository, which contains the cache of the suite, synix would not use compiled code.
    let folder = tempfile::tempdir().unwrap();
    command_in(folder.path(), arguments).run()
}

/// Three copies of each were once an eighth of the command's size.
#[test]
fn the_command_holds_each_component_once_and_packed() {
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
    let written = fs::read_to_string(format!("{ROOT}/docs/transforms.md")).unwrap();
    for name in names() {
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
    for name in names() {
        let found = synix(&["plugin", "inspect", name, "--json"]).json();
        let schema = &found["config_schema"];
        assert_eq!(schema["additionalProperties"], false, "{name}");
        for (key, property) in schema["properties"].as_object().unwrap() {
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
fn the_command_comes_with_every_component_that_is_built() {
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
fn every_transform_passes_plugin_check() {
    for name in names() {
        let run = synix(&["plugin", "check", name, "--json"]);
        let report = run.json();
        assert_eq!(
            (run.code, &report["failed"]),
            (0, &Value::from(0)),
            "{report:#}"
        );
    }
}

#[test]
fn only_transforms_that_need_a_model_declare_llm() {
    for name in names() {
        let found = synix(&["plugin", "inspect", name, "--json"]).json();
        let declares_llm = found["capabilities"] == Value::from(vec!["llm"]);
        assert_eq!(declares_llm, !["chunk", "merge"].contains(&name), "{name}");
    }
}

const NOTES: &str = notes_pipeline!(
    r#"[layers.pieces]
transform = "chunk"
inputs = ["notes"]
[layers.pieces.config]
by = "headings"
size = 200
[layers.distinct]
transform = "merge"
inputs = ["pieces"]
[layers.claims]
transform = "map"
inputs = ["distinct"]
batch = true
[layers.claims.config]
prompt = "What does this say of {{ metadata.topic }}? {{ content }}"
"#
);

fn notes() -> TestProject {
    let project = TestProject::with_layers(NOTES);
    let rain = "Rain fell on the garden for most of the day, and the barrel is full.";
    project.write(
        "notes/a.md",
        &format!(
            "---\ntopic: water\n---\n# Week\n\n## Monday\n{rain}\n## Tuesday\nNothing grew.\n"
        ),
    );
    project.write(
        "notes/b.md",
        &format!("---\ntopic: water\n---\n## Monday\n{rain}..\n"),
    );
    project
}

#[test]
fn a_text_in_two_notes_is_sent_once() {
    let project = notes();
    project.ok(&["build"]);
    assert_eq!(project.sent(), 2);
    let claims: Vec<String> = project
        .artifact_names()
        .into_iter()
        .filter(|name| name.starts_with("claims/"))
        .collect();
    assert_eq!(claims, ["claims/a-001", "claims/a-002"]);
    let merged = project.json(&["show", "distinct/a-001"]);
    assert_eq!(
        merged["metadata"]["merged"],
        Value::from(vec!["a-001", "b-001"])
    );
    assert_eq!(
        merged["metadata"]["headings"],
        Value::from(vec!["Week", "Monday"])
    );
}

/// M3: only an added section sends a request.
#[test]
fn unchanged_chunks_send_nothing() {
    let project = notes();
    project.ok(&["build"]);
    let path = project.path("notes/a.md");
    let longer = fs::read_to_string(path).unwrap() + "## Wednesday\nBeans came up.\n";
    project.write("notes/a.md", &longer);
    project.ok(&["build"]);
    assert_eq!(project.sent(), 3);
}

/// C1: the artifacts of downstream layers are the same too.
#[test]
fn chunks_are_the_same_in_every_mode() {
    let printed = MODES.map(|mode: Mode| {
        let project = notes();
        project.build_in(mode).expect_code(0);
        project.artifacts()
    });
    assert_eq!(printed[0], printed[1]);
    assert_eq!(printed[1], printed[2]);
}

const DIARY: &str = r#"
[models.default]
provider = "openai"
model = "gpt-4o-mini"
max_tokens = 300
[layers.days]
source = "days/*.md"
[layers.summaries]
transform = "map"
inputs = ["days"]
batch = true
[layers.summaries.config]
prompt = "Sum up: {{ content }}"
[layers.months]
transform = "group"
inputs = ["summaries"]
[layers.months.config]
by_template = "{{ metadata.author }}-{{ metadata.date[:7] }}"
[layers.authors]
transform = "group"
inputs = ["months"]
[layers.authors.config]
by = "author"
prompt = "What did {{ group }} do?{% for one in inputs %} {{ one.content }}{% endfor %}"
"#;

/// C1: in every mode, an answer keeps the metadata of its source.
#[test]
fn answers_are_grouped_by_the_metadata_of_their_inputs() {
    let printed = MODES.map(|mode: Mode| {
        let project = TestProject::with_layers(DIARY);
        for (day, author) in [("01-30", "ann"), ("02-01", "ann"), ("02-02", "bob")] {
            project.write(
                &format!("days/{day}-{author}.md"),
                &format!(
                    "---\ndate: \"2026-{day}\"\nauthor: {author}\n---\nOn {day} {author} rested.\n"
                ),
            );
        }
        project.build_in(mode).expect_code(0);
        let names = project.artifact_names();
        let of = |layer: &str| -> Vec<String> {
            let names = names.iter().filter_map(|name| name.strip_prefix(layer));
            names.map(str::to_owned).collect()
        };
        assert_eq!(of("months/"), ["ann-2026-01", "ann-2026-02", "bob-2026-02"]);
        assert_eq!(of("authors/"), ["ann", "bob"]);
        project.artifacts()
    });
    assert_eq!(printed[0], printed[1]);
    assert_eq!(printed[1], printed[2]);
}

#[test]
fn an_invalid_config_is_reported_with_its_key_and_a_fix() {
    let project = notes();
    project.pipeline(
        "synix.toml",
        &NOTES.replace("size = 200", "size = 200\noverlap = 200"),
    );
    let run = project.run(&["build"]).expect_code(3);
    assert_transcript!(run);
    project.pipeline("synix.toml", &NOTES.replace("size = 200", "sise = 200"));
    let run = project.run(&["build"]);
    assert_transcript!(run);
    assert_eq!(project.sent(), 0);
}

/// Returns random words that are the same in every run for a seed.
fn random_text(seed: u64, length: usize) -> String {
    let mut state = seed;
    let mut text = String::new();
    while text.len() < length {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let letters = 2 + (state >> 60) % 7;
        for at in 0..letters {
            text.push(char::from(
                b'a' + u8::try_from((state >> (5 * at + 7)) % 23).unwrap(),
            ));
        }
        text.push(' ');
    }
    text.truncate(length);
    text
}

#[test]
fn ten_megabytes_are_chunked_within_the_default_limits() {
    let project = TestProject::with_layers(
        "[layers.notes]\nsource = \"*.txt\"\n[layers.pieces]\ntransform = \"chunk\"\ninputs = [\"notes\"]\n",
    );
    let mut text = String::new();
    for seed in 0..25_000 {
        let _ = write!(text, "{}, sagt Käthe.\r\n\r\n", random_text(seed, 400));
    }
    assert!(text.len() > 10_000_000);
    project.write("big.txt", &text);
    project.ok(&["build"]);
    let names = project.artifact_names();
    let last = names
        .iter()
        .rfind(|name| name.starts_with("pieces/"))
        .unwrap();
    let last = project.json(&["show", last]);
    assert_eq!(last["metadata"]["end"], Value::from(text.chars().count()));
    assert_eq!(last["metadata"]["count"], Value::from(names.len() - 1));
}

#[test]
fn ten_thousand_short_texts_are_merged_within_the_default_limits() {
    let project = TestProject::with_layers(
        r#"
[layers.notes]
source = "*.txt"
[layers.pieces]
transform = "chunk"
inputs = ["notes"]
[layers.pieces.config]
size = 200
separator = "\n"
[layers.distinct]
transform = "merge"
inputs = ["pieces"]
"#,
    );
    // Every tenth line is the line before it with another end. Each has the size of a chunk.
    let mut text = String::new();
    for line in 0..10_000 {
        let (seed, end) = if line % 10 == 9 {
            (line - 1, "again")
        } else {
            (line, "first")
        };
        let _ = writeln!(text, "{}{end}", random_text(seed, 194));
    }
    project.write("all.txt", &text);
    project.ok(&["build"]);
    let names = project.artifact_names();
    let of = |layer: &str| names.iter().filter(|name| name.starts_with(layer)).count();
    assert_eq!((of("pieces/"), of("distinct/")), (10_000, 9_000));
    let pair = project.json(&["show", "distinct/all-00009"]);
    assert_eq!(
        pair["metadata"]["merged"],
        Value::from(vec!["all-00009", "all-00010"])
    );
}
