//! What of a reply's content is text: one rule for every dialect.
//!
//! A content is a text or a list of parts. Only parts of type `text` and
//! `output_text` are the answer; what a model thought on its way (`reasoning`,
//! `thinking`, `redacted_thinking`) never is, whatever members it has.

use serde_json::Value;

/// What a content says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Content {
    /// Its text.
    pub(super) text: String,
    /// The words of a part that is a refusal.
    pub(super) refusal: Option<String>,
}

impl Content {
    /// Reads a content in any form that it comes in.
    pub(super) fn read(content: Option<&Value>) -> Self {
        let mut read = Self::default();
        match content {
            Some(Value::Array(parts)) => parts.iter().for_each(|part| read.take(part)),
            Some(part @ (Value::String(_) | Value::Object(_))) => read.take(part),
            Some(Value::Null | Value::Bool(_) | Value::Number(_)) | None => {}
        }
        read
    }

    fn take(&mut self, part: &Value) {
        if let Value::String(text) = part {
            self.text.push_str(text);
            return;
        }
        let member = |name: &str| part.get(name).and_then(words);
        let kind = part.get("type").and_then(Value::as_str).unwrap_or_default();
        let is_thought = part.get("thought").and_then(Value::as_bool) == Some(true);
        match kind.to_ascii_lowercase().as_str() {
            // Some servers leave the type out where there is nothing but text.
            "text" | "output_text" | "" if !is_thought => {
                self.text.push_str(member("text").unwrap_or_default());
            }
            "refusal" => {
                let said = member("refusal")
                    .or_else(|| member("text"))
                    .unwrap_or_default();
                self.refusal.get_or_insert_default().push_str(said);
            }
            _ => {}
        }
    }
}

/// Returns a text, which may stand one level further in.
fn words(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("value")?.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(content: &Value) -> String {
        Content::read(Some(content)).text
    }

    /// X7
    #[test]
    fn what_a_model_thought_is_not_what_it_said() {
        for kind in [
            "reasoning",
            "thinking",
            "redacted_thinking",
            "Reasoning",
            "summary_text",
        ] {
            let content = json!([{"type": kind, "text": "SECRET ", "thinking": "SECRET"},
                {"type": "text", "text": "42"}]);
            assert_eq!(text(&content), "42", "{kind}");
        }
        let gemini = json!([{"text": "SECRET", "thought": true}, {"text": "42"}]);
        assert_eq!(text(&gemini), "42");
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
            assert_eq!(text(&content), "4 2", "{content}");
        }
        for content in [json!(null), json!([]), json!(7), json!([null, 7, {}])] {
            assert_eq!(text(&content), "", "{content}");
        }
    }

    /// A block of thoughts within the text is text: nobody else's part.
    #[test]
    fn tags_in_a_text_stay() {
        assert_eq!(text(&json!("<think>hm</think>42")), "<think>hm</think>42");
    }

    /// X7
    #[test]
    fn a_refusal_may_be_a_part() {
        let content = json!([{"type": "refusal", "refusal": "I cannot."}]);
        let read = Content::read(Some(&content));
        assert_eq!(read.refusal.as_deref(), Some("I cannot."));
    }
}
