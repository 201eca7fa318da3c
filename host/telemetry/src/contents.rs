//! Prompts and answers in the form of the GenAI conventions. They are sent only if the user asks for it.

use serde_json::{Value, json};

use synix_core::request::{Answer, Ending, Part, Request};

use crate::attributes::{INPUT_MESSAGES, OUTPUT_MESSAGES};
use crate::wire::{KeyValue, text};

/// The maximum size of one of the attributes. A larger conversation is left out: half of a JSON text is none.
const MAX_BYTES: usize = 256 * 1024;

/// Returns the attributes with what was asked and answered.
pub(crate) fn attributes(request: &Request, answer: Option<&Answer>) -> Vec<KeyValue> {
    let input: Vec<Value> = request
        .messages
        .iter()
        .map(|message| {
            let parts: Vec<Value> = message.parts.iter().map(part).collect();
            json!({"role": message.role, "parts": parts})
        })
        .collect();
    let output = answer
        .filter(|_| !request.kind.is_embedding())
        .map(|answer| {
            json!([{
                "role": "assistant",
                "parts": [{"type": "text", "content": answer.text}],
                "finish_reason": finish_reason(answer.ending == Ending::Truncated),
            }])
        });
    let input = [(INPUT_MESSAGES, Value::Array(input))];
    let output = output.map(|output| (OUTPUT_MESSAGES, output));
    input
        .into_iter()
        .chain(output)
        .map(|(key, value)| (key, value.to_string()))
        .filter(|(_, value)| value.len() <= MAX_BYTES)
        .map(|(key, value)| text(key, value))
        .collect()
}

/// Returns why the model stopped, in the words of the conventions.
pub(crate) const fn finish_reason(truncated: bool) -> &'static str {
    if truncated { "length" } else { "stop" }
}

fn part(part: &Part) -> Value {
    match part {
        Part::Text(text) => json!({"type": "text", "content": text}),
        // The bytes of a picture would make the span too large for most receivers.
        Part::Image { .. } => json!({"type": "blob", "modality": "image"}),
    }
}
