//! Assembles a chat completion from the chunks that OpenAI and compatible servers stream.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::NO_END;
use crate::content::Content;

/// A choice whose chunks are being joined.
#[derive(Default)]
struct Choice {
    text: String,
    refusal: String,
    has_tool_calls: bool,
    finish: Value,
    error: Value,
    logprobs: Vec<Value>,
}

/// Assembles the completion; `is_done` says whether the stream had its end marker.
pub(super) fn assemble(values: &[Value], is_done: bool) -> Result<Value, String> {
    let mut whole = Map::new();
    let mut choices: BTreeMap<u64, Choice> = BTreeMap::new();
    for value in values {
        for name in ["id", "model", "usage", "created"] {
            if let Some(found) = value.get(name).filter(|found| !found.is_null()) {
                whole.insert(name.to_owned(), found.clone());
            }
        }
        let listed = value.get("choices").and_then(Value::as_array);
        for chunk in listed.into_iter().flatten() {
            let index = chunk.get("index").and_then(Value::as_u64).unwrap_or(0);
            choices.entry(index).or_default().append(chunk);
        }
    }
    let has_ended = is_done || choices.values().any(|choice| !choice.finish.is_null());
    if !has_ended {
        return Err(NO_END.to_owned());
    }
    let choices = choices
        .into_iter()
        .map(|(index, choice)| choice.into_value(index));
    whole.insert("choices".to_owned(), choices.collect());
    Ok(Value::Object(whole))
}

impl Choice {
    fn append(&mut self, chunk: &Value) {
        let delta = chunk.get("delta").unwrap_or(&Value::Null);
        let content = Content::read(delta.get("content"));
        self.text.push_str(&content.text);
        let refusal = delta.get("refusal").and_then(Value::as_str);
        let refusals = [content.refusal.as_deref(), refusal];
        for text in refusals.into_iter().flatten() {
            self.refusal.push_str(text);
        }
        self.has_tool_calls |= delta
            .get("tool_calls")
            .is_some_and(|calls| !calls.is_null());
        for (name, target) in [
            ("finish_reason", &mut self.finish),
            ("error", &mut self.error),
        ] {
            if let Some(found) = chunk.get(name).filter(|found| !found.is_null()) {
                *target = found.clone();
            }
        }
        let logprobs = chunk.pointer("/logprobs/content").and_then(Value::as_array);
        self.logprobs
            .extend(logprobs.into_iter().flatten().cloned());
    }

    fn into_value(self, index: u64) -> Value {
        let finish = if self.finish.is_null() && self.has_tool_calls {
            json!("tool_calls")
        } else {
            self.finish
        };
        let mut choice = json!({
            "index": index,
            "message": {"role": "assistant", "content": self.text},
            "finish_reason": finish,
        });
        if !self.refusal.is_empty() {
            choice["message"]["refusal"] = self.refusal.into();
        }
        if !self.error.is_null() {
            choice["error"] = self.error;
        }
        if !self.logprobs.is_empty() {
            choice["logprobs"] = json!({"content": self.logprobs});
        }
        choice
    }
}
