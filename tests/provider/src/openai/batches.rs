//! The calls on batches: create, list, poll, cancel.

use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

use super::batch::Batch;
use super::error::{error, not_found};
use super::rows::ResultFiles;
use super::validation::{Invalid, Valid, validate};
use crate::batch_plan::Plan;
use crate::call::{Call, Outcome};
use crate::endpoint::Wire;
use crate::job::{Job, Phase};
use crate::paged_store::PageQuery;
use crate::prompt::snapshot;
use crate::script::FaultKind;
use crate::script_state::ScriptState;
use crate::state::{State, lock};

/// The endpoint of completions.
const ENDPOINT: &str = "/v1/chat/completions";

/// The endpoint of embeddings.
pub(super) const EMBEDDINGS: &str = "/v1/embeddings";

pub(super) fn create(state: &State, script_state: &ScriptState, call: &Call) -> Outcome {
    let Ok(Value::Object(body)) = serde_json::from_slice(&call.body) else {
        return error(
            400,
            "We could not parse the JSON body of your request.",
            None,
            None,
        );
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    for name in ["input_file_id", "endpoint", "completion_window"] {
        if text(name).is_none() {
            let message = format!("Missing required parameter: '{name}'.");
            return error(
                400,
                &message,
                Some(name),
                Some("missing_required_parameter"),
            );
        }
    }
    let endpoint = match text("endpoint") {
        Some(EMBEDDINGS) => EMBEDDINGS,
        _ => ENDPOINT,
    };
    for (name, supported) in [("endpoint", endpoint), ("completion_window", "24h")] {
        if text(name) != Some(supported) {
            let message = format!(
                "Invalid value: '{}'. Supported values are: '{supported}'.",
                text(name).unwrap_or("")
            );
            return error(400, &message, Some(name), Some("invalid_value"));
        }
    }
    let metadata = match metadata(body.get("metadata")) {
        Ok(metadata) => metadata,
        Err(message) => return error(400, &message, Some("metadata"), Some("invalid_value")),
    };
    let input_file_id = text("input_file_id").unwrap_or_default().to_owned();

    let mut checked = check_input(state, script_state, (&input_file_id, endpoint));
    if let Some(invalid) = call.faults.iter().find_map(scripted_failure) {
        checked = Err(invalid);
    }
    let (valid, invalid) = match checked {
        Ok(valid) => (valid, None),
        Err(invalid) => (Valid::default(), Some(invalid)),
    };
    let plan = Plan::of(script_state, call, &valid.rows);
    let plan = if invalid.is_some() {
        plan.failing()
    } else {
        plan
    };
    let id: Arc<str> = format!("batch_{}", state.ids.next()).into();
    let batch = Batch {
        id: Arc::clone(&id),
        job: Job::new(
            plan,
            valid.rows,
            Phase::Validating,
            script_state.script.seed,
        )
        .with_bytes(valid.bytes),
        snapshot: if valid.model.is_empty() {
            String::new()
        } else {
            snapshot(Wire::OpenAi, &valid.model)
        },
        model: valid.model,
        input_tokens: valid.input_tokens,
        endpoint: endpoint.to_owned(),
        input_file_id,
        metadata,
        invalid,
        result_files: ResultFiles::default(),
        output_file: None,
        error_file: None,
    };
    let outcome = Outcome::ok(&batch.object());
    lock(&state.batches).insert(id.to_string(), Mutex::new(batch));
    outcome
}

fn check_input(
    state: &State,
    script_state: &ScriptState,
    (file_id, endpoint): (&str, &str),
) -> Result<Valid, Invalid> {
    let file = lock(&state.files)
        .get(file_id)
        .filter(|file| file.purpose == "batch");
    let valid = validate(
        &file.ok_or_else(|| Invalid::no_file(file_id))?.content,
        endpoint,
        script_state,
    )?;
    if let Some(limit) = script_state.script.enqueued_token_limit {
        let batches = lock(&state.batches).all();
        let waiting = batches.iter().map(|batch| {
            let batch = lock(batch);
            if batch.job.end().is_none() && batch.model == valid.model {
                batch.input_tokens
            } else {
                0
            }
        });
        if waiting.sum::<u64>() + valid.input_tokens > limit {
            return Err(Invalid::too_many_tokens(&valid.model, limit));
        }
    }
    Ok(valid)
}

fn scripted_failure(fault: &FaultKind) -> Option<Invalid> {
    let FaultKind::FailValidation {
        code,
        message,
        param,
        line,
    } = fault
    else {
        return None;
    };
    Some(Invalid {
        code: code.clone(),
        message: message.clone(),
        param: param.clone(),
        line: *line,
    })
}

fn metadata(value: Option<&Value>) -> Result<Option<Map<String, Value>>, String> {
    let pairs = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(pairs)) => pairs,
        Some(_) => return Err("Invalid type for 'metadata': expected an object.".to_owned()),
    };
    if pairs.len() > 16 {
        return Err("Invalid 'metadata': too many properties. Expected an object with at most 16 properties.".to_owned());
    }
    for (key, value) in pairs {
        let Value::String(text) = value else {
            return Err(format!(
                "Invalid type for 'metadata.{key}': expected a string."
            ));
        };
        if key.chars().count() > 64 || text.chars().count() > 512 {
            return Err(format!(
                "Invalid 'metadata.{key}': keys have at most 64 characters and values 512."
            ));
        }
    }
    Ok(Some(pairs.clone()))
}

pub(super) fn list(state: &State, call: &Call) -> Outcome {
    let limit = match call.limit(20, 100) {
        Ok(limit) => limit,
        Err(text) => {
            return error(
                400,
                &format!("Invalid 'limit': '{text}'."),
                Some("limit"),
                Some("invalid_value"),
            );
        }
    };
    let span = PageQuery {
        limit,
        after: call.query("after"),
        skip_newest: call.hidden(),
        ..PageQuery::default()
    };
    let page = lock(&state.batches).page(&span, |_| true);
    let Some(page) = page else {
        return error(400, "Invalid 'after': no such batch.", Some("after"), None);
    };
    let batches: Vec<_> = page.items.iter().map(|batch| lock(batch)).collect();
    Outcome::ok(&json!({
        "object": "list",
        "data": batches.iter().map(|batch| batch.object()).collect::<Vec<_>>(),
        "first_id": batches.first().map(|batch| &batch.id),
        "last_id": batches.last().map(|batch| &batch.id),
        "has_more": page.has_more,
    }))
}

pub(super) fn retrieve(state: &State, script_state: &ScriptState, call: &Call) -> Outcome {
    let Some(batch) = lock(&state.batches).get(&call.id) else {
        return not_found(call);
    };
    let mut batch = lock(&batch);
    batch.poll(state, script_state);
    Outcome::ok(&batch.object())
}

pub(super) fn cancel(state: &State, call: &Call) -> Outcome {
    let Some(batch) = lock(&state.batches).get(&call.id) else {
        return not_found(call);
    };
    let mut batch = lock(&batch);
    if !batch.job.cancel() {
        let message = format!("Cannot cancel a batch with status '{}'.", batch.status());
        return error(409, &message, None, None);
    }
    Outcome::ok(&batch.object())
}
