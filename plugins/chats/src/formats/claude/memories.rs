//! What Claude remembers of an account and of its projects.

use crate::collection::Collection;
use crate::conversation::Head;
use crate::format::Format;
use crate::json::Json;
use crate::when;

const KIND: &str = "memory";

/// Reads one element of `memories.json`, or the file as one object.
pub(crate) fn read(value: &Json<'_>, collection: &mut Collection<'_>) {
    let account = value.id("account_uuid");
    let head = |id: String, title: &str| {
        let mut head = Head::new(Format::Claude, id).with_title(Some(title));
        head.prefix = "claude-memory";
        head.updated = when::of(value.get("updated_at"));
        head.account.clone_from(&account);
        head
    };
    let own = account.clone().unwrap_or_else(|| "account".to_owned());
    let fields = ["conversations_memory", "memory", "content", "text"];
    let texts = fields.iter().find_map(|field| value.text(field));
    let projects = value.get("project_memories").members();
    let files = value.list("memory_files");
    if texts.is_some() || (projects.is_empty() && files.is_empty()) {
        let head = head(own.clone(), "Memory");
        collection.text(KIND, &head, texts.unwrap_or_default());
    }
    for (project, memory) in projects {
        let mut head = head(project.to_string(), "Memory of a project");
        head.project = Some(project.to_string());
        let text = memory.as_text().or_else(|| memory.text("content"));
        collection.text(KIND, &head, text.unwrap_or_default());
    }
    for file in files {
        let path = file.text("path").unwrap_or("file");
        let mut head = head(format!("{own}-{path}"), path);
        head.created = when::of(file.get("created_at"));
        head.updated = when::of(file.get("updated_at"));
        collection.text(KIND, &head, file.text("content").unwrap_or_default());
    }
}
