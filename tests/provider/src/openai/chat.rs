//! `POST /v1/chat/completions`, and the completion, which is also in batch rows.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::error;
use crate::answer::{Answer, Corruption, ModelReply, choose_reply, generated};
use crate::call::{Call, Delivery, Outcome, status, to_json};
use crate::endpoint::Wire;
use crate::ledger::{Executed, PriceClass, Receipt};
use crate::prompt::Prompt;
use crate::script::Mode;
use crate::script_state::ScriptState;
use crate::state::State;

/// The creation time of every completion, which is fixed so that a reply depends only on its request.
const CREATED: u64 = 1_767_225_600;

/// A completion in OpenAI's form.
#[derive(Debug, Serialize)]
pub(super) struct Completion {
    id: String,
    object: &'static str,
    created: u64,
    model: String,
    choices: Vec<Choice>,
    usage: Usage,
    service_tier: &'static str,
    system_fingerprint: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Choice {
    index: usize,
    message: Message,
    logprobs: Option<()>,
    finish_reason: String,
}

#[derive(Debug, Serialize)]
struct Message {
    role: &'static str,
    content: Option<String>,
    refusal: Option<String>,
    annotations: [(); 0],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall>,
}

#[derive(Debug, Serialize)]
struct ToolCall {
    id: String,
    r#type: &'static str,
    function: Function,
}

#[derive(Debug, Serialize)]
struct Function {
    name: String,
    arguments: String,
}

#[derive(Debug, Serialize)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Debug, Default, Serialize)]
struct PromptDetails {
    cached_tokens: u64,
    audio_tokens: u64,
}

#[derive(Debug, Default, Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
    audio_tokens: u64,
    accepted_prediction_tokens: u64,
    rejected_prediction_tokens: u64,
}

impl Completion {
    pub(super) fn new(prompt: &Prompt<'_>, answer: &Answer) -> Self {
        let message = || Message {
            role: "assistant",
            content: answer.text.clone(),
            refusal: answer.refusal.clone(),
            annotations: [],
            tool_calls: tool_calls(prompt, answer),
        };
        let choice = |index| Choice {
            index,
            message: message(),
            logprobs: None,
            finish_reason: answer.finish.clone(),
        };
        Self {
            id: format!("chatcmpl-{}", prompt.body.short(29)),
            object: "chat.completion",
            created: CREATED,
            model: prompt.snapshot(),
            choices: (0..answer.choices).map(choice).collect(),
            usage: Usage {
                prompt_tokens: prompt.input_tokens,
                completion_tokens: answer.output_tokens,
                total_tokens: prompt.input_tokens + answer.output_tokens,
                prompt_tokens_details: PromptDetails::default(),
                completion_tokens_details: CompletionDetails::default(),
            },
            service_tier: "default",
            system_fingerprint: None,
        }
    }
}

fn tool_calls(prompt: &Prompt<'_>, answer: &Answer) -> Vec<ToolCall> {
    let calls = answer
        .tool_calls
        .iter()
        .enumerate()
        .map(|(index, call)| ToolCall {
            id: format!("call_{}{index:02}", prompt.body.short(22)),
            r#type: "function",
            function: Function {
                name: call.name.clone(),
                arguments: call.arguments.clone(),
            },
        });
    calls.collect()
}

/// Completes one request now.
pub(super) fn complete(state: &State, script_state: &ScriptState, call: &Call) -> Outcome {
    let body: Value = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
    let prompt = match Prompt::read(Wire::OpenAi, &body) {
        Ok(prompt) => prompt,
        Err(bad) => return Outcome::json(status(400), &error::of_prompt(&bad)),
    };
    if !script_state.knows(prompt.model) {
        return Outcome::json(status(404), &error::of_model(prompt.model));
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
        endpoint: Arc::from("chat"),
        custom_id: None,
        body: prompt.body,
        model: Arc::from(prompt.model),
        input_tokens: prompt.input_tokens,
        output_tokens: answer.output_tokens,
        price: PriceClass::Sync,
        delivered: false,
    });
    let document = to_json(&Completion::new(prompt, answer));
    corrupted(state, document, Receipt::One(sequence), corruption)
}

/// Returns the reply with this document, as the script wants it.
pub(super) fn corrupted(
    state: &State,
    mut document: Vec<u8>,
    receipt: Receipt,
    corruption: &Corruption,
) -> Outcome {
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
    let outcome = Outcome {
        receipt: Some(receipt),
        delivery,
        ..Outcome::bytes(status(200), "application/json", document)
    };
    let outcome = RATE_LIMITS
        .iter()
        .fold(outcome, |mut outcome, (name, value)| {
            outcome
                .headers
                .insert(*name, hyper::header::HeaderValue::from_static(value));
            outcome
        });
    if let Corruption::Raw(raw) = corruption {
        return raw.reply(outcome, Wire::OpenAi, &state.base, "");
    }
    outcome
}

/// The rate limit headers; no limit is ever reached.
const RATE_LIMITS: [(&str, &str); 6] = [
    ("x-ratelimit-limit-requests", "10000"),
    ("x-ratelimit-remaining-requests", "9999"),
    ("x-ratelimit-reset-requests", "6ms"),
    ("x-ratelimit-limit-tokens", "2000000"),
    ("x-ratelimit-remaining-tokens", "1999000"),
    ("x-ratelimit-reset-tokens", "30ms"),
];
