//! Sources with readers: what is read again, what is left out, and which of several artifacts is used.

mod failed_files;
mod files;
mod hostile_files;
mod labels;
mod modes;
mod references;

use crate::support::test_project::TestProject;

pub(crate) use files::set_age;

/// Rows of tables, and a question about each of them.
const TICKETS: &str = r#"
[models.default]
provider = "openai"
model = "gpt-4o-mini"
max_tokens = 30
[layers.tickets]
source = ["in/*.csv", "in/*.jsonl"]
read = "rows"
ON_DUPLICATE
[layers.tickets.config]
content = "text"
label = "id"
[layers.answers]
transform = "map"
inputs = ["tickets"]
[layers.answers.config]
prompt = "Sort: {{ content }}"
"#;

fn tickets(on_duplicate: &str) -> TestProject {
    let set = format!("on_duplicate = \"{on_duplicate}\"");
    let project = TestProject::with_layers(&TICKETS.replace("ON_DUPLICATE", &set));
    project.write("in/a.csv", "id,text\n1,Hello\n2,\"Two\nlines\"\n");
    project.write("in/b.jsonl", "{\"id\": 7, \"text\": \"Seven\"}\n");
    project
}
