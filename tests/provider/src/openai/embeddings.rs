//! `POST /v1/embeddings`, and the list of vectors, which is also in batch rows.
//!
//! A vector is derived from the model and the words of the text, so texts that share words have similar vectors. A rule with a `text` replaces the vector of a text by this JSON value.

use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use synix_test_random::SeededRandom;

use super::{chat, error};
use crate::answer::{Answer, Corruption, ModelReply, choose_reply, generated};
use crate::base64::encode;
use crate::call::{Call, Outcome, Wait, status, to_json};
use crate::digest::BodyDigest;
use crate::endpoint::Wire;
use crate::ledger::{Executed, PriceClass, Receipt};
use crate::prompt::{BadPrompt, Format, Prompt, count_words};
use crate::script::Mode;
use crate::script_state::ScriptState;
use crate::state::State;

/// The numbers of a vector without `dimensions` in the request.
const DIMENSIONS: u64 = 8;

/// The most texts in a call.
const MAX_TEXTS: usize = 2048;

/// Reads the texts of a body, each as a prompt. The digest of a text does not depend on the texts beside it.
pub(super) fn prompts(body: &Value) -> Result<Vec<Prompt<'_>>, BadPrompt> {
    let model = body.get("model").and_then(Value::as_str);
    let model = model
        .filter(|model| !model.is_empty())
        .ok_or(BadPrompt::Missing("model"))?;
    let texts: Option<Vec<&str>> = match body.get("input") {
        Some(Value::String(text)) => Some(vec![text]),
        Some(Value::Array(items)) => items.iter().map(Value::as_str).collect(),
        _ => None,
    };
    let texts = texts.filter(|texts| {
        (1..=MAX_TEXTS).contains(&texts.len()) && !texts.iter().any(|text| text.is_empty())
    });
    let prompt = |text: &str| {
        let mut alone = body.clone();
        alone["input"] = json!(text);
        Prompt {
            wire: Wire::OpenAi,
            body: BodyDigest::of(&alone),
            model,
            question: BodyDigest::of_all(&[&json!(model), &json!(text)]),
            last_user: text.to_owned(),
            input_tokens: count_words(text),
            max_tokens: None,
            format: Format::Text,
            choices: 1,
        }
    };
    let texts = texts.ok_or(BadPrompt::Missing("input"))?;
    Ok(texts.into_iter().map(prompt).collect())
}

/// Returns the list of vectors of these texts.
pub(super) fn document(
    body: &Value,
    script_state: &ScriptState,
    prompts: &[(&Prompt<'_>, &Answer)],
) -> Value {
    let as_base64 = body["encoding_format"] == "base64" && !script_state.script.only_numbers;
    let dimensions = body["dimensions"].as_u64().unwrap_or(DIMENSIONS);
    let data: Vec<Value> = prompts
        .iter()
        .enumerate()
        .map(|(index, (prompt, answer))| {
            let scripted = answer
                .text
                .as_deref()
                .filter(|text| *text != generated(prompt).text.as_deref().unwrap_or_default());
            let embedding = match scripted {
                Some(text) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
                None if as_base64 => {
                    let numbers = vector(prompt, dimensions);
                    let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
                    json!(encode(&bytes.collect::<Vec<u8>>()))
                }
                None => json!(vector(prompt, dimensions)),
            };
            json!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    let tokens: u64 = prompts.iter().map(|(prompt, _)| prompt.input_tokens).sum();
    json!({
        "object": "list",
        "data": data,
        "model": body["model"],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    })
}

/// The number of characters in which words are the same, whatever their endings.
const STEM: usize = 5;

/// How much the digest of model and text adds to the words, so that no two texts have the same vector.
const UNIQUE: f32 = 0.01;

/// Adds up a direction for each word, and a small one for the text as a whole.
fn vector(prompt: &Prompt<'_>, dimensions: u64) -> Vec<f32> {
    let mut numbers = vec![0.0; usize::try_from(dimensions).unwrap_or(0)];
    add(&mut numbers, &prompt.question.to_string(), UNIQUE);
    let text = prompt.last_user.to_lowercase();
    for word in text.split(|character: char| !character.is_alphanumeric()) {
        let stem: String = word.chars().take(STEM).collect();
        if !stem.is_empty() {
            add(&mut numbers, &format!("{} {stem}", prompt.model), 1.0);
        }
    }
    numbers
}

/// Adds the direction of a seed: numbers between -1 and 1 that only depend on it.
fn add(numbers: &mut [f32], seed: &str, weight: f32) {
    let digest = Sha256::digest(seed.as_bytes());
    let seed = digest
        .iter()
        .take(8)
        .fold(0_u64, |seed, byte| seed << 8 | u64::from(*byte));
    let mut random = SeededRandom(seed);
    for number in numbers {
        let [high, low, ..] = random.draw().to_be_bytes();
        let unit = (f32::from(u16::from_be_bytes([high, low])) - 32_767.5) / 32_767.5;
        *number += weight * unit;
    }
}

/// Answers the texts of one call now.
pub(super) fn embed(state: &State, script_state: &ScriptState, call: &Call) -> Outcome {
    let body: Value = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
    let prompts = match prompts(&body) {
        Ok(prompts) => prompts,
        Err(bad) => return Outcome::json(status(400), &error::of_prompt(&bad)),
    };
    let model = prompts.first().map_or("", |prompt| prompt.model);
    if !script_state.knows(model) {
        return Outcome::json(status(404), &error::of_model(model));
    }
    let (mut answers, mut corruption) = (Vec::new(), Corruption::None);
    let mut longest = Wait::default();
    for prompt in &prompts {
        let (turn, wait) = choose_reply(script_state, prompt, Mode::Sync);
        longest = Wait {
            time: longest.time.max(wait.time),
            held: longest.held || wait.held,
        };
        match turn {
            ModelReply::Answered(answer, corrupted) => {
                answers.push(answer);
                if corruption == Corruption::None {
                    corruption = corrupted;
                }
            }
            ModelReply::StatusZero => answers.push(generated(prompt)),
            ModelReply::Denied(reply) => return error::of_status(&reply),
            ModelReply::Html => return Outcome::html_502(),
            ModelReply::Dropped => return Outcome::hang_up(),
        }
    }
    let sequences: Vec<u64> = prompts
        .iter()
        .map(|prompt| state.recorder.record(executed(prompt, "embeddings")))
        .collect();
    let pairs: Vec<(&Prompt<'_>, &Answer)> = prompts.iter().zip(&answers).collect();
    let document = to_json(&document(&body, script_state, &pairs));
    let outcome = chat::corrupted(
        state,
        document,
        Receipt::Many(sequences.into()),
        &corruption,
    );
    Outcome {
        wait: longest,
        ..outcome
    }
}

fn executed(prompt: &Prompt<'_>, endpoint: &str) -> Executed {
    Executed {
        sequence: 0,
        endpoint: Arc::from(endpoint),
        custom_id: None,
        body: prompt.body,
        model: Arc::from(prompt.model),
        input_tokens: prompt.input_tokens,
        output_tokens: 0,
        price: PriceClass::Sync,
        delivered: false,
    }
}
