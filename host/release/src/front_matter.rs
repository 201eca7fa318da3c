//! The YAML at the start of a Markdown file that says what the file is and where it comes from.
//!
//! Texts are in double quotes with every character escaped that YAML does not allow, so nothing in them is read as YAML.

use std::fmt::Write as _;

use serde_json::Value;

use super::rows::Row;
use synix_engine::view::Making;

/// The maximum number of sources that are listed; the rest is counted.
const MAX_SOURCES: usize = 1000;

/// Returns the front matter of an artifact, with its last line break. `file` is the file of a content that is not text.
pub(super) fn front_matter(row: &Row, making: &Making, file: Option<&str>) -> String {
    let mut yaml = String::from("---\n");
    let mut put = |name: &str, value: &str| {
        let _ = writeln!(yaml, "{name}: {value}");
    };
    put("layer", &quoted(&row.layer));
    put("label", &quoted(&row.label));
    put("kind", &quoted(&row.kind));
    put("id", &quoted(&row.id.to_string()));
    if let Some(file) = file {
        put("file", &quoted(file));
        put(
            "media_type",
            &quoted(row.content.media_type().unwrap_or_default()),
        );
    }
    put(
        "machine_made",
        if making.by_model { "true" } else { "false" },
    );
    if let Some(time) = making.time {
        put("time", &quoted(&time.to_string()));
    }
    if let Some(prompt) = making.prompt {
        put("prompt", &quoted(&prompt.to_string()));
    }
    list(&mut yaml, "models", making.models.iter());
    list(&mut yaml, "files", making.files.iter());
    list(
        &mut yaml,
        "sources",
        making.sources.iter().take(MAX_SOURCES),
    );
    if let Some(more) = making.sources.len().checked_sub(MAX_SOURCES + 1) {
        let _ = writeln!(yaml, "more_sources: {}", more + 1);
    }
    if !row.metadata.is_empty() {
        yaml.push_str("metadata:\n");
        for (name, value) in &row.metadata {
            let _ = writeln!(yaml, "  {}: {}", quoted(name), flow(value));
        }
    }
    yaml.push_str("---\n");
    yaml
}

fn list<'a>(yaml: &mut String, name: &str, items: impl Iterator<Item = &'a String>) {
    let mut items = items.peekable();
    if items.peek().is_some() {
        let _ = writeln!(yaml, "{name}:");
    }
    for item in items {
        let _ = writeln!(yaml, "  - {}", quoted(item));
    }
}

/// Returns a JSON value as YAML on one line.
fn flow(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) => value.to_string(),
        Value::Number(number) => {
            // YAML 1.1 takes `1e30` for a text.
            let text = number.to_string();
            match text.split_once('e') {
                Some((digits, power)) if !digits.contains('.') => {
                    let sign = if power.starts_with(['-', '+']) {
                        ""
                    } else {
                        "+"
                    };
                    format!("{digits}.0e{sign}{power}")
                }
                _ => text,
            }
        }
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members = members.iter();
            let members: Vec<String> = members
                .map(|(name, value)| format!("{}: {}", quoted(name), flow(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

fn quoted(text: &str) -> String {
    let mut result = String::with_capacity(text.len() + 2);
    result.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                result.push('\\');
                result.push(character);
            }
            '\n' => result.push_str("\\n"),
            '\t' => result.push_str("\\t"),
            // Those that YAML reads as line breaks or refuses, and those that would hide or reorder the text.
            _ if character.is_control()
                || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
                || matches!(character, '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                let _ = write!(result, "\\u{:04x}", u32::from(character));
            }
            _ => result.push(character),
        }
    }
    result.push('"');
    result
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_is_quoted_whatever_it_looks_like() {
        for (text, expected) in [
            ("no", "\"no\""),
            ("a: b # c", "\"a: b # c\""),
            ("\"\\\n---\n", "\"\\\"\\\\\\n---\\n\""),
            ("\u{85}\u{2028}\u{feff}", "\"\\u0085\\u2028\\ufeff\""),
        ] {
            assert_eq!(quoted(text), expected);
        }
        let value = json!({"a: b": [1, null, "x"], "e": 1e30});
        assert_eq!(flow(&value), r#"{"a: b": [1, null, "x"], "e": 1.0e+30}"#);
    }

    proptest! {
        #[test]
        fn yaml_reads_a_quoted_text_as_it_was(text: String) {
            let read: String = serde_saphyr::from_str(&quoted(&text)).unwrap();
            prop_assert_eq!(read, text);
        }
    }
}
