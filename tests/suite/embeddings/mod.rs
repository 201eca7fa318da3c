//! Embeddings keep the promises of completions: each text is paid for once, in every mode, whatever happens.

mod builds;
mod crashes;
mod money;
mod query;
mod search;
mod settings;
mod unusable;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::test_project::TestProject;

/// Notes and their vectors.
pub(crate) const VECTORS: &str = r#"
[models.embedding]
provider = "openai"
model = "text-embedding-3-small"

[layers.notes]
source = "notes/*.md"

[layers.vectors]
transform = "embed"
inputs = ["notes"]
batch = true
"#;

pub(crate) const NAMES: [&str; 4] = ["amara", "bela", "chitra", "dmitri"];

/// A project with a note for each name.
pub(crate) fn project_with(layers: &str) -> TestProject {
    let project = TestProject::with_layers(layers);
    for name in NAMES {
        project.write(&format!("notes/{name}.md"), &format!("I am {name}."));
    }
    project
}

pub(crate) fn project() -> TestProject {
    project_with(VECTORS)
}

/// Returns the bytes of each vector by its label.
pub(crate) fn vectors(project: &TestProject) -> BTreeMap<String, Vec<u8>> {
    let names = project.artifact_names();
    let labels = names
        .iter()
        .filter_map(|name| name.strip_prefix("vectors/"));
    let bytes = |label: &str| {
        let shown = project.json(&["show", &format!("vectors/{label}")]);
        assert_eq!(shown["media_type"], "application/vnd.synix.f32", "{shown}");
        let content = shown["content"].as_str().expect("a content");
        STANDARD.decode(content).expect("base64")
    };
    labels
        .map(|label| (label.to_owned(), bytes(label)))
        .collect()
}
