//! The batch object of OpenAI and of those that copy it, and the calls on it.

use std::cmp::Reverse;

use reqwest::Method;
use serde_json::{Value, json};

use super::dialect::{Dialect, Order, Paging};
use crate::clock::Moment;
use crate::llm::error::{CreateError, ProviderError};
use crate::llm::object::{self, PAGE, filled};
use crate::llm::outcome::{count, text_of};
use crate::llm::state::{BatchPage, BatchState, Counts, FileId, Phase, ValidationError};
use crate::llm::transport::{Call, Transport};
use crate::llm::wait;

/// The metadata member that carries our token.
const TOKEN: &str = "synix_token";

/// Numbers above are milliseconds: as seconds they would be after the year 5000.
const LATEST_SECOND: u64 = 100_000_000_000;

/// Creates a batch of an uploaded file whose requests ask `model`, sending once.
pub(in crate::llm) async fn create(
    transport: &Transport,
    dialect: &Dialect,
    file: &FileId,
    model: &str,
    token: &str,
) -> Result<BatchState, CreateError> {
    let body = order(dialect, file, model, token);
    let call = Call {
        method: Method::POST,
        path: dialect.batches,
        query: &[],
        body: Some(&body),
    };
    let reply = transport.json_once(&call).await?;
    let created = |reply: &Value| match dialect.created_in {
        Some(member) => read(dialect, reply.get(member)?),
        None => read(dialect, reply),
    };
    Ok(object::state(transport, &reply, created)?)
}

fn order(dialect: &Dialect, file: &FileId, model: &str, token: &str) -> Value {
    let mut body = match dialect.order {
        Order::Batch => json!({
            "input_file_id": file.0,
            "endpoint": dialect.endpoint,
            "completion_window": "24h",
        }),
        Order::Job => json!({
            "input_files": [file.0],
            "model": model,
            "endpoint": dialect.endpoint,
            "timeout_hours": 24,
        }),
    };
    if dialect.traits.labelled {
        body["metadata"] = json!({TOKEN: token});
    }
    body
}

pub(in crate::llm) async fn list(
    transport: &Transport,
    dialect: &Dialect,
    after: Option<&str>,
) -> Result<BatchPage, ProviderError> {
    let read = |batch: &Value| read(dialect, batch);
    let path = dialect.batches;
    match dialect.paging {
        Paging::After => {
            let query = [("limit", PAGE), ("after", after.unwrap_or_default())];
            let query = if after.is_some() { &query } else { &query[..1] };
            object::list(transport, path, query, |reply| object::page(reply, read)).await
        }
        Paging::Numbered => {
            let number = after.unwrap_or("0");
            let query = [
                ("page", number),
                ("page_size", PAGE),
                ("order_by", "-created"),
            ];
            object::list(transport, path, &query, |reply| {
                numbered_page(reply, number, read)
            })
            .await
        }
        Paging::Whole => object::list(transport, path, &[], |reply| whole_page(reply, read)).await,
    }
}

fn numbered_page(
    reply: &Value,
    number: &str,
    read: impl Fn(&Value) -> Option<BatchState>,
) -> Option<BatchPage> {
    let listed = reply.get("data")?.as_array()?;
    let next = number.parse::<u64>().ok()?.checked_add(1)?;
    let seen = next.saturating_mul(PAGE.parse().ok()?);
    let more = !listed.is_empty() && count(reply, "/total") > seen;
    Some(BatchPage {
        batches: listed.iter().filter_map(read).collect(),
        next: more.then(|| next.to_string()),
    })
}

fn whole_page(reply: &Value, read: impl Fn(&Value) -> Option<BatchState>) -> Option<BatchPage> {
    let mut batches: Vec<BatchState> = reply.as_array()?.iter().filter_map(read).collect();
    batches.sort_by_key(|batch| Reverse(batch.created));
    Some(BatchPage {
        batches,
        next: None,
    })
}

pub(in crate::llm) async fn poll(
    transport: &Transport,
    dialect: &Dialect,
    id: &str,
) -> Result<BatchState, ProviderError> {
    let path = [dialect.batches, &[id]].concat();
    object::ask(transport, Method::GET, &path, |batch| read(dialect, batch)).await
}

pub(in crate::llm) async fn cancel(
    transport: &Transport,
    dialect: &Dialect,
    id: &str,
) -> Result<BatchState, ProviderError> {
    let path = [dialect.batches, &[id, "cancel"]].concat();
    object::ask(transport, Method::POST, &path, |batch| read(dialect, batch)).await
}

/// Reads a batch object, of which only the id is sure to be there.
pub(in crate::llm) fn read(dialect: &Dialect, batch: &Value) -> Option<BatchState> {
    let members = &dialect.members;
    let file = |pointer: &str| {
        let id = batch.pointer(pointer)?.as_str()?;
        (!id.is_empty()).then(|| id.to_owned())
    };
    let status = text_of(batch, "status");
    let output_file = file(members.output_file).map(FileId);
    let mut phase = Phase::read(&status);
    if phase == Phase::Failed && output_file.is_some() {
        // Rows were answered, and paid, whatever failed after them.
        phase = Phase::Completed;
    }
    Some(BatchState {
        id: filled(batch, "id")?,
        phase,
        status_text: status,
        input_file: file(members.input_file),
        output_file,
        error_file: file(members.error_file).map(FileId),
        created: batch.get("created_at").and_then(moment),
        token: batch
            .get("metadata")
            .and_then(|metadata| filled(metadata, TOKEN)),
        counts: counts(dialect, batch),
        errors: errors(batch),
        poll_after: None,
    })
}

fn moment(value: &Value) -> Option<Moment> {
    match value.as_u64() {
        Some(millis) if millis > LATEST_SECOND => Some(Moment(millis)),
        Some(seconds) => Some(Moment(seconds * 1000)),
        None => wait::rfc_3339(value.as_str()?),
    }
}

fn counts(dialect: &Dialect, batch: &Value) -> Option<Counts> {
    let members = &dialect.members;
    let counted = [members.total, members.completed, members.failed];
    counted
        .iter()
        .any(|pointer| batch.pointer(pointer).is_some_and(Value::is_u64))
        .then(|| Counts {
            total: count(batch, members.total),
            completed: count(batch, members.completed),
            failed: count(batch, members.failed),
        })
}

/// Reads why a batch was not accepted: OpenAI has a list object, Mistral a list, Together a text.
fn errors(batch: &Value) -> Vec<ValidationError> {
    let errors = batch.get("errors");
    let listed = errors.and_then(|errors| errors.get("data").unwrap_or(errors).as_array());
    let listed = listed.map(Vec::as_slice).unwrap_or_default();
    let listed = listed.iter().map(|error| ValidationError {
        code: text_of(error, "code"),
        message: text_of(error, "message"),
        param: filled(error, "param"),
        line: error.get("line").and_then(Value::as_u64),
    });
    let told = filled(batch, "error").map(|message| ValidationError {
        code: String::new(),
        message,
        param: None,
        line: None,
    });
    listed.chain(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::BatchInput;
    use crate::llm::testing::{Server, provider_of, reply};
    use crate::pipeline::BatchApi;

    fn openai(batch: &Value) -> Option<BatchState> {
        read(Dialect::of(BatchApi::OpenAi), batch)
    }

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
        assert_eq!(openai(&batch), Some(expected));
    }

    /// A3: a file id may be an empty text, counts may be null.
    #[test]
    fn what_is_empty_or_null_is_absent() {
        let batch = json!({
            "id": "b", "status": "completed", "output_file_id": null, "error_file_id": "",
            "metadata": null, "request_counts": {"total": 3, "completed": null}, "errors": null,
        });
        let state = openai(&batch).unwrap();
        assert_eq!(
            (state.output_file, state.error_file, state.token),
            (None, None, None)
        );
        assert_eq!(state.counts.unwrap().completed, 0);
    }

    #[test]
    fn an_id_is_enough() {
        assert_eq!(
            openai(&json!({"id": "b"})).unwrap().phase,
            Phase::Unknown(String::new())
        );
        assert_eq!(openai(&json!({"status": "completed"})), None);
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
        assert_eq!(openai(&batch).unwrap().errors, [expected]);
    }

    /// M1: rows that were answered before a batch failed are paid, and taken.
    #[test]
    fn a_failed_batch_with_rows_has_rows() {
        let batch = json!({"id": "b", "status": "failed", "output_file_id": "f"});
        assert_eq!(openai(&batch).unwrap().phase, Phase::Completed);
    }

    #[test]
    fn a_time_is_seconds_milliseconds_or_text() {
        for time in [
            json!(1_705_329_000),
            json!(1_705_329_000_000_u64),
            json!("2024-01-15T14:30:00Z"),
        ] {
            let batch = json!({"id": "b", "created_at": time});
            assert_eq!(
                openai(&batch).unwrap().created,
                Some(Moment(1_705_329_000_000))
            );
        }
    }

    /// What Azure documents of a batch that succeeded: an error file of zero bytes, a count that is null.
    #[test]
    fn azure_batches_are_read_as_openai_has_them() {
        let batch = json!({
            "id": "batch_1", "status": "completed", "output_file_id": "file-o", "error_file_id": "file-e",
            "request_counts": {"total": 3, "completed": null, "failed": null},
        });
        let state = read(Dialect::of(BatchApi::Azure), &batch).unwrap();
        assert_eq!(state.phase, Phase::Completed);
        assert_eq!(state.error_file, Some(FileId("file-e".to_owned())));
        assert_eq!(state.counts.map(|counts| counts.total), Some(3));
    }

    #[test]
    fn a_mistral_job_is_read() {
        let job = json!({
            "id": "j", "object": "batch", "status": "TIMEOUT_EXCEEDED", "created_at": 1_700_000_000,
            "input_files": ["file-in"], "output_file": "file-out", "error_file": null,
            "total_requests": 5, "completed_requests": 4, "succeeded_requests": 3, "failed_requests": 1,
            "metadata": {"synix_token": "t1"}, "errors": [{"message": "too slow", "count": 1}],
        });
        let state = read(Dialect::of(BatchApi::Mistral), &job).unwrap();
        let expected = BatchState {
            id: "j".to_owned(),
            phase: Phase::Expired,
            status_text: "TIMEOUT_EXCEEDED".to_owned(),
            input_file: Some("file-in".to_owned()),
            output_file: Some(FileId("file-out".to_owned())),
            error_file: None,
            created: Some(Moment(1_700_000_000_000)),
            token: Some("t1".to_owned()),
            counts: Some(Counts {
                total: 5,
                completed: 3,
                failed: 1,
            }),
            errors: vec![ValidationError {
                code: String::new(),
                message: "too slow".to_owned(),
                param: None,
                line: None,
            }],
            poll_after: None,
        };
        assert_eq!(state, expected);
    }

    #[test]
    fn a_together_job_is_read() {
        let job = json!({
            "id": "j", "status": "FAILED", "input_file_id": "file-in", "progress": 75,
            "created_at": "2024-01-15T14:30:00Z", "error": "cannot read the file",
        });
        let state = read(Dialect::of(BatchApi::Together), &job).unwrap();
        assert_eq!((state.phase, state.counts), (Phase::Failed, None));
        assert_eq!(state.input_file.as_deref(), Some("file-in"));
        assert_eq!(state.errors[0].message, "cannot read the file");
    }

    #[test]
    fn the_words_of_every_server_are_known() {
        for (word, phase) in [
            ("validating", Phase::Waiting),
            ("QUEUED", Phase::Waiting),
            ("RUNNING", Phase::Running),
            ("IN_PROGRESS", Phase::Running),
            ("SUCCESS", Phase::Completed),
            ("COMPLETED", Phase::Completed),
            ("CANCELING", Phase::Cancelling),
            ("CANCELLATION_REQUESTED", Phase::Cancelling),
            ("CANCELLED", Phase::Cancelled),
            ("TIMEOUT_EXCEEDED", Phase::Expired),
            ("FAILED", Phase::Failed),
        ] {
            let state = openai(&json!({"id": "b", "status": word})).unwrap();
            assert_eq!(state.phase, phase, "{word}");
        }
    }

    async fn created(
        api: BatchApi,
        answer: &str,
    ) -> (Result<BatchState, CreateError>, String, Value) {
        let server = Server::start(vec![reply(answer)]);
        let file = FileId("file-1".to_owned());
        let input = BatchInput::Uploaded {
            file: &file,
            model: "m",
        };
        let state = provider_of(&server, api).create_batch(input, "t1").await;
        let seen = server.seen().remove(0);
        let sent = serde_json::from_slice(&seen.body).unwrap();
        (state, seen.head, sent)
    }

    #[tokio::test]
    async fn every_server_gets_its_own_create_call() {
        let labelled = json!({"synix_token": "t1"});
        let batch = |endpoint: &str| {
            json!({
                "input_file_id": "file-1", "endpoint": endpoint, "completion_window": "24h",
                "metadata": labelled,
            })
        };
        let mut unlabelled = batch("/v1/chat/completions");
        unlabelled.as_object_mut().unwrap().remove("metadata");
        let job = json!({
            "input_files": ["file-1"], "model": "m", "endpoint": "/v1/chat/completions",
            "timeout_hours": 24, "metadata": labelled,
        });
        let plain = r#"{"id":"b","status":"validating"}"#;
        let inside = r#"{"job":{"id":"b","status":"VALIDATING"},"warning":""}"#;
        for (api, answer, path, expected) in [
            (
                BatchApi::OpenAi,
                plain,
                "batches",
                batch("/v1/chat/completions"),
            ),
            (
                BatchApi::Azure,
                plain,
                "batches",
                batch("/chat/completions"),
            ),
            (
                BatchApi::Groq,
                plain,
                "batches",
                batch("/v1/chat/completions"),
            ),
            (BatchApi::Together, inside, "batches", unlabelled),
            (BatchApi::Mistral, plain, "batch/jobs", job),
        ] {
            let (state, head, sent) = created(api, answer).await;
            assert_eq!(state.unwrap().phase, Phase::Waiting, "{api:?}");
            assert!(head.starts_with(&format!("POST /v1/{path} HTTP")), "{head}");
            assert_eq!(sent, expected, "{api:?}");
        }
    }

    /// M1: a reply that is no batch where the batch should be proves nothing.
    #[tokio::test]
    async fn a_create_reply_of_another_shape_is_unclear() {
        let (state, ..) = created(BatchApi::Together, r#"{"id":"b"}"#).await;
        assert!(matches!(state, Err(CreateError::Unclear(_))));
    }

    #[tokio::test]
    async fn mistral_jobs_are_listed_by_number_of_page() {
        let page = |total: u64| format!(r#"{{"data":[{{"id":"j"}}],"total":{total}}}"#);
        let server = Server::start(vec![reply(&page(101)), reply(&page(101))]);
        let provider = provider_of(&server, BatchApi::Mistral);
        let first = provider.list_batches(None).await.unwrap();
        assert_eq!(first.next.as_deref(), Some("1"));
        let second = provider.list_batches(Some("1")).await.unwrap();
        assert_eq!((second.batches.len(), second.next), (1, None));
        assert!(
            server.seen()[1]
                .head
                .starts_with("GET /v1/batch/jobs?page=1&page_size=100&order_by=-created HTTP/1.1")
        );
    }

    #[tokio::test]
    async fn together_jobs_are_one_array_and_come_newest_first() {
        let listed = r#"[{"id":"old","created_at":"2024-01-15T14:30:00Z"},{"id":"new","created_at":"2024-01-16T14:30:00Z"}]"#;
        let server = Server::start(vec![reply(listed)]);
        let provider = provider_of(&server, BatchApi::Together);
        let page = provider.list_batches(None).await.unwrap();
        let ids: Vec<&str> = page.batches.iter().map(|batch| batch.id.as_str()).collect();
        assert_eq!(
            (ids.as_slice(), page.next),
            (["new", "old"].as_slice(), None)
        );
        assert!(
            server.seen()[0]
                .head
                .starts_with("GET /v1/batches HTTP/1.1")
        );
    }

    #[tokio::test]
    async fn mistral_jobs_are_polled_and_cancelled_where_they_are() {
        let job = r#"{"id":"j","status":"CANCELLATION_REQUESTED"}"#;
        let server = Server::start(vec![reply(job), reply(job)]);
        let provider = provider_of(&server, BatchApi::Mistral);
        provider.poll_batch("j").await.unwrap();
        let state = provider.cancel_batch("j").await.unwrap();
        assert_eq!(state.phase, Phase::Cancelling);
        let heads: Vec<String> = server.seen().into_iter().map(|seen| seen.head).collect();
        assert!(heads[0].starts_with("GET /v1/batch/jobs/j HTTP/1.1"));
        assert!(heads[1].starts_with("POST /v1/batch/jobs/j/cancel HTTP/1.1"));
    }
}
