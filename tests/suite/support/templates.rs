//! Projects made of the shipped templates, at a provider with their answers.

use std::fs;
use std::path::{Path, PathBuf};

use synix_scripted_provider::Script;

use crate::support::test_project::TestProject;

const TEMPLATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../templates");
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/provider/scripts");

/// Returns the names of the templates, sorted.
pub(crate) fn names() -> Vec<String> {
    let entries = fs::read_dir(TEMPLATES).unwrap();
    let folders = entries.filter_map(|entry| {
        let entry = entry.unwrap();
        entry.path().is_dir().then(|| entry.file_name())
    });
    let mut names: Vec<_> = folders.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// Returns the answers to the questions of a template.
pub(crate) fn script(template: &str) -> Script {
    let script = Path::new(SCRIPTS).join(format!("{template}.json"));
    serde_json::from_str(&fs::read_to_string(script).unwrap()).unwrap()
}

/// Returns a copy of a template at a provider with its answers.
pub(crate) fn project(template: &str) -> TestProject {
    let source = Path::new(TEMPLATES).join(template);
    let project = TestProject::with_layers("");
    add(&source, &project.path(""));
    project.script(script(template));
    let pipeline = fs::read_to_string(source.join("synix.toml")).unwrap();
    project.write("synix.toml", &(pipeline + &providers(&project)));
    project
}

/// Returns the tables of the providers of a project.
fn providers(project: &TestProject) -> String {
    let (openai, anthropic) = (
        project.provider.openai_url(),
        project.provider.anthropic_url(),
    );
    format!(
        "\n[providers.openai]\nbase_url = \"{openai}\"\nbatch = true\n\n\
         [providers.anthropic]\nbase_url = \"{anthropic}\"\nbatch = true\n"
    )
}

/// Copies the files of a folder into another one.
pub(crate) fn add(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target: PathBuf = to.join(entry.file_name());
        if entry.path().is_dir() {
            add(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
