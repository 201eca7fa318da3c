//! The templates: projects that `init` copies and `demo run` replays.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::test_project::command_in;
use crate::support::transcript::assert_transcript;

const TEMPLATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../templates");

fn templates() -> Vec<PathBuf> {
    fs::read_dir(TEMPLATES)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect()
}

fn template_name(template: &Path) -> String {
    template.file_name().unwrap().to_string_lossy().into_owned()
}

/// C8, C9, C12: byte for byte, without network or key.
#[test]
fn every_template_replays_to_its_golden_outputs() {
    let folder = tempfile::tempdir().unwrap();
    for template in templates() {
        let path = template.to_str().unwrap();
        let mut command = command_in(folder.path(), &["demo", "run", path]);
        command
            .env_remove("OPENAI_API_KEY")
            .env_remove("ANTHROPIC_API_KEY");
        command.run().expect_code(0);
        assert!(
            !template.join(".synix").exists(),
            "{path}: the replay left state behind"
        );
    }
}

#[test]
fn init_lists_every_template() {
    let folder = tempfile::tempdir().unwrap();
    let run = command_in(folder.path(), &["init", "--list"])
        .run()
        .expect_code(0);
    for template in templates() {
        assert!(run.stdout.contains(&template_name(&template)), "{run:?}");
    }
}

#[test]
fn a_new_project_can_be_planned() {
    for template in templates() {
        let folder = tempfile::tempdir().unwrap();
        command_in(
            folder.path(),
            &["init", "mine", "--template", &template_name(&template)],
        )
        .run()
        .expect_code(0);
        let project = folder.path().join("mine");
        let original = fs::read(template.join("synix.toml")).unwrap();
        assert_eq!(fs::read(project.join("synix.toml")).unwrap(), original);
        assert!(!project.join("golden").exists());
        command_in(&project, &["plan"]).run().expect_code(0);
    }
}

#[test]
fn init_never_overwrites() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("synix.toml"), "mine").unwrap();
    let run = command_in(folder.path(), &["init", "."]).run();
    assert_ne!(run.code, 0, "{run:?}");
    assert_eq!(
        fs::read_to_string(folder.path().join("synix.toml")).unwrap(),
        "mine"
    );
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "a refused init must leave nothing behind"
    );
}

#[test]
fn an_unknown_template_is_reported_with_the_known_ones() {
    let folder = tempfile::tempdir().unwrap();
    let run = command_in(
        folder.path(),
        &["init", "mine", "--template", "team-raport"],
    )
    .run()
    .expect_code(2);
    assert_transcript!(run);
    assert!(!folder.path().join("mine").exists());
}

#[test]
fn every_first_party_transform_that_makes_texts_is_in_a_template() {
    let pipelines: String = templates()
        .iter()
        .map(|template| fs::read_to_string(template.join("synix.toml")).unwrap())
        .collect();
    let names = synix_components::TRANSFORMS.iter().map(|known| known.name);
    // Recorded vectors say nothing to a reader of a template, and the transform needs no config to be shown.
    for name in names.filter(|name| *name != "embed") {
        assert!(
            pipelines.contains(&format!("transform = \"{name}\"")),
            "{name}"
        );
    }
}
