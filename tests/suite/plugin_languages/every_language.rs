//! Plugins in other languages: what each build makes, and what one pipeline of all makes.

use std::collections::BTreeSet;
use std::fs;

use crate::support::invocation::Run;
use crate::support::pipelines::Mode;
use crate::support::plugin_tools::{
    build_component, built_example, languages, plugin_command, scaffold,
};
use crate::support::test_project::TestProject;

const NOTES: [(&str, &str); 3] = [
    ("monday", "Call Ann about the roof. Pay the rent by Friday."),
    ("tuesday", "Nothing to do today."),
    ("wednesday", "Book \"the\" train;\nwrite to Bela – soon."),
];

/// A layer for each component, over the same notes.
pub(crate) fn project_with_components(components: &[(&str, Vec<u8>)]) -> TestProject {
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
