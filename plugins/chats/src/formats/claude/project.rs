//! Projects of Claude: their instructions and documents.

use crate::collection::Collection;
use crate::conversation::Head;
use crate::format::Format;
use crate::json::Json;
use crate::when;

const KIND: &str = "document";

/// Reads one element of `projects.json`, or a file `projects/UUID.json`.
pub(crate) fn read(value: &Json<'_>, collection: &mut Collection<'_>) {
    let Some(id) = value.id("uuid") else {
        collection.unreadable("a project without a `uuid`");
        return;
    };
    let name = value.text("name");
    let mut head = Head::new(Format::Claude, id.clone()).with_title(name);
    head.prefix = "claude-project";
    head.created = when::of(value.get("created_at"));
    head.updated = when::of(value.get("updated_at"));
    head.project = name.map(str::to_owned).or(Some(id));
    head.account = value.get("creator").id("uuid");

    let own = [value.text("description"), value.text("prompt_template")];
    let own: Vec<_> = own.into_iter().flatten().collect();
    let docs = value.list("docs");
    if !own.is_empty() || docs.is_empty() {
        collection.text(KIND, &head, &own.join("\n\n"));
    }
    for doc in docs {
        document(doc, &head, collection);
    }
}

fn document(doc: &Json<'_>, project: &Head, collection: &mut Collection<'_>) {
    let file = doc.text("filename");
    let own_id = doc.id("uuid");
    let named = || file.map(|file| format!("{}-{file}", project.id));
    let Some(id) = own_id.or_else(named) else {
        collection.unreadable(&format!("a document of the project {}", project.id));
        return;
    };
    let title = file.unwrap_or(&project.title);
    let created = when::of(doc.get("created_at"));
    let head = Head {
        id,
        created,
        // A change of the project is no change of its documents.
        updated: when::of(doc.get("updated_at")).or(created),
        ..project.clone()
    }
    .with_title(Some(title));
    collection.text(KIND, &head, doc.text("content").unwrap_or_default());
}
