//! Replies that no good server sends: they are read with care in sync calls and in batches alike, or refused once, with
//! the reason (X1 to X11).

mod batch_lists;
mod errors_and_counts;
mod transport;
mod unusable;
mod unusual_forms;

use crate::support::test_project::TestProject;

/// Two layers over the same notes, each with another provider. Both use batches in a batch build.
pub(crate) const TWO_LAYERS: &str = r#"batch = true

[models.default]
provider = "anthropic"
model = "claude-haiku-4-5"
max_tokens = 300

[models.cheap]
provider = "openai"
model = "gpt-4o-mini"
max_tokens = 200

[layers.notes]
source = "notes/*.md"

[layers.first]
transform = "map"
inputs = ["notes"]
model = "cheap"
batch = true
config = { prompt = "Say: {{ content }}" }

[layers.second]
transform = "map"
inputs = ["notes"]
batch = true
config = { prompt = "Repeat: {{ content }}" }
"#;

pub(crate) fn project_with_notes(names: &[&str]) -> TestProject {
    let project = TestProject::with_layers(TWO_LAYERS);
    for name in names {
        project.write(&format!("notes/{name}.md"), &format!("I am {name}."));
    }
    project
}
