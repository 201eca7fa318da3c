//! The reference of a plugin's settings, as Markdown from its JSON Schema.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::inspect::Inspection;
use synix_core::printable;
use synix_sandbox::Shape;

/// Writes a line with kind or shape and the capabilities, and a table of the settings, the required ones first.
pub fn markdown(found: &Inspection) -> String {
    let units = match found.shape {
        Some(Shape::PerInput) => "Shape `per-input`: each input is a unit",
        Some(Shape::Grouped) => "Shape `grouped`: units are made from the inputs' headers",
        Some(Shape::All) => "Shape `all`: one unit takes every input",
        None => "Reader: each file is a unit",
    };
    let capabilities = if found.capabilities.is_empty() {
        "none".to_owned()
    } else {
        let names: Vec<String> = found.capabilities.iter().map(|name| code(name)).collect();
        names.join(", ")
    };
    let mut text = format!("{units}. Capabilities: {capabilities}.\n");
    let schema = &found.config_schema;
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return text;
    };
    text.push_str("\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n");
    let mut rows: Vec<_> = properties
        .iter()
        .map(|(name, property)| (default(name, property, schema), name, property))
        .collect();
    rows.sort_by_key(|(default, ..)| !default.starts_with(NEEDED));
    for (default, name, property) in rows {
        let meaning = property.get("description").and_then(Value::as_str);
        let _ = writeln!(
            text,
            "| {} | {} | {default} | {} |",
            code(name),
            kind(property),
            cell(meaning.unwrap_or_default())
        );
    }
    text
}

const NEEDED: &str = "needed";

fn default(name: &str, property: &Value, schema: &Value) -> String {
    if let Some(value) = property.get("default") {
        return code(&value.to_string());
    }
    if names(schema.get("required")).contains(&name) {
        return NEEDED.to_owned();
    }
    let forms = schema.get("oneOf").and_then(Value::as_array);
    let forms = forms.into_iter().flatten();
    let alternatives: Vec<&str> = forms.flat_map(|form| names(form.get("required"))).collect();
    if alternatives.contains(&name) {
        let others: Vec<String> = alternatives
            .into_iter()
            .filter(|other| *other != name)
            .map(code)
            .collect();
        return format!("{NEEDED}, or {}", others.join(" or "));
    }
    "none".to_owned()
}

fn names(list: Option<&Value>) -> Vec<&str> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).collect()
}

/// Describes the type of a setting.
fn kind(property: &Value) -> String {
    if let Some(values) = property.get("enum").and_then(Value::as_array) {
        let values: Vec<String> = values
            .iter()
            .map(|value| code(&value.to_string()))
            .collect();
        return values.join(", ");
    }
    if let Some(forms) = property.get("anyOf").and_then(Value::as_array) {
        let forms: Vec<String> = forms.iter().map(kind).collect();
        return forms.join(" or ");
    }
    let Some(members) = property.as_object() else {
        return "any".to_owned();
    };
    match members.get("type").and_then(Value::as_str) {
        Some("string") if members.get("format").is_some_and(|format| format == "file") => {
            "path".to_owned()
        }
        Some("string") => "text".to_owned(),
        Some("boolean") => "boolean".to_owned(),
        Some("array") => match members.get("items") {
            Some(items) => format!("list of {}s", kind(items)),
            None => "list".to_owned(),
        },
        Some("object") => "table".to_owned(),
        Some(number) => format!("{number}{}", bounds(members)),
        None => "any".to_owned(),
    }
}

/// Describes the range of a number. A maximum of 32 bits is no real limit, so it is omitted.
fn bounds(members: &Map<String, Value>) -> String {
    let bound = |key: &str| members.get(key).and_then(Value::as_f64);
    let most = bound("maximum").filter(|most| *most < f64::from(u32::MAX));
    match (bound("minimum"), most) {
        (Some(least), Some(most)) => format!(", {least} to {most}"),
        (Some(least), None) => format!(", from {least}"),
        (None, Some(most)) => format!(", up to {most}"),
        (None, None) => String::new(),
    }
}

/// Formats a text as a code span. Its fence has more backticks than any sequence in the text.
fn code(text: &str) -> String {
    let text = one_line(text);
    let longest = text
        .split(|one| one != '`')
        .map(str::len)
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let gap = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{gap}{text}{gap}{fence}").replace('|', "\\|")
}

/// Formats a text of a plugin for a table cell. Keeps its code spans, and escapes HTML, links and images.
fn cell(text: &str) -> String {
    let text = one_line(text);
    let spans: Vec<&str> = text.split('`').collect();
    // With an odd number of parts, the backticks are in pairs. An empty code span is a longer fence.
    let is_paired =
        spans.len() % 2 == 1 && spans.iter().skip(1).step_by(2).all(|span| !span.is_empty());
    let mut shown = String::new();
    for (position, span) in spans.iter().enumerate() {
        if position > 0 {
            shown.push_str(if is_paired { "`" } else { "\\`" });
        }
        if is_paired && position % 2 == 1 {
            shown.push_str(span);
        } else {
            shown.push_str(&prose(span));
        }
    }
    shown.replace('|', "\\|")
}

fn prose(text: &str) -> String {
    let mut shown = String::new();
    for one in text.chars() {
        match one {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '[' | ']' | '\\' => shown.extend(['\\', one]),
            _ => shown.push(one),
        }
    }
    shown
}

fn one_line(text: &str) -> String {
    printable::escape_line(&text.replace(['\n', '\t'], " "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_type_of_a_setting_is_described() {
        for (property, words) in [
            (json!({"type": "string"}), "text"),
            (json!({"type": "string", "format": "file"}), "path"),
            (
                json!({"type": "integer", "minimum": 1, "maximum": 4_294_967_295_u32}),
                "integer, from 1",
            ),
            (
                json!({"type": "number", "minimum": 0, "maximum": 2}),
                "number, 0 to 2",
            ),
            (
                json!({"enum": ["a", "b"], "type": "string"}),
                "`\"a\"`, `\"b\"`",
            ),
            (
                json!({"type": "array", "items": {"type": "string"}}),
                "list of texts",
            ),
            (
                json!({"anyOf": [{"type": "string"}, {"type": "boolean"}]}),
                "text or boolean",
            ),
            (json!({"type": "object"}), "table"),
            (json!(true), "any"),
        ] {
            assert_eq!(kind(&property), words);
        }
    }

    #[test]
    fn html_links_and_table_rows_in_a_text_are_escaped() {
        for (words, shown) in [
            ("a `b | c` d", "a `b \\| c` d"),
            ("<img src=x> & [a](b)", "&lt;img src=x&gt; &amp; \\[a\\](b)"),
            ("` <b> ![x](y)", "\\` &lt;b&gt; !\\[x\\](y)"),
            ("``<b>`` x", "\\`\\`&lt;b&gt;\\`\\` x"),
            ("a\nb\u{1b}", "a b\\\\u{1b}"),
        ] {
            assert_eq!(cell(words), shown);
        }
        assert_eq!(code("a`<b>"), "``a`<b>``");
        assert_eq!(code("`a|"), "`` `a\\| ``");
    }

    #[test]
    fn a_setting_without_a_default_is_required_or_optional() {
        let schema = json!({
            "required": ["label"],
            "oneOf": [{"required": ["prompt"]}, {"required": ["file"]}],
        });
        let column = |name| default(name, &json!({}), &schema);
        assert_eq!(column("label"), "needed");
        assert_eq!(column("prompt"), "needed, or `file`");
        assert_eq!(column("system"), "none");
        assert_eq!(
            default("x", &json!({"default": "a|b\n"}), &schema),
            r#"`"a\|b\n"`"#
        );
    }
}
