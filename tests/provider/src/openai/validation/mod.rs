//! The validation of OpenAI before a batch runs. A client learns the result by polling.

use std::collections::HashSet;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::batches::EMBEDDINGS;
use super::embeddings;
use crate::endpoint::Wire;
use crate::job::Row;
use crate::prompt::Prompt;
use crate::script_state::ScriptState;

/// The maximum number of requests in one batch.
const MAX_ROWS: usize = 50_000;

/// The error of a batch that failed validation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Invalid {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) param: Option<String>,
    pub(super) line: Option<u64>,
}

/// A valid input file.
#[derive(Debug, Default)]
pub(super) struct Valid {
    pub(super) rows: Vec<Row>,
    pub(super) model: String,
    pub(super) input_tokens: u64,
    pub(super) bytes: usize,
}

#[derive(Deserialize)]
struct Line<'l> {
    custom_id: Option<Value>,
    method: Option<Value>,
    url: Option<Value>,
    #[serde(borrow)]
    body: Option<&'l RawValue>,
}

#[derive(Deserialize)]
struct Body<'l> {
    model: Option<Value>,
    stream: Option<Value>,
    #[serde(borrow)]
    messages: Option<&'l RawValue>,
    #[serde(borrow)]
    input: Option<&'l RawValue>,
}

impl Invalid {
    fn new(code: &str, param: Option<&str>, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            param: param.map(str::to_owned),
            line: None,
        }
    }

    fn missing(param: &str) -> Self {
        Self::new(
            "missing_required_parameter",
            Some(param),
            format!("Missing required parameter: '{param}'."),
        )
    }

    /// Returns the error for a missing input file.
    pub(super) fn no_file(id: &str) -> Self {
        let message = format!(
            "Cannot find file {id}, or organization org-scripted does not have access to it."
        );
        Self::new("invalid_request", Some("file_id"), message)
    }

    /// Returns the error for too many enqueued tokens of a model.
    pub(super) fn too_many_tokens(model: &str, limit: u64) -> Self {
        let limit = with_commas(limit);
        let message = format!(
            "Enqueued token limit reached for {model} in organization org-scripted. Limit: {limit} enqueued tokens. \
             Please try again once some in_progress batches have been completed."
        );
        Self::new("token_limit_exceeded", None, message)
    }
}

/// Checks an input file line by line and stops at the first error.
pub(super) fn validate(
    content: &Bytes,
    endpoint: &str,
    script_state: &ScriptState,
) -> Result<Valid, Invalid> {
    let mut valid = Valid {
        bytes: content.len(),
        ..Valid::default()
    };
    let mut ids = HashSet::new();
    let lines = content.split(|byte| *byte == b'\n').enumerate();
    for (index, line) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()) {
        let (row, model) = check(content, line, endpoint, script_state)
            .and_then(|(row, model)| match ids.insert(row.custom_id.clone()) {
                true => Ok((row, model)),
                false => Err(duplicate(&row.custom_id)),
            })
            .and_then(
                |(row, model)| match valid.model.is_empty() || valid.model == model {
                    true => Ok((row, model)),
                    false => Err(mismatch(&valid.model, &model)),
                },
            )
            .map_err(|invalid| Invalid {
                line: Some(index as u64 + 1),
                ..invalid
            })?;
        if script_state.script.enqueued_token_limit.is_some() {
            valid.input_tokens += input_tokens(&row);
        }
        valid.model = model;
        valid.rows.push(row);
    }
    if valid.rows.is_empty() {
        return Err(Invalid::new(
            "empty_file",
            None,
            "The batch input file is empty. Please ensure that the file has at least one request.",
        ));
    }
    let limit = script_state.script.batch_row_limit.unwrap_or(MAX_ROWS);
    if valid.rows.len() > limit {
        let message = format!(
            "The batch input file has more requests than the limit. Limit: {} requests.",
            with_commas(limit as u64)
        );
        return Err(Invalid::new("too_many_tasks", None, message));
    }
    Ok(valid)
}

fn check(
    content: &Bytes,
    line: &[u8],
    endpoint: &str,
    script_state: &ScriptState,
) -> Result<(Row, String), Invalid> {
    let line: Line<'_> = serde_json::from_slice(line).map_err(|_| {
        Invalid::new(
            "invalid_json_line",
            None,
            "This line is not parseable as valid JSON.",
        )
    })?;
    let text = |value: Option<Value>, param: &str| match value {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        _ => Err(Invalid::missing(param)),
    };
    let custom_id = text(line.custom_id, "custom_id")?;
    text(line.method, "method")?;
    if text(line.url, "url")? != endpoint {
        let message = "The URL provided for this request does not match the batch endpoint.";
        return Err(Invalid::new("invalid_url", Some("url"), message));
    }
    let raw = line.body.ok_or_else(|| Invalid::missing("body"))?.get();
    let body: Body<'_> = serde_json::from_str(raw).map_err(|_| Invalid::missing("body"))?;
    let model = text(body.model, "model").map_err(|_| {
        Invalid::new(
            "invalid_request",
            Some("body.model"),
            "The request body must name a model.",
        )
    })?;
    if !script_state.knows(&model) {
        let message = format!("The provided model '{model}' is not supported by the Batch API.");
        return Err(Invalid::new("model_not_found", Some("body.model"), message));
    }
    let (prompt, name) = match endpoint {
        EMBEDDINGS => (body.input, "body.input"),
        _ => (body.messages, "body.messages"),
    };
    if prompt.is_none() {
        return Err(Invalid::missing(name));
    }
    if body.stream == Some(Value::Bool(true)) {
        let message = "Streaming is not supported in the Batch API.";
        return Err(Invalid::new(
            "streaming_unsupported",
            Some("body.stream"),
            message,
        ));
    }
    Ok((
        Row {
            custom_id,
            body: content.slice_ref(raw.as_bytes()),
        },
        model,
    ))
}

fn duplicate(custom_id: &str) -> Invalid {
    let message = format!(
        "The custom_id '{custom_id}' for this request is a duplicate of another request. \
         The custom_id parameter must be unique for each request in a batch."
    );
    Invalid::new("duplicate_custom_id", Some("custom_id"), message)
}

fn mismatch(first: &str, other: &str) -> Invalid {
    let message = format!(
        "The provided model '{other}' does not match the model of the first request, '{first}'."
    );
    Invalid::new("mismatched_model", Some("body.model"), message)
}

fn input_tokens(row: &Row) -> u64 {
    let body: Value = serde_json::from_slice(&row.body).unwrap_or(Value::Null);
    match embeddings::prompts(&body) {
        Ok(prompts) => prompts.iter().map(|prompt| prompt.input_tokens).sum(),
        Err(_) => Prompt::read(Wire::OpenAi, &body).map_or(0, |prompt| prompt.input_tokens),
    }
}

fn with_commas(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;
