//! Guests and files that are malicious or broken: each ends in an error that names the plugin and the reason, the units
//! of other plugins are made, and the state stays usable.

mod costly_components;
mod invalid_components;
mod misbehaving_units;
mod sandbox;
mod wasi;

use crate::support::invocation::Run;
use crate::support::test_project::TestProject;

/// A layer of the guest, and a layer of a guest that works.
pub(crate) fn layers_with_plugin(plugin: &str) -> String {
    format!(
        r#"
[models.default]
provider = "openai"
model = "gpt-4o-mini"

[layers.texts]
source = "texts/*.md"

[layers.made]
transform = "./plugins/{plugin}.wasm"
inputs = ["texts"]
[layers.made.limits]
fuel = 2_000_000_000
memory_mb = 256
output_mb = 8
requests = 20

[layers.fine]
transform = "./plugins/echo.wasm"
inputs = ["texts"]
"#
    )
}

pub(crate) fn project_with_plugin(plugin: &str, texts: &[(&str, &str)]) -> TestProject {
    let project = TestProject::guest("echo", texts);
    if synix_test_components::ALL
        .iter()
        .any(|(name, _)| *name == plugin)
    {
        project.plugin(plugin);
    }
    project.pipeline("synix.toml", &layers_with_plugin(plugin));
    project
}

/// The maximum size of all messages, whatever a guest prints.
const MESSAGE_BYTES: usize = 64 << 10;

#[track_caller]
pub(crate) fn assert_reports(plugin: &str, run: &Run, message: &str) {
    assert!(
        run.says(message) && run.says(&format!("./plugins/{plugin}.wasm")),
        "{plugin}: {} {}",
        run.stdout,
        run.stderr
    );
    assert!(
        run.stdout.len() + run.stderr.len() < MESSAGE_BYTES,
        "{plugin}: {} bytes",
        run.stdout.len() + run.stderr.len()
    );
    assert!(!run.stderr.contains("panicked at host"), "{plugin}");
}
