//! Assembles a message from the events that Anthropic streams.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{NO_END, kind};

/// Assembles the message of the events.
pub(super) fn assemble(values: &[Value]) -> Result<Value, String> {
    let mut whole = Map::new();
    let mut blocks: BTreeMap<u64, Value> = BTreeMap::new();
    let mut has_ended = false;
    for value in values {
        let index = value.get("index").and_then(Value::as_u64).unwrap_or(0);
        match kind(value) {
            "message_start" => {
                if let Some(Value::Object(message)) = value.get("message") {
                    whole = message.clone();
                }
            }
            "content_block_start" => {
                let block = value.get("content_block").cloned().unwrap_or_default();
                blocks.insert(index, block);
            }
            "content_block_delta" => {
                let text = value
                    .get("delta")
                    .filter(|delta| kind(delta) == "text_delta");
                let text = text.and_then(|delta| delta.get("text")?.as_str());
                if let Some(text) = text {
                    let block = blocks
                        .entry(index)
                        .or_insert_with(|| json!({"type": "text", "text": ""}));
                    let before = block
                        .get("text")
                        .and_then(Value::as_str)
                        .unwrap_or_default();
                    let joined = format!("{before}{text}");
                    if let Value::Object(members) = block {
                        members.insert("text".to_owned(), joined.into());
                    }
                }
            }
            "message_delta" => {
                for (place, name) in [("/delta", None), ("/usage", Some("usage"))] {
                    let Some(Value::Object(update)) = value.pointer(place) else {
                        continue;
                    };
                    let target = match name {
                        None => &mut whole,
                        Some(name) => {
                            let member = whole.entry(name).or_insert_with(|| json!({}));
                            let Value::Object(member) = member else {
                                continue;
                            };
                            member
                        }
                    };
                    let updated = update.iter().filter(|(_, value)| !value.is_null());
                    target.extend(updated.map(|(name, value)| (name.clone(), value.clone())));
                }
                has_ended |= value
                    .pointer("/delta/stop_reason")
                    .is_some_and(|reason| !reason.is_null());
            }
            "message_stop" => has_ended = true,
            _ => {}
        }
    }
    if !has_ended {
        return Err(NO_END.to_owned());
    }
    whole.insert("content".to_owned(), blocks.into_values().collect());
    Ok(Value::Object(whole))
}
