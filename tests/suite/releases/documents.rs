//! The format `document`.

use std::fs;

use super::built_with;

fn document(layers: &str, settings: &str) -> String {
    let project = built_with(&format!(
        "[outputs.memory]\nlayers = {layers}\nformat = \"document\"\npath = \"memory.md\"\n{settings}"
    ));
    project.ok(&["release"]);
    fs::read_to_string(project.path("release/current/memory.md")).unwrap()
}

#[test]
fn a_document_has_headings_and_says_where_each_part_comes_from() {
    let text = document("[\"tagged\", \"notes\"]", "title = \"What is known\"\n");
    let start = "# What is known\n\nsynix wrote this document from snapshot-1 of `synix.toml`, taken at 2026-01-01T00:00:";
    assert!(text.starts_with(start), "{text}");
    let headings: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(
        headings,
        [
            "# What is known",
            "## tagged",
            "### ann",
            "### bob",
            "## notes",
            "### ann",
            // The heading of the note itself.
            "#### Ann",
            "### bob",
        ]
    );
    assert!(
        text.contains("*Written by `gpt-4o-mini-2024-07-18` from `notes/ann`; id `"),
        "{text}"
    );
    assert!(text.contains("*Source: `notes/ann.md`; id `"), "{text}");
    assert!(text.contains("```json\n{\"mood\": \"dry"), "{text}");
}

#[test]
fn a_document_that_is_too_large_is_cut_between_artifacts_and_says_so() {
    let layers = "[\"tagged\", \"copies\", \"notes\"]";
    let title = format!("title = \"{}\"\n", "long ".repeat(30));
    let whole = document(layers, &title);
    assert!(whole.len() > 1000, "{whole}");
    let cut = document(layers, &format!("{title}max_bytes = 1000\n"));
    assert!(cut.len() <= 1000, "{}", cut.len());
    let (kept, note) = cut.split_once("\n---\n").expect("a note");
    assert!(whole.starts_with(kept), "{cut}");
    assert!(
        note.contains("limited to 1000 bytes. Left out: ") && note.contains(" of notes"),
        "{note}"
    );
}
