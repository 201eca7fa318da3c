//! The numbers of `plan` are exact, a minimum, or marked as a guess (U2).

mod expected;
mod requests;
mod stale_reasons;
mod totals;

use serde_json::Value;

use crate::support::test_project::TestProject;

pub(crate) const MODEL: &str = "[models.default]\nprovider = \"openai\"\nmodel = \"gpt-4o-mini\"\nmax_tokens = 100\n\
                     [layers.notes]\nsource = \"notes/*.md\"\n";

pub(crate) fn with_notes(layers: &str, notes: u32) -> TestProject {
    let project = TestProject::with_layers(&format!("{MODEL}{layers}"));
    for number in 1..=notes {
        project.write(&format!("notes/{number:02}.md"), &format!("Note {number}."));
    }
    project
}

pub(crate) fn layer<'p>(plan: &'p Value, name: &str) -> &'p Value {
    let layers = plan["layers"].as_array().unwrap();
    layers.iter().find(|layer| layer["name"] == name).unwrap()
}

/// Returns the line of a layer in the table.
pub(crate) fn table_line(project: &TestProject, name: &str) -> String {
    let shown = project.ok(&["plan"]).stdout;
    let found = shown.lines().find(|line| line.starts_with(name));
    found.unwrap_or_else(|| panic!("{shown}")).to_owned()
}
