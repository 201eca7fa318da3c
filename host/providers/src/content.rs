//! The text of a reply's content: one rule for every dialect.
//!
//! Content is a string or a list of parts. Only parts of type `text` and
//! `output_text` are the answer. Reasoning (`reasoning`, `thinking`,
//! `redacted_thinking`) never is, whatever members it has.

use serde_json::Value;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) text: String,
    /// The text of the parts that are refusals.
    pub(super) refusal: Option<String>,
}

impl Content {
    pub(super) fn read(content: Option<&Value>) -> Self {
        let mut read = Self::default();
        match content {
            Some(Value::Array(parts)) => parts.iter().for_each(|part| read.append(part)),
            Some(part @ (Value::String(_) | Value::Object(_))) => read.append(part),
            Some(Value::Null | Value::Bool(_) | Value::Number(_)) | None => {}
        }
        read
    }

    fn append(&mut self, part: &Value) {
        if let Value::String(text) = part {
            self.text.push_str(text);
            return;
        }
        let member = |name: &str| part.get(name).and_then(text);
        let kind = part.get("type").and_then(Value::as_str).unwrap_or_default();
        let is_reasoning = part.get("thought").and_then(Value::as_bool) == Some(true);
        match kind.to_ascii_lowercase().as_str() {
            // Some servers omit the type of parts that are text.
            "text" | "output_text" | "" if !is_reasoning => {
                self.text.push_str(member("text").unwrap_or_default());
            }
            "refusal" => {
                let refusal = member("refusal")
                    .or_else(|| member("text"))
                    .unwrap_or_default();
                self.refusal.get_or_insert_default().push_str(refusal);
            }
            _ => {}
        }
    }
}

/// Returns a string, or the string in its member `value`.
fn text(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("value")?.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text_of(content: &Value) -> String {
        Content::read(Some(content)).text
    }

    /// X7
    #[test]
    fn reasoning_is_not_part_of_the_answer() {
        for kind in [
            "reasoning",
            "thinking",
            "redacted_thinking",
            "Reasoning",
            "summary_text",
        ] {
            let content = json!([{"type": kind, "text": "SECRET ", "thinking": "SECRET"},
                {"type": "text", "text": "42"}]);
            assert_eq!(text_of(&content), "42", "{kind}");
        }
        let gemini = json!([{"text": "SECRET", "thought": true}, {"text": "42"}]);
        assert_eq!(text_of(&gemini), "42");
    }

    #[test]
    fn text_is_read_in_every_form() {
        for content in [
            json!("4 2"),
            json!(["4", " 2"]),
            json!([{"type": "text", "text": "4"}, {"type": "output_text", "text": " 2"}]),
            json!([{"type": "TEXT", "text": "4 2", "annotations": []}]),
            json!({"type": "text", "text": "4 2"}),
            json!([{"text": {"value": "4 2"}}]),
        ] {
            assert_eq!(text_of(&content), "4 2", "{content}");
        }
        for content in [json!(null), json!([]), json!(7), json!([null, 7, {}])] {
            assert_eq!(text_of(&content), "", "{content}");
        }
    }

    /// synix does not interpret tags within a text.
    #[test]
    fn tags_in_a_text_are_kept() {
        assert_eq!(
            text_of(&json!("<think>hm</think>42")),
            "<think>hm</think>42"
        );
    }

    /// X7
    #[test]
    fn a_refusal_may_be_a_part() {
        let content = json!([{"type": "refusal", "refusal": "I cannot."}]);
        let read = Content::read(Some(&content));
        assert_eq!(read.refusal.as_deref(), Some("I cannot."));
    }
}
