//! Anthropic's side: messages and message batches in its wire format.

mod batch;
mod batches;
mod error;
mod messages;
mod rows;

use crate::call::{Call, Outcome};
use crate::endpoint::Endpoint;
use crate::script_state::ScriptState;
use crate::state::State;

pub(crate) use batch::Batch;
pub(crate) use error::{error, not_found, of_status};

/// Answers a call of one of Anthropic's endpoints; `None` for the others.
pub(crate) fn answer(state: &State, script_state: &ScriptState, call: &Call) -> Option<Outcome> {
    Some(match call.endpoint {
        Endpoint::Messages => messages::complete(state, script_state, call),
        Endpoint::MessageBatchesCreate => batches::create(state, script_state, call),
        Endpoint::MessageBatchesList => batches::list(state, call),
        Endpoint::MessageBatchesRetrieve => batches::retrieve(state, script_state, call),
        Endpoint::MessageBatchesResults => batches::results(state, call),
        Endpoint::MessageBatchesCancel => batches::cancel(state, call),
        Endpoint::MessageBatchesDelete => batches::delete(state, call),
        Endpoint::Chat
        | Endpoint::Embeddings
        | Endpoint::FilesUpload
        | Endpoint::FilesList
        | Endpoint::FilesRetrieve
        | Endpoint::FilesDelete
        | Endpoint::FilesContent
        | Endpoint::Elsewhere
        | Endpoint::BatchesCreate
        | Endpoint::BatchesList
        | Endpoint::BatchesRetrieve
        | Endpoint::BatchesCancel => return None,
    })
}

/// Refuses a call without an acceptable key or without a version.
pub(crate) fn refuse(script_state: &ScriptState, call: &Call) -> Option<Outcome> {
    let key = call.header("x-api-key").unwrap_or("").trim();
    if key.is_empty() {
        return Some(error(401, "x-api-key header is required"));
    }
    if script_state
        .script
        .key
        .as_deref()
        .is_some_and(|expected| expected != key)
    {
        return Some(error(401, "API key is invalid."));
    }
    let version = call.header("anthropic-version").unwrap_or("");
    version
        .is_empty()
        .then(|| error(400, "anthropic-version: header is required"))
}
