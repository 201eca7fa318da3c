//! The calls on message batches: create, list, poll, results, cancel, delete.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::batch::Batch;
use super::error::{error, not_found};
use super::rows::ResultFile;
use crate::batch_plan::Plan;
use crate::call::{Call, Outcome};
use crate::job::{Job, Phase, Row};
use crate::paged_store::PageQuery;
use crate::script_state::ScriptState;
use crate::state::{State, lock};

/// The most bytes of one create call.
const MOST_BYTES: usize = 256_000_000;

/// The most requests of one batch.
const MAX_ROWS: usize = 100_000;

#[derive(Deserialize)]
struct Create<'b> {
    #[serde(borrow)]
    requests: Option<Vec<Request<'b>>>,
}

#[derive(Deserialize)]
struct Request<'b> {
    #[serde(borrow)]
    custom_id: Option<Cow<'b, str>>,
    #[serde(borrow)]
    params: Option<&'b RawValue>,
}

pub(super) fn create(state: &State, script_state: &ScriptState, call: &Call) -> Outcome {
    if call.body.len() > MOST_BYTES {
        return error(413, "Request exceeds the maximum size");
    }
    let rows = match read_rows(call) {
        Ok(rows) => rows,
        Err(message) => return error(400, &message),
    };
    if rows.len() > script_state.script.batch_row_limit.unwrap_or(MAX_ROWS) {
        return error(
            413,
            "Request exceeds the maximum number of requests in a batch",
        );
    }
    let id: Arc<str> = format!("msgbatch_01{}", &state.ids.next()[..22]).into();
    let plan = Plan::of(script_state, call, &rows);
    let batch = Batch {
        id: Arc::clone(&id),
        job: Job::new(plan, rows, Phase::InProgress, script_state.script.seed)
            .with_bytes(call.body.len()),
        result_file: ResultFile::default(),
        results: None,
    };
    let outcome = Outcome::ok(&batch.object(&state.base));
    lock(&state.message_batches).insert(id.to_string(), Mutex::new(batch));
    outcome
}

fn read_rows(call: &Call) -> Result<Vec<Row>, String> {
    let create: Create<'_> = serde_json::from_slice(&call.body)
        .map_err(|broken| format!("The request body is not valid JSON: {broken}"))?;
    let requests = create.requests.ok_or("requests: Field required")?;
    if requests.is_empty() {
        return Err(
            "requests: List should have at least 1 item after validation, not 0".to_owned(),
        );
    }
    let mut rows = Vec::with_capacity(requests.len());
    let mut ids = HashSet::with_capacity(requests.len());
    for (index, request) in requests.into_iter().enumerate() {
        let custom_id = request
            .custom_id
            .ok_or_else(|| format!("requests.{index}.custom_id: Field required"))?;
        if custom_id.chars().count() > 64 {
            return Err(format!(
                "requests.{index}.custom_id: String should have at most 64 characters"
            ));
        }
        if custom_id.is_empty()
            || !custom_id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        {
            return Err(format!(
                "requests.{index}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'"
            ));
        }
        let params = request
            .params
            .ok_or_else(|| format!("requests.{index}.params: Field required"))?;
        if !ids.insert(custom_id.clone()) {
            return Err(format!(
                "requests: custom_id's must be unique within a batch. Duplicate custom_id found: {custom_id}"
            ));
        }
        rows.push(Row {
            custom_id: custom_id.into_owned(),
            body: call.body.slice_ref(params.get().as_bytes()),
        });
    }
    Ok(rows)
}

pub(super) fn list(state: &State, call: &Call) -> Outcome {
    let Ok(limit) = call.limit(20, 1000) else {
        return error(
            400,
            "limit: Input should be greater than or equal to 1 and less than or equal to 1000",
        );
    };
    let (after, before) = (call.query("after_id"), call.query("before_id"));
    if after.is_some() && before.is_some() {
        return error(400, "after_id and before_id cannot both be given");
    }
    let span = PageQuery {
        limit,
        after,
        before,
        skip_newest: call.hidden(),
        ..PageQuery::default()
    };
    let page = lock(&state.message_batches).page(&span, |_| true);
    let Some(page) = page else {
        return error(400, "after_id or before_id: no such message batch");
    };
    let batches: Vec<_> = page.items.iter().map(|batch| lock(batch)).collect();
    Outcome::ok(&json!({
        "data": batches.iter().map(|batch| batch.object(&state.base)).collect::<Vec<_>>(),
        "has_more": page.has_more,
        "first_id": batches.first().map(|batch| &batch.id),
        "last_id": batches.last().map(|batch| &batch.id),
    }))
}

pub(super) fn retrieve(state: &State, script_state: &ScriptState, call: &Call) -> Outcome {
    let Some(batch) = lock(&state.message_batches).get(&call.id) else {
        return not_found(call);
    };
    let mut batch = lock(&batch);
    batch.poll(state, script_state);
    let outcome = Outcome::ok(&batch.object(&state.base));
    match batch.job.plan.retry_after() {
        seconds if seconds > 0 && batch.job.end().is_none() => {
            outcome.header("retry-after", &seconds.to_string())
        }
        _ => outcome,
    }
}

pub(super) fn results(state: &State, call: &Call) -> Outcome {
    let Some(batch) = lock(&state.message_batches).get(&call.id) else {
        return not_found(call);
    };
    let batch = lock(&batch);
    match batch.results() {
        None => error(
            404,
            &format!("Message batch {} has no available results.", call.id),
        ),
        Some((lines, receipt)) => {
            let outcome = Outcome::bytes(StatusCode::OK, "application/x-jsonl", lines.clone());
            Outcome {
                receipt: Some(receipt.clone()),
                ..outcome
            }
        }
    }
}

pub(super) fn cancel(state: &State, call: &Call) -> Outcome {
    let Some(batch) = lock(&state.message_batches).get(&call.id) else {
        return not_found(call);
    };
    let mut batch = lock(&batch);
    if !batch.job.cancel() {
        return error(
            400,
            "Message batch has already ended and cannot be canceled.",
        );
    }
    Outcome::ok(&batch.object(&state.base))
}

pub(super) fn delete(state: &State, call: &Call) -> Outcome {
    let mut batches = lock(&state.message_batches);
    let Some(batch) = batches.get(&call.id) else {
        return not_found(call);
    };
    if lock(&batch).job.end().is_none() {
        return error(
            400,
            "In progress batches cannot be deleted. Consider canceling the batch instead.",
        );
    }
    batches.remove(&call.id);
    Outcome::ok(&json!({"id": call.id, "type": "message_batch_deleted"}))
}
