//! Short excerpts of what a provider sent, for messages.

/// The most characters of a provider's message.
const MAX_MESSAGE_CHARS: usize = 1000;

/// Describes a body that is not JSON: by the title of an HTML page, else by its text on one line.
pub(super) fn describe_non_json(body: &str) -> String {
    let lower = body.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|at| {
        let start = at + lower[at..].find('>')? + 1;
        let end = start + lower[start..].find("</title")?;
        Some(body[start..end].trim())
    });
    if let Some(title) = title {
        return format!("an HTML page titled {title:?}");
    }
    if lower.trim_start().starts_with("<!doctype html") || lower.contains("<html") {
        return "an HTML page".to_owned();
    }
    body.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Shortens a message.
pub(super) fn truncate_message(text: &str) -> String {
    truncate(text, MAX_MESSAGE_CHARS)
}

/// Returns the first characters of a text, with an ellipsis if there are more.
pub(super) fn truncate(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
