//! The model role of a layer of embeddings, its settings, and texts that are cut or refused.

use super::{NAMES, VECTORS, project, project_with, vectors};
use crate::support::test_project::{TestProject, failure_kinds};

#[test]
fn another_number_of_dimensions_is_another_request() {
    let project = project();
    project.ok(&["build"]);
    let shorter = VECTORS.replace("-3-small\"", "-3-small\"\ndimensions = 4");
    project.pipeline("synix.toml", &shorter);
    project.ok(&["build"]);
    assert_eq!(project.sent(), 2 * NAMES.len());
    assert!(
        vectors(&project)
            .values()
            .all(|vector| vector.len() == 4 * 4)
    );
    assert_eq!(project.ledger().duplicates(), []);
}

#[test]
fn a_text_that_is_too_long_is_cut_and_marked() {
    let layers = VECTORS.replace("-3-small\"", "-3-small\"\ncontext_window = 10");
    let project = project_with(&layers);
    project.write("notes/long.md", &"many words ".repeat(100));
    project.ok(&["build"]);
    let shown = project.json(&["show", "vectors/long"]);
    assert_eq!(shown["metadata"]["truncated"], true);
    let shown = project.json(&["show", "vectors/bela"]);
    assert!(shown["metadata"]["truncated"].is_null());
    let executed = project.ledger().executed;
    assert!(
        executed.iter().all(|entry| entry.input_tokens <= 10),
        "{executed:?}"
    );

    // The text that is sent changes, so its unit is stale, and the texts that fit are not sent again.
    let wider = layers.replace("context_window = 10", "context_window = 60");
    project.pipeline("synix.toml", &wider);
    project.ok(&["build"]);
    assert_eq!(project.sent(), NAMES.len() + 2);
}

#[test]
fn an_empty_text_is_refused_before_it_is_sent() {
    let project = project();
    project.write("notes/empty.md", " \n");
    let document = project.run(&["build", "--json"]).expect_code(3).json();
    assert_eq!(
        TestProject::failures(&document),
        failure_kinds(&[("empty", "guest")])
    );
    assert_eq!(project.sent(), NAMES.len());
}

#[test]
fn a_layer_without_the_role_says_what_to_write() {
    let project = project_with(&VECTORS.replace("[models.embedding]", "[models.vectors]"));
    let run = project.run(&["build"]).expect_code(2);
    assert!(
        run.says("no model role `embedding`") && run.says("add [models.embedding]"),
        "{run:?}"
    );
    let named = VECTORS
        .replace("[models.embedding]", "[models.vectors]")
        .replace("\"embed\"", "\"embed\"\nmodel = \"vectors\"");
    project_with(&named).ok(&["build"]);
}

#[test]
fn anthropic_has_no_embeddings() {
    let layers = VECTORS.replace("\"openai\"", "\"anthropic\"");
    let project = project_with(&layers.replace("batch = true\n", ""));
    let run = project.run(&["build"]).expect_code(2);
    assert!(
        run.says("Anthropic's API, which has none") && run.says("such as `openai`"),
        "{run:?}"
    );
}

#[test]
fn a_layer_that_does_not_grant_embed_is_an_error() {
    let project = project_with(&VECTORS.replace("\"embed\"", "\"embed\"\ngrants = [\"llm\"]"));
    let run = project.run(&["build"]).expect_code(2);
    assert!(run.says("declares the capability `embed`"), "{run:?}");
}
