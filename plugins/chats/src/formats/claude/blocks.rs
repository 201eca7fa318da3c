//! The blocks of a message of Claude, in account exports and, with fewer types, in sessions of Claude Code.

use std::borrow::Cow;

use crate::body::{Body, Tool};
use crate::json::Json;

const PLACEHOLDER: &str = "This block is not supported on your current device yet.";

/// Tools whose calls write code or documents.
const WRITERS: [&str; 5] = [
    "artifacts",
    "create_file",
    "str_replace",
    "repl",
    "bash_tool",
];

pub(crate) fn is_text(block: &Json<'_>) -> bool {
    block.text("type") == Some("text") && block.text("text").is_some()
}

/// Removes what `text` has in the place of blocks of newer types.
pub(crate) fn without_placeholders(text: &str) -> Cow<'_, str> {
    if !text.contains(PLACEHOLDER) {
        return Cow::Borrowed(text);
    }
    let fenced = format!("```\n{PLACEHOLDER}\n```");
    Cow::Owned(text.replace(&fenced, "").replace(PLACEHOLDER, ""))
}

/// Adds each block that the config shows. Types that are not known yet have nothing to show.
pub(crate) fn fill(body: &mut Body<'_>, blocks: &[Json<'_>]) {
    for block in blocks {
        match block.text("type").unwrap_or_default() {
            "text" => body.say(&without_placeholders(
                block.text("text").unwrap_or_default(),
            )),
            "thinking" => body.think(block.text("thinking").unwrap_or_default()),
            "voice_note" => {
                let said = block.text("text").or_else(|| block.text("transcript"));
                body.say(said.unwrap_or_default());
            }
            "tool_use" | "server_tool_use" => call(body, block),
            "tool_result" => result(body, block),
            "image" | "document" => {
                let name = block.text("file_name").or_else(|| block.text("title"));
                body.attach(name.unwrap_or("image"), None);
            }
            _ => {}
        }
    }
}

fn call(body: &mut Body<'_>, block: &Json<'_>) {
    let name = block.text("name").unwrap_or("tool");
    let input = block.get("input");
    // Of a call that writes, the text is worth reading, not the JSON around it.
    let is_code = WRITERS.contains(&name);
    let fields = ["file_text", "content", "code", "command"];
    let written = fields.iter().find_map(|field| input.text(field));
    let is_edit = input.has("old_str") || input.has("new_str");
    let whole;
    let text = match written.filter(|_| is_code && !is_edit) {
        Some(written) => written,
        None if input.is_null() => "",
        None => {
            whole = input.pretty();
            &whole
        }
    };
    let path = input.text("path").or_else(|| input.text("title"));
    let name = match path.filter(|_| is_code) {
        Some(path) => Cow::Owned(format!("{name} {path}")),
        None => Cow::Borrowed(name),
    };
    let is_json = written.is_none() || !is_code || is_edit;
    body.tool(&Tool {
        name: &name,
        language: if is_json && !text.is_empty() {
            "json"
        } else {
            ""
        },
        text,
        is_result: false,
        is_code,
    });
}

fn result(body: &mut Body<'_>, block: &Json<'_>) {
    let name = block.text("name").unwrap_or_default();
    body.tool(&Tool {
        name,
        text: &text_of(block.get("content")),
        is_result: true,
        is_code: WRITERS.contains(&name),
        ..Tool::default()
    });
}

/// Returns the text of a content that is a text or a list of blocks.
pub(crate) fn text_of(content: &Json<'_>) -> String {
    if let Some(text) = content.as_text() {
        return text.to_owned();
    }
    let of = |block: &Json<'_>| {
        let text = block.as_text().or_else(|| block.text("text"));
        text.map(str::to_owned)
    };
    let texts: Vec<_> = content.items().iter().filter_map(of).collect();
    texts.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_for_other_devices_are_removed() {
        let text =
            "Before\n```\nThis block is not supported on your current device yet.\n```\nafter";
        assert_eq!(without_placeholders(text), "Before\n\nafter");
        assert_eq!(without_placeholders("as it is"), "as it is");
    }
}
