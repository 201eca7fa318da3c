//! Calls on the batches of OpenAI and compatible servers.

use std::cmp::Reverse;

use reqwest::Method;
use serde_json::{Value, json};

use super::batch_object::parse;
use super::dialect::{CreateForm, Dialect, Paging};
use crate::batch_object::{self, PAGE_SIZE, PageError};
use crate::batch_state::{BatchPage, BatchState, FileId};
use crate::error::{CreateError, ProviderError};
use crate::transport::{Call, Transport};
use crate::usage;
use synix_core::request::RequestKind;

/// The metadata member with our token.
pub(super) const TOKEN_KEY: &str = "synix_token";

/// Creates a batch from an uploaded file; all its requests have this kind and model. Sends the call once.
pub(crate) async fn create(
    transport: &Transport,
    dialect: &Dialect,
    file: &FileId,
    (kind, model): (RequestKind, &str),
    token: &str,
) -> Result<BatchState, CreateError> {
    let body = create_body(dialect, file, (kind, model), token);
    let call = Call {
        method: Method::POST,
        path: dialect.batches,
        query: &[],
        body: Some(&body),
    };
    let reply = transport.call_once(&call).await?;
    let created = |reply: &Value| match dialect.created_member {
        Some(member) => parse(dialect, reply.get(member)?),
        None => parse(dialect, reply),
    };
    Ok(batch_object::parse_batch(transport, &reply, created)?)
}

fn create_body(
    dialect: &Dialect,
    file: &FileId,
    (kind, model): (RequestKind, &str),
    token: &str,
) -> Value {
    let endpoint = dialect.endpoint_of(kind);
    let mut body = match dialect.create_form {
        CreateForm::Batch => json!({
            "input_file_id": file.0,
            "endpoint": endpoint,
            "completion_window": "24h",
        }),
        CreateForm::Job => json!({
            "input_files": [file.0],
            "model": model,
            "endpoint": endpoint,
            "timeout_hours": 24,
        }),
    };
    if dialect.traits.carries_token {
        body["metadata"] = json!({TOKEN_KEY: token});
    }
    body
}

pub(crate) async fn list(
    transport: &Transport,
    dialect: &Dialect,
    after: Option<&str>,
) -> Result<BatchPage, ProviderError> {
    let parse_one = |batch: &Value| parse(dialect, batch);
    let path = dialect.batches;
    match dialect.paging {
        Paging::Cursor => {
            let query = [("limit", PAGE_SIZE), ("after", after.unwrap_or_default())];
            let query = if after.is_some() { &query } else { &query[..1] };
            batch_object::request_page(transport, path, query, |reply| {
                batch_object::parse_page(reply, parse_one)
            })
            .await
        }
        Paging::PageNumber => {
            let number = after.unwrap_or("0");
            let query = [
                ("page", number),
                ("page_size", PAGE_SIZE),
                ("order_by", "-created"),
            ];
            batch_object::request_page(transport, path, &query, |reply| {
                parse_numbered_page(reply, number, parse_one)
            })
            .await
        }
        Paging::SinglePage => {
            batch_object::request_page(transport, path, &[], |reply| {
                parse_single_page(reply, parse_one)
            })
            .await
        }
    }
}

fn parse_numbered_page(
    reply: &Value,
    number: &str,
    parse: impl Fn(&Value) -> Option<BatchState>,
) -> Result<BatchPage, PageError> {
    let listed = reply.get("data").and_then(Value::as_array);
    let listed = listed.ok_or(PageError::NotAList)?;
    let next = number.parse::<u64>().unwrap_or(0).saturating_add(1);
    let size: u64 = PAGE_SIZE.parse().unwrap_or(1);
    let has_more = match reply.pointer("/total").and_then(usage::parse_count) {
        Some(total) => total > next.saturating_mul(size),
        // The reply has no total: a full page has a next one.
        None => listed.len() as u64 >= size,
    };
    if has_more && listed.is_empty() {
        return Err(PageError::Empty);
    }
    Ok(BatchPage {
        batches: batch_object::parse_batches(listed, parse)?,
        next: has_more.then(|| next.to_string()),
    })
}

fn parse_single_page(
    reply: &Value,
    parse: impl Fn(&Value) -> Option<BatchState>,
) -> Result<BatchPage, PageError> {
    let listed = reply.as_array().ok_or(PageError::NotAList)?;
    let mut batches = batch_object::parse_batches(listed, parse)?;
    // Batches of unknown age come first, because they may be the newest.
    batches.sort_by_key(|batch| (batch.created.is_some(), Reverse(batch.created)));
    Ok(BatchPage {
        batches,
        next: None,
    })
}

pub(crate) async fn poll(
    transport: &Transport,
    dialect: &Dialect,
    id: &str,
) -> Result<BatchState, ProviderError> {
    let path = [dialect.batches, &[id]].concat();
    batch_object::request_batch(transport, Method::GET, &path, |batch| parse(dialect, batch)).await
}

pub(crate) async fn cancel(
    transport: &Transport,
    dialect: &Dialect,
    id: &str,
) -> Result<BatchState, ProviderError> {
    let path = [dialect.batches, &[id, "cancel"]].concat();
    batch_object::request_batch(transport, Method::POST, &path, |batch| {
        parse(dialect, batch)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Server, provider_of, reply};
    use crate::{BatchInput, Phase};
    use synix_core::request::BatchApi;

    async fn created(
        api: BatchApi,
        answer: &str,
    ) -> (Result<BatchState, CreateError>, String, Value) {
        let server = Server::start(vec![reply(answer)]);
        let file = FileId("file-1".to_owned());
        let input = BatchInput::Uploaded {
            file: &file,
            kind: RequestKind::Completion,
            model: "m",
        };
        let state = provider_of(&server, api).create_batch(input, "t1").await;
        let received = server.received().remove(0);
        let sent = serde_json::from_slice(&received.body).unwrap();
        (state, received.head, sent)
    }

    #[tokio::test]
    async fn every_server_gets_its_own_create_call() {
        let metadata = json!({"synix_token": "t1"});
        let batch = |endpoint: &str| {
            json!({
                "input_file_id": "file-1", "endpoint": endpoint, "completion_window": "24h",
                "metadata": metadata,
            })
        };
        let mut without_metadata = batch("/v1/chat/completions");
        without_metadata.as_object_mut().unwrap().remove("metadata");
        let job = json!({
            "input_files": ["file-1"], "model": "m", "endpoint": "/v1/chat/completions",
            "timeout_hours": 24, "metadata": metadata,
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
            (BatchApi::Together, inside, "batches", without_metadata),
            (BatchApi::Mistral, plain, "batch/jobs", job),
        ] {
            let (state, head, sent) = created(api, answer).await;
            assert_eq!(state.unwrap().phase, Phase::Waiting, "{api:?}");
            assert!(head.starts_with(&format!("POST /v1/{path} HTTP")), "{head}");
            assert_eq!(sent, expected, "{api:?}");
        }
    }

    /// M1: a reply without the batch does not prove that it was not created.
    #[tokio::test]
    async fn a_create_reply_of_another_shape_is_unclear() {
        let (state, ..) = created(BatchApi::Together, r#"{"id":"b"}"#).await;
        assert!(matches!(state, Err(CreateError::Unclear(_))));
    }

    #[tokio::test]
    async fn mistral_jobs_are_listed_by_page_number() {
        let page = |total: u64| format!(r#"{{"data":[{{"id":"j"}}],"total":{total}}}"#);
        let server = Server::start(vec![reply(&page(101)), reply(&page(101))]);
        let provider = provider_of(&server, BatchApi::Mistral);
        let first = provider.list_batches(None).await.unwrap();
        assert_eq!(first.next.as_deref(), Some("1"));
        let second = provider.list_batches(Some("1")).await.unwrap();
        assert_eq!((second.batches.len(), second.next), (1, None));
        assert!(
            server.received()[1]
                .head
                .starts_with("GET /v1/batch/jobs?page=1&page_size=100&order_by=-created HTTP/1.1")
        );
    }

    #[tokio::test]
    async fn together_jobs_are_one_array_and_are_sorted_newest_first() {
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
            server.received()[0]
                .head
                .starts_with("GET /v1/batches HTTP/1.1")
        );
    }

    #[tokio::test]
    async fn mistral_jobs_are_polled_and_cancelled_at_their_own_path() {
        let job = r#"{"id":"j","status":"CANCELLATION_REQUESTED"}"#;
        let server = Server::start(vec![reply(job), reply(job)]);
        let provider = provider_of(&server, BatchApi::Mistral);
        provider.poll_batch("j").await.unwrap();
        let state = provider.cancel_batch("j").await.unwrap();
        assert_eq!(state.phase, Phase::Cancelling);
        let heads: Vec<String> = server
            .received()
            .into_iter()
            .map(|received| received.head)
            .collect();
        assert!(heads[0].starts_with("GET /v1/batch/jobs/j HTTP/1.1"));
        assert!(heads[1].starts_with("POST /v1/batch/jobs/j/cancel HTTP/1.1"));
    }
}
