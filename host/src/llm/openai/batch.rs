//! OpenAI's batch object and the calls on it.

use reqwest::Method;
use serde_json::{Value, json};

use super::BATCH_ENDPOINT;
use crate::clock::Moment;
use crate::llm::error::{CreateError, ProviderError};
use crate::llm::input::BatchTraits;
use crate::llm::object::{self, filled};
use crate::llm::outcome::{count, text_of};
use crate::llm::state::{BatchPage, BatchState, Counts, FileId, Phase, ValidationError};
use crate::llm::transport::{Call, Transport};

/// The metadata member that carries our token.
const TOKEN: &str = "synix_token";

pub(in crate::llm) const TRAITS: BatchTraits = BatchTraits {
    most_requests: 50_000,
    most_bytes: 200_000_000,
    uploads: true,
    labelled: true,
    one_model: true,
};

/// Creates a batch, sending once.
pub(in crate::llm) async fn create(
    transport: &Transport,
    input: &FileId,
    token: &str,
) -> Result<BatchState, CreateError> {
    let body = json!({
        "input_file_id": input.0,
        "endpoint": BATCH_ENDPOINT,
        "completion_window": "24h",
        "metadata": {TOKEN: token},
    });
    let call = Call {
        method: Method::POST,
        path: &["batches"],
        query: &[],
        body: Some(&body),
    };
    let reply = transport.json_once(&call).await?;
    Ok(object::state(transport, &reply, read)?)
}

pub(in crate::llm) async fn list(
    transport: &Transport,
    after: Option<&str>,
) -> Result<BatchPage, ProviderError> {
    object::list(transport, &["batches"], "after", after, read).await
}

pub(in crate::llm) async fn poll(
    transport: &Transport,
    id: &str,
) -> Result<BatchState, ProviderError> {
    object::ask(transport, Method::GET, &["batches", id], read).await
}

pub(in crate::llm) async fn cancel(
    transport: &Transport,
    id: &str,
) -> Result<BatchState, ProviderError> {
    object::ask(transport, Method::POST, &["batches", id, "cancel"], read).await
}

/// Reads a batch object, of which only the id is sure to be there.
pub(in crate::llm) fn read(batch: &Value) -> Option<BatchState> {
    let status = text_of(batch, "status");
    Some(BatchState {
        id: filled(batch, "id")?,
        phase: Phase::read(&status),
        status_text: status,
        input_file: filled(batch, "input_file_id"),
        output_file: filled(batch, "output_file_id").map(FileId),
        error_file: filled(batch, "error_file_id").map(FileId),
        created: batch
            .get("created_at")
            .and_then(Value::as_u64)
            .map(|seconds| Moment(seconds.saturating_mul(1000))),
        token: batch
            .get("metadata")
            .and_then(|metadata| filled(metadata, TOKEN)),
        counts: batch
            .get("request_counts")
            .filter(|counts| counts.is_object())
            .map(|counts| Counts {
                total: count(counts, "/total"),
                completed: count(counts, "/completed"),
                failed: count(counts, "/failed"),
            }),
        errors: errors(batch.get("errors")),
        poll_after: None,
    })
}

fn errors(errors: Option<&Value>) -> Vec<ValidationError> {
    let listed = errors.and_then(|errors| errors.get("data").unwrap_or(errors).as_array());
    let listed = listed.map(Vec::as_slice).unwrap_or_default();
    listed
        .iter()
        .map(|error| ValidationError {
            code: text_of(error, "code"),
            message: text_of(error, "message"),
            param: filled(error, "param"),
            line: error.get("line").and_then(Value::as_u64),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_read() {
        let batch = json!({
            "id": "batch_1", "object": "batch", "status": "completed", "input_file_id": "file-in",
            "created_at": 1_700_000_000,
            "output_file_id": "file-out", "error_file_id": null, "metadata": {"synix_token": "t1"},
            "request_counts": {"total": 3, "completed": 2, "failed": 1},
        });
        let expected = BatchState {
            id: "batch_1".to_owned(),
            phase: Phase::Completed,
            status_text: "completed".to_owned(),
            input_file: Some("file-in".to_owned()),
            output_file: Some(FileId("file-out".to_owned())),
            error_file: None,
            created: Some(Moment(1_700_000_000_000)),
            token: Some("t1".to_owned()),
            counts: Some(Counts {
                total: 3,
                completed: 2,
                failed: 1,
            }),
            errors: Vec::new(),
            poll_after: None,
        };
        assert_eq!(read(&batch), Some(expected));
    }

    /// A3: a file id may be an empty text, counts may be null.
    #[test]
    fn what_is_empty_or_null_is_absent() {
        let batch = json!({
            "id": "b", "status": "completed", "output_file_id": null, "error_file_id": "",
            "metadata": null, "request_counts": {"total": 3, "completed": null}, "errors": null,
        });
        let state = read(&batch).unwrap();
        assert_eq!(
            (state.output_file, state.error_file, state.token),
            (None, None, None)
        );
        assert_eq!(state.counts.unwrap().completed, 0);
    }

    #[test]
    fn an_id_is_enough() {
        assert_eq!(
            read(&json!({"id": "b"})).unwrap().phase,
            Phase::Unknown(String::new())
        );
        assert_eq!(read(&json!({"status": "completed"})), None);
    }

    #[test]
    fn validation_errors_keep_their_line() {
        let batch = json!({"id": "b", "status": "failed", "errors": {"object": "list", "data": [
            {"code": "invalid_json_line", "message": "not JSON", "param": null, "line": 7},
        ]}});
        let expected = ValidationError {
            code: "invalid_json_line".to_owned(),
            message: "not JSON".to_owned(),
            param: None,
            line: Some(7),
        };
        assert_eq!(read(&batch).unwrap().errors, [expected]);
    }
}
