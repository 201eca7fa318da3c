//! `POST /v1/messages`, and the message, which is also in batch rows.

use std::sync::Arc;

use hyper::header::HeaderValue;
use serde::Serialize;
use serde_json::{Value, json};

use super::error;
use crate::answer::{Answer, Corruption, ModelReply, choose_reply, generated};
use crate::call::{Call, Delivery, Outcome, status, to_json};
use crate::endpoint::Wire;
use crate::ledger::{Executed, PriceClass, Receipt};
use crate::prompt::Prompt;
use crate::script::Mode;
use crate::script_state::ScriptState;
use crate::state::State;

/// A message in Anthropic's form.
#[derive(Debug, Serialize)]
pub(super) struct Message {
    id: String,
    r#type: &'static str,
    role: &'static str,
    model: String,
    content: Vec<Block>,
    stop_reason: String,
    stop_sequence: Option<String>,
    usage: Usage,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        text: String,
    },
    ToolUse {
        id: String,
        name: String,
        input: Value,
    },
}

#[derive(Debug, Serialize)]
struct Usage {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    output_tokens: u64,
    service_tier: &'static str,
}

impl Message {
    pub(super) fn new(prompt: &Prompt<'_>, answer: &Answer, mode: Mode) -> Self {
        Self {
            id: format!("msg_01{}", prompt.body.short(22)),
            r#type: "message",
            role: "assistant",
            model: prompt.snapshot(),
            content: blocks(prompt, answer),
            stop_reason: stop_reason(answer),
            stop_sequence: None,
            usage: Usage {
                input_tokens: prompt.input_tokens,
                cache_creation_input_tokens: 0,
                cache_read_input_tokens: 0,
                output_tokens: answer.output_tokens,
                service_tier: match mode {
                    Mode::Sync => "standard",
                    Mode::Batch => "batch",
                },
            },
        }
    }
}

fn blocks(prompt: &Prompt<'_>, answer: &Answer) -> Vec<Block> {
    let text = answer
        .text
        .iter()
        .filter(|_| answer.choices > 0)
        .map(|text| Block::Text { text: text.clone() });
    let calls = answer
        .tool_calls
        .iter()
        .enumerate()
        .map(|(index, call)| Block::ToolUse {
            id: format!("toolu_01{}{index:02}", prompt.body.short(20)),
            name: call.name.clone(),
            input: serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({})),
        });
    text.chain(calls).collect()
}

fn stop_reason(answer: &Answer) -> String {
    let reason = match answer.finish.as_str() {
        _ if answer.refusal.is_some() => "refusal",
        "stop" => "end_turn",
        "length" => "max_tokens",
        "tool_calls" => "tool_use",
        "content_filter" => "refusal",
        other => other,
    };
    reason.to_owned()
}

/// Completes one request now.
pub(super) fn complete(state: &State, script_state: &ScriptState, call: &Call) -> Outcome {
    let body: Value = match serde_json::from_slice(&call.body) {
        Ok(body) => body,
        Err(broken) => {
            return error::error(
                400,
                &format!("The request body is not valid JSON: {broken}"),
            );
        }
    };
    let prompt = match Prompt::read(Wire::Anthropic, &body) {
        Ok(prompt) => prompt,
        Err(bad) => return error::error(400, &error::of_prompt(&bad)),
    };
    if !script_state.knows(prompt.model) {
        return error::error(404, &error::of_model(prompt.model));
    }
    let (turn, mut wait) = choose_reply(script_state, &prompt, Mode::Sync);
    let outcome = match turn {
        ModelReply::Answered(answer, corruption) => written(state, &prompt, &answer, &corruption),
        ModelReply::StatusZero => written(state, &prompt, &generated(&prompt), &Corruption::None),
        ModelReply::Denied(reply) => error::of_status(&reply),
        ModelReply::Html => Outcome::html_502(),
        ModelReply::Dropped => Outcome::hang_up(),
    };
    if let Some(range) = script_state.script.latency_ms {
        wait.time += script_state.draw(range, prompt.body.draw());
    }
    Outcome { wait, ..outcome }
}

fn written(
    state: &State,
    prompt: &Prompt<'_>,
    answer: &Answer,
    corruption: &Corruption,
) -> Outcome {
    let sequence = state.recorder.record(Executed {
        sequence: 0,
        endpoint: Arc::from("messages"),
        custom_id: None,
        body: prompt.body,
        model: Arc::from(prompt.model),
        input_tokens: prompt.input_tokens,
        output_tokens: answer.output_tokens,
        price: PriceClass::Sync,
        delivered: false,
    });
    let mut document = to_json(&Message::new(prompt, answer, Mode::Sync));
    let mut delivery = Delivery::Whole;
    match *corruption {
        Corruption::Lost => delivery = Delivery::HangUp,
        Corruption::Truncated(drop) => {
            delivery = Delivery::Cut {
                drop,
                hidden: false,
            }
        }
        Corruption::Garbled => document[0] = b'<',
        Corruption::Emptied => document = b"{}".to_vec(),
        Corruption::None
        | Corruption::Raw(_)
        | Corruption::RowMissing
        | Corruption::RowTwice
        | Corruption::RowUnknown => {}
    }
    let mut outcome = Outcome::bytes(status(200), "application/json", document);
    for (name, value) in RATE_LIMITS {
        outcome
            .headers
            .insert(name, HeaderValue::from_static(value));
    }
    let outcome = Outcome {
        receipt: Some(Receipt::One(sequence)),
        delivery,
        ..outcome
    };
    if let Corruption::Raw(raw) = corruption {
        return raw.reply(outcome, Wire::Anthropic, &state.base, "");
    }
    outcome
}

/// The rate limit headers; no limit is ever reached.
const RATE_LIMITS: [(&str, &str); 4] = [
    ("anthropic-organization-id", "org-scripted"),
    ("anthropic-ratelimit-requests-limit", "4000"),
    ("anthropic-ratelimit-requests-remaining", "3999"),
    ("anthropic-ratelimit-requests-reset", "2026-01-01T00:00:00Z"),
];
