//! OpenAI's side: completions, files and batches in its wire format.

mod batch;
mod batches;
mod chat;
mod embeddings;
mod error;
mod files;
mod rows;
mod validation;

use crate::call::{Call, Outcome};
use crate::endpoint::Endpoint;
use crate::script_state::ScriptState;
use crate::state::State;

pub(crate) use batch::Batch;
pub(crate) use error::{error, not_found, of_status, unknown_url};
pub(crate) use files::File;

/// Answers a call of one of OpenAI's endpoints; `None` for the others.
pub(crate) fn answer(state: &State, script_state: &ScriptState, call: &Call) -> Option<Outcome> {
    Some(match call.endpoint {
        Endpoint::Chat => chat::complete(state, script_state, call),
        Endpoint::Embeddings => embeddings::embed(state, script_state, call),
        Endpoint::FilesUpload => files::upload(state, call),
        Endpoint::FilesList => files::list(state, call),
        Endpoint::FilesRetrieve => files::retrieve(state, call),
        Endpoint::FilesDelete => files::delete(state, call),
        Endpoint::FilesContent | Endpoint::Elsewhere => files::content(state, call),
        Endpoint::BatchesCreate => batches::create(state, script_state, call),
        Endpoint::BatchesList => batches::list(state, call),
        Endpoint::BatchesRetrieve => batches::retrieve(state, script_state, call),
        Endpoint::BatchesCancel => batches::cancel(state, call),
        Endpoint::Messages
        | Endpoint::MessageBatchesCreate
        | Endpoint::MessageBatchesList
        | Endpoint::MessageBatchesRetrieve
        | Endpoint::MessageBatchesResults
        | Endpoint::MessageBatchesCancel
        | Endpoint::MessageBatchesDelete => return None,
    })
}

/// Refuses a call without an acceptable key.
pub(crate) fn refuse(script_state: &ScriptState, call: &Call) -> Option<Outcome> {
    if call.endpoint == Endpoint::Elsewhere {
        let keys = ["authorization", "api-key", "x-api-key"];
        let keyed = keys.iter().any(|name| call.header(name).is_some());
        return keyed.then(|| error(400, "A key of another server came here.", None, None));
    }
    let key = call
        .header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or("")
        .trim();
    if key.is_empty() {
        return Some(error(401, error::NO_KEY, None, None));
    }
    let wrong = script_state
        .script
        .key
        .as_deref()
        .is_some_and(|expected| expected != key);
    wrong.then(|| error(401, &error::wrong_key(key), None, Some("invalid_api_key")))
}
