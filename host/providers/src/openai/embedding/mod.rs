//! Embeddings in OpenAI's wire format: bodies and replies.
//!
//! The vectors are requested as base64, as OpenAI's own clients do: a quarter of the bytes, and no number is rounded. A
//! server that answers with numbers all the same is read as well: each becomes the nearest 32-bit number, so both forms of
//! a vector give the same bytes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::reply;
use crate::body::merge_options;
use crate::excerpt;
use crate::outcome::{self, ParsedReply, text_member};
use crate::usage::{self, UsagePaths};
use synix_core::request::{
    Answer, Ending, Failure, FailureKind, InvalidVector, Outcome, Request, RequestKind, Usage,
    Vector,
};

/// The body of a call for the texts of requests that differ in nothing else.
pub(crate) fn body<'r>(first: &'r Request, others: impl Iterator<Item = &'r Request>) -> Value {
    let mut texts = vec![first.text()];
    texts.extend(others.map(Request::text));
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(first.model));
    // Not every compatible server takes a list.
    let input = match texts.as_slice() {
        [only] => json!(only),
        several => json!(several),
    };
    body.insert("input".to_owned(), input);
    body.insert("encoding_format".to_owned(), json!("base64"));
    if let RequestKind::Embedding {
        dimensions: Some(dimensions),
    } = first.kind
    {
        body.insert("dimensions".to_owned(), json!(dimensions));
    }
    merge_options(&mut body, &first.options);
    Value::Object(body)
}

/// Parses the body of a reply with status 200 to a request for one text.
pub(crate) fn parse(body: &Value, dimensions: Option<u32>) -> ParsedReply {
    match parse_several(body, dimensions, &[1]) {
        Ok(outcomes) => match outcomes.into_iter().next() {
            Some(outcome) => ParsedReply::Final(outcome),
            None => ParsedReply::Unusable("it has no vector".to_owned()),
        },
        Err(parsed) => *parsed,
    }
}

/// Parses the body of a reply to a request for several texts: an outcome for each, in their order.
///
/// The server counts the tokens of all texts together. They are divided in proportion to `weights`, one for each text, so
/// that the sum is exact.
pub(crate) fn parse_several(
    body: &Value,
    dimensions: Option<u32>,
    weights: &[u64],
) -> Result<Vec<Outcome>, Box<ParsedReply>> {
    let body =
        outcome::unwrap_document(body).map_err(|reason| Box::new(ParsedReply::Unusable(reason)))?;
    if let Some(error) = reply::error_of(&body, usage(&body)) {
        return Err(Box::new(error));
    }
    let Some(items) = body.get("data").and_then(Value::as_array) else {
        let start = excerpt::truncate(&body.to_string(), 120);
        return Err(unusable(
            &body,
            &format!("it has no list of vectors: {start}"),
        ));
    };
    if items.len() != weights.len() {
        let problem = format!("it has {} vectors for {} texts", items.len(), weights.len());
        return Err(unusable(&body, &problem));
    }
    let items = in_order(items).ok_or_else(|| {
        unusable(
            &body,
            "the positions of its vectors are not those of the texts",
        )
    })?;
    let model = excerpt::truncate(&text_member(&body, "model"), 300);
    let usages = divide(usage(&body), weights);
    let outcome = |(item, usage): (&Value, Usage)| {
        let vector = vector(item.get("embedding").unwrap_or(&Value::Null), dimensions);
        match vector {
            Ok(vector) => Outcome::Answered(Answer {
                text: vector.to_base64(),
                ending: Ending::Complete,
                model: model.clone(),
                usage,
                details: Map::new(),
            }),
            Err(problem) => Outcome::Failed(unreadable(&problem, usage)),
        }
    };
    Ok(items.into_iter().zip(usages).map(outcome).collect())
}

/// Returns the items by their member `index`; without it they have the order of the texts.
fn in_order(items: &[Value]) -> Option<Vec<&Value>> {
    if items.iter().all(|item| item.get("index").is_none()) {
        return Some(items.iter().collect());
    }
    let mut sorted = BTreeMap::new();
    for item in items {
        let index = item.get("index").and_then(usage::parse_count)?;
        sorted.insert(index, item);
    }
    let is_complete = (0..items.len() as u64).eq(sorted.keys().copied());
    is_complete.then(|| sorted.into_values().collect())
}

/// Reads a vector, from base64 or a list of numbers.
fn vector(value: &Value, dimensions: Option<u32>) -> Result<Vector, String> {
    let vector = match value {
        Value::String(text) => Vector::from_base64(text),
        Value::Array(items) => {
            let numbers: Option<Vec<f32>> = items.iter().map(number).collect();
            let numbers = numbers.ok_or("a vector contains something other than numbers")?;
            Vector::new(numbers)
        }
        Value::Null => return Err("a vector is missing".to_owned()),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            return Err("a vector is neither base64 nor a list of numbers".to_owned());
        }
    };
    let checked = vector.and_then(|vector| vector.check_dimensions(dimensions).map(|()| vector));
    checked.map_err(|error: InvalidVector| error.to_string())
}

/// Returns the nearest 32-bit number.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the conversion rounds to the nearest number, and a number that is too large becomes infinite, which is refused"
)]
fn number(value: &Value) -> Option<f32> {
    value.as_f64().map(|number| number as f32)
}

/// Divides the tokens of a reply among its texts. The remainder of a division goes to the first texts.
fn divide(total: Usage, weights: &[u64]) -> Vec<Usage> {
    let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let share = |tokens: u64, upto: u128| {
        let share = u128::from(tokens) * upto / sum.max(1);
        u64::try_from(share).unwrap_or(tokens)
    };
    let mut before = 0_u128;
    let mut usages: Vec<Usage> = weights
        .iter()
        .map(|weight| {
            let after = before + u128::from(*weight);
            let part = |tokens: u64| share(tokens, after) - share(tokens, before);
            let usage = Usage {
                input_tokens: part(total.input_tokens),
                cached_tokens: part(total.cached_tokens),
                ..total
            };
            before = after;
            usage
        })
        .collect();
    // Without weights every share is 0.
    if sum == 0
        && let Some(first) = usages.first_mut()
    {
        *first = total;
    }
    usages
}

/// The failure of a reply that cannot be used. If the server counted its tokens, the cost is known.
fn unusable(body: &Value, problem: &str) -> Box<ParsedReply> {
    let usage = outcome::billed_usage(usage(body));
    if usage == Usage::default() {
        return Box::new(ParsedReply::Unusable(problem.to_owned()));
    }
    Box::new(ParsedReply::Final(Outcome::Failed(unreadable(
        problem, usage,
    ))))
}

fn unreadable(problem: &str, usage: Usage) -> Failure {
    Failure {
        kind: FailureKind::Unreadable,
        message: excerpt::truncate_message(&format!("the reply cannot be used: {problem}")),
        transient: false,
        usage,
    }
}

/// The counts of a reply: a vector has no output tokens.
fn usage(body: &Value) -> Usage {
    const PATHS: UsagePaths = UsagePaths {
        input: &[
            "/prompt_tokens",
            "/input_tokens",
            "/promptTokens",
            "/inputTokens",
            "/total_tokens",
            "/totalTokens",
        ],
        output: &[],
        cached: &["/prompt_tokens_details/cached_tokens"],
        cache_write: &[],
        reasoning: &[],
        excludes_cached: false,
    };
    let read = usage::read_usage(body, &PATHS);
    Usage {
        output_tokens: 0,
        uncounted: read.input_tokens == 0,
        ..read
    }
}

#[cfg(test)]
mod tests;
