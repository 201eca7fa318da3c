//! The calls on batches of OpenAI and of those that copy it.

use std::cmp::Reverse;

use reqwest::Method;
use serde_json::{Value, json};

use super::dialect::{Dialect, Order, Paging};
use super::object::read;
use crate::counted;
use crate::error::{CreateError, ProviderError};
use crate::object::{self, Doubt, PAGE};
use crate::state::{BatchPage, BatchState, FileId};
use crate::transport::{Call, Transport};

/// The metadata member that carries our token.
pub(super) const TOKEN: &str = "synix_token";

/// Creates a batch of an uploaded file whose requests ask `model`, sending once.
pub(crate) async fn create(
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

pub(crate) async fn list(
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
) -> Result<BatchPage, Doubt> {
    let listed = reply.get("data").and_then(Value::as_array);
    let listed = listed.ok_or(Doubt::NoList)?;
    let next = number.parse::<u64>().unwrap_or(0).saturating_add(1);
    let size: u64 = PAGE.parse().unwrap_or(1);
    let more = match reply.pointer("/total").and_then(counted::number) {
        Some(total) => total > next.saturating_mul(size),
        // Nobody says how many there are: a full page has a successor.
        None => listed.len() as u64 >= size,
    };
    if more && listed.is_empty() {
        return Err(Doubt::Empty);
    }
    Ok(BatchPage {
        batches: object::batches(listed, read)?,
        next: more.then(|| next.to_string()),
    })
}

fn whole_page(
    reply: &Value,
    read: impl Fn(&Value) -> Option<BatchState>,
) -> Result<BatchPage, Doubt> {
    let listed = reply.as_array().ok_or(Doubt::NoList)?;
    let mut batches = object::batches(listed, read)?;
    // Those of unknown age first: they may be the newest.
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
    object::ask(transport, Method::GET, &path, |batch| read(dialect, batch)).await
}

pub(crate) async fn cancel(
    transport: &Transport,
    dialect: &Dialect,
    id: &str,
) -> Result<BatchState, ProviderError> {
    let path = [dialect.batches, &[id, "cancel"]].concat();
    object::ask(transport, Method::POST, &path, |batch| read(dialect, batch)).await
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
