//! Plugins in other languages: what each build makes, and what one pipeline of all makes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::test_project::{Mode, Run, TestProject};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// The version of the contract in `wit/`.
const CONTRACT_VERSION: &str = "0.1.1";

const NOTES: [(&str, &str); 3] = [
    ("monday", "Call Ann about the roof. Pay the rent by Friday."),
    ("tuesday", "Nothing to do today."),
    ("wednesday", "Book \"the\" train;\nwrite to Bela – soon."),
];

/// Returns the folder that `cargo xtask setup --languages` fills, or the one named in `SYNIX_TOOLS`.
pub(crate) fn tool_folder() -> PathBuf {
    #[expect(
        clippy::disallowed_methods,
        reason = "where the tools are is the runner's choice"
    )]
    let named = std::env::var_os("SYNIX_TOOLS").map(PathBuf::from);
    named.unwrap_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("languages/bin"))
}

/// Returns the path of a tool.
#[track_caller]
pub(crate) fn tool(name: &str) -> PathBuf {
    let path = tool_folder().join(name);
    assert!(
        path.is_file(),
        "{} is not there: run `cargo xtask setup --languages`",
        path.display()
    );
    path
}

/// Runs a command that must succeed.
#[track_caller]
pub(crate) fn expect_success(command: &mut Command) -> Run {
    Run::of(command).expect_code(0)
}

/// `synix plugin` with the tools of the languages.
pub(crate) fn plugin_command(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_synix"));
    command
        .arg("plugin")
        .args(arguments)
        .arg(folder)
        .env("SYNIX_TOOLS", tool_folder())
        .env(
            "XDG_CACHE_HOME",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/home/cache"),
        )
        .stdin(Stdio::null());
    command
}

/// Makes a plugin's folder with `synix plugin new`.
pub(crate) fn scaffold(language: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    expect_success(&mut plugin_command(
        &["new", "items", "--lang", language],
        folder.path(),
    ));
    folder
}

/// Builds a plugin with `synix plugin build` and returns the component.
fn build_component(folder: &Path) -> Vec<u8> {
    let file = expect_success(&mut plugin_command(&["build"], folder)).stdout;
    fs::read(file.trim()).unwrap()
}

/// An example that `synix plugin new` and `synix plugin build` made, without edits.
#[derive(Debug)]
pub(crate) struct BuiltExample {
    pub folder: PathBuf,
    pub file: PathBuf,
    pub component: Vec<u8>,
}

/// Returns the example in a language. It is built once for all tests, because most compilers take longer than the
/// tests.
pub(crate) fn built_example(language: &str) -> &'static BuiltExample {
    static EXAMPLES: [OnceLock<BuiltExample>; 6] = [const { OnceLock::new() }; 6];
    let at = languages().iter().position(|known| known == language);
    EXAMPLES[at.unwrap()].get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("examples/{language}"));
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        expect_success(&mut plugin_command(
            &["new", "items", "--lang", language],
            &folder,
        ));
        let component = build_component(&folder);
        let file = folder.join("items.wasm");
        BuiltExample {
            folder,
            file,
            component,
        }
    })
}

/// Returns every language that has a scaffold.
pub(crate) fn languages() -> Vec<String> {
    let scaffolds = fs::read_dir(format!("{ROOT}/plugins/scaffolds")).unwrap();
    let mut names: Vec<String> = scaffolds
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A layer for each component, over the same notes.
fn project_with_components(components: &[(&str, Vec<u8>)]) -> TestProject {
    let mut layers = String::from(
        "[models.default]\nprovider = \"openai\"\nmodel = \"gpt-4o-mini\"\n\n[layers.notes]\nsource = \"notes/*.md\"\n",
    );
    for (language, _) in components {
        layers.push_str(&format!(
            "\n[layers.{language}]\ntransform = \"./plugins/{language}.wasm\"\ninputs = [\"notes\"]\nbatch = true\n\
             [layers.{language}.config]\nlimit = 3\n"
        ));
    }
    let project = TestProject::with_layers(&layers);
    fs::create_dir_all(project.path("plugins")).unwrap();
    for (language, bytes) in components {
        fs::write(project.path(&format!("plugins/{language}.wasm")), bytes).unwrap();
    }
    for (name, text) in NOTES {
        project.write(&format!("notes/{name}.md"), text);
    }
    project
}

#[test]
fn all_languages_make_the_same_artifacts_in_every_mode() {
    let languages = languages();
    let components: Vec<(&str, Vec<u8>)> = languages
        .iter()
        .map(|language| (language.as_str(), built_example(language).component.clone()))
        .collect();
    let runs = [Mode::Sync, Mode::Sync, Mode::Batch, Mode::Replay].map(|mode| {
        let project = project_with_components(&components);
        project.build_in(mode).expect_code(0);
        // The languages send the same requests, and none is sent twice.
        assert_eq!(project.sent(), 2 * NOTES.len(), "{mode:?}");
        project.artifacts()
    });
    assert_eq!(runs[0].len(), NOTES.len() * (1 + 2 * languages.len()));
    for run in &runs {
        assert_eq!(run, &runs[0]);
    }
    let artifacts_of = |language: &str| -> BTreeSet<(String, String)> {
        let start = format!("{language}/");
        let artifacts = runs[0].iter();
        artifacts
            .filter_map(|(name, id)| Some((name.strip_prefix(&start)?.to_owned(), id.clone())))
            .collect()
    };
    for language in &languages {
        assert_eq!(artifacts_of(language), artifacts_of("c"), "{language}");
    }
}

/// The header in the SDK is the one that is compiled.
#[test]
fn the_c_header_matches_the_generator() {
    let generator = wit_bindgen_c::Opts::default().build();
    is_kept(
        generator,
        "transform",
        ("transform.h", "plugins/sdk-c/transform.h"),
    );
}

/// The generator is compiled for this test, and not for each plugin.
#[test]
fn the_types_of_the_contract_in_rust_are_the_generators() {
    let transform = wit_bindgen_rust::Opts {
        format: true,
        additional_derive_attributes: vec!["PartialEq".to_owned()],
        default_bindings_module: Some("synix_plugin::bindings".to_owned()),
        export_macro_name: Some("export_world".to_owned()),
        pub_export_macro: true,
        runtime_path: Some("synix_plugin::bindings::rt".to_owned()),
        ..Default::default()
    };
    // A reader shares its types and the log with transforms.
    let shared = |interface: &str| {
        let path = format!("synix_plugin::bindings::synix::plugin::{interface}");
        let name = format!("synix:plugin/{interface}@{CONTRACT_VERSION}");
        (name, wit_bindgen_rust::WithOption::Path(path))
    };
    let reader = wit_bindgen_rust::Opts {
        default_bindings_module: Some("synix_plugin::bindings::reader".to_owned()),
        export_macro_name: Some("export_reader_world".to_owned()),
        with: vec![shared("types"), shared("log")],
        ..transform.clone()
    };
    let (transform, reader) = (Box::new(transform.build()), Box::new(reader.build()));
    is_kept(
        transform,
        "transform",
        ("transform.rs", "plugins/sdk/src/generated.rs"),
    );
    is_kept(
        reader,
        "reader",
        ("reader.rs", "plugins/sdk/src/generated_reader.rs"),
    );
}

/// Compares what is generated from `wit/` for a world with the file that is kept of it.
fn is_kept(
    mut generator: Box<dyn wit_bindgen_core::WorldGenerator>,
    world: &str,
    (name, kept): (&str, &str),
) {
    let mut files = wit_bindgen_core::Files::default();
    let mut resolve = wit_bindgen_core::wit_parser::Resolve::default();
    let (package, _) = resolve.push_path(format!("{ROOT}/wit")).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    generator.generate(&mut resolve, world, &mut files).unwrap();
    let (_, made) = files.iter().find(|(file, _)| *file == name).unwrap();
    let mut made = String::from_utf8(made.to_vec()).unwrap();
    if name == "reader.rs" {
        remove_import_section(&mut made);
    }
    let own = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&own, &made).unwrap();
    assert!(
        fs::read_to_string(format!("{ROOT}/{kept}")).unwrap() == made,
        "{kept} is not what `wit-bindgen` makes of wit/; that is {}",
        own.display()
    );
}

/// Removes the section by which every component that links the SDK would import what only a reader needs. The macro that
/// exports a reader has one of its own.
fn remove_import_section(made: &mut String) {
    let start = made
        .rfind("#[rustfmt::skip]\n#[cfg(target_arch = \"wasm32\")]\n#[unsafe(")
        .unwrap();
    let length = made[start..].find("\";\n").unwrap() + "\";\n".len();
    made.replace_range(start..start + length, "");
}

#[test]
fn the_same_source_builds_the_same_bytes() {
    for language in ["c", "go"] {
        let rebuilt = build_component(scaffold(language).path());
        assert!(built_example(language).component == rebuilt, "{language}");
    }
}

#[test]
fn a_missing_tool_is_named_with_how_to_install_it() {
    for (language, message) in [
        ("c", "pip install ziglang"),
        ("go", "https://go.dev/dl"),
        ("python", "pip install componentize-py"),
    ] {
        let folder = scaffold(language);
        let mut build = plugin_command(&["build"], folder.path());
        let run = Run::of(build.env("SYNIX_TOOLS", "").env("PATH", "")).expect_code(1);
        assert!(run.says(message), "{run:?}");
    }
}

#[test]
fn compiler_errors_are_shown() {
    for (language, file) in [("c", "plugin.c"), ("go", "plugin.go")] {
        let folder = scaffold(language);
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, format!("{text}\nnonsense\n")).unwrap();
        let run = Run::of(&mut plugin_command(&["build"], folder.path())).expect_code(1);
        assert!(run.says(&format!("{file}:")), "{run:?}");
    }
}

const OBSERVING_PLUGIN: &str = r#"package plugin

import (
	"fmt"
	"math/rand"
	"os"
	"time"

	"synix"
)

var Plugin = synix.Plugin{
	Name: "guesses", Version: "1.0.0", Summary: "Asks the machine", ConfigSchema: `{"type":"object"}`,
	Execute: func(_ synix.Unit, inputs []synix.Input, _ string) ([]synix.Output, error) {
		fmt.Println("printed by", inputs[0].Label)
		_, err := os.ReadFile("/etc/passwd")
		text := fmt.Sprint(time.Now().UTC(), rand.Int63(), len(os.Environ()), err != nil)
		return []synix.Output{{Label: inputs[0].Label, Kind: "guess", Content: synix.Text(text)}}, nil
	},
}
"#;

/// Builds a project whose only plugin has no config and sends no requests, and returns the log of its units.
fn build_and_read_log(language: &str, component: &[u8]) -> (TestProject, String) {
    let project = project_with_components(&[(language, component.to_owned())]);
    let pipeline = fs::read_to_string(project.path("synix.toml")).unwrap();
    let config = format!("batch = true\n[layers.{language}.config]\nlimit = 3\n");
    project.write("synix.toml", &pipeline.replace(&config, ""));
    project.run(&["build"]);
    let logs: Vec<String> = project
        .database()
        .prepare("SELECT log FROM unit_detail WHERE log IS NOT NULL")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    (project, logs.join("\n"))
}

/// The clock stands still, random numbers are the same in every run, and there are no files or variables.
#[test]
fn a_go_plugin_cannot_observe_the_machine() {
    let folder = scaffold("go");
    fs::write(folder.path().join("plugin.go"), OBSERVING_PLUGIN).unwrap();
    fs::remove_file(folder.path().join("plugin_test.go")).unwrap();
    let component = build_component(folder.path());
    let contents = [(); 2].map(|()| {
        let (project, log) = build_and_read_log("go", &component);
        assert!(log.contains("printed by monday"), "{log}");
        project.content("go/monday")
    });
    assert_eq!(contents[0], contents[1]);
    assert!(
        contents[0].starts_with("2000-01-01 00:00:00") && contents[0].ends_with(" 0 true"),
        "{}",
        contents[0]
    );
}

const PRINTING_PLUGIN: &str = r#"
#include "synix.h"
#include <stdio.h>
static bool execute(synix_call *call) {
  synix_text label = call->inputs[0].header.label;
  printf("printed by %.*s\n", (int)label.len, (const char *)label.ptr);
  bool opened = fopen("/etc/passwd", "r") != NULL;
  for (int i = 0; i < 1000; i++)
    synix_metadata(synix_output(call, synix_join(label, synix_number(i)), synix_str("said"), synix_str(opened ? "opened" : "closed")),
                   "quoted", synix_json(synix_str("a\"\\\n\001")));
  return true;
}
static const synix_plugin PLUGIN = {
    .name = "prints", .version = "1.0.0", .summary = "Prints", .config_schema = "{\"type\": \"object\"}", .execute = execute};
SYNIX_EXPORT(PLUGIN)
"#;

#[test]
fn a_c_plugin_may_print_and_cannot_open_files() {
    let folder = scaffold("c");
    fs::write(folder.path().join("plugin.c"), PRINTING_PLUGIN).unwrap();
    let (project, log) = build_and_read_log("c", &build_component(folder.path()));
    assert!(log.contains("printed by tuesday"), "{log}");
    let shown = project.json(&["show", "c/tuesday999"]);
    assert_eq!(shown["content"], "closed");
    assert_eq!(shown["metadata"]["quoted"], "a\"\\\n\u{1}");
}

/// A trap has no message of its own.
#[test]
fn a_go_panic_is_in_the_failure_of_its_unit() {
    let folder = scaffold("go");
    let text = OBSERVING_PLUGIN.replace(
        "_, err := os",
        "if inputs[0].Label == \"monday\" { panic(\"on purpose\") }\n_, err := os",
    );
    fs::write(folder.path().join("plugin.go"), text).unwrap();
    fs::remove_file(folder.path().join("plugin_test.go")).unwrap();
    let (project, _) = build_and_read_log("go", &build_component(folder.path()));
    assert_eq!(
        project
            .artifact_names()
            .iter()
            .filter(|name| name.starts_with("go/"))
            .count(),
        2
    );
    let run = project.run(&["build"]).expect_code(3);
    assert!(run.says("on purpose"), "{run:?}");
}
