//! Calls on Anthropic's message batches, and their batch object.

use std::path::Path;

use reqwest::Method;
use serde_json::Value;

use crate::batch_object::{self, PAGE_SIZE, non_empty_text};
use crate::batch_state::{BatchPage, BatchState, Counts, FileId, Phase};
use crate::download::{self, RemoteFile};
use crate::error::ProviderError;
use crate::excerpt::truncate;
use crate::outcome::{count_at, text_member};
use crate::transport::Transport;
use synix_core::clock::Timestamp;

/// The path of message batches below the base URL.
pub(super) const BATCHES: &[&str] = &["v1", "messages", "batches"];

pub(crate) async fn list(
    transport: &Transport,
    after: Option<&str>,
) -> Result<BatchPage, ProviderError> {
    let query = [
        ("limit", PAGE_SIZE),
        ("after_id", after.unwrap_or_default()),
    ];
    let query = if after.is_some() { &query } else { &query[..1] };
    batch_object::request_page(transport, BATCHES, query, |reply| {
        batch_object::parse_page(reply, parse)
    })
    .await
}

pub(crate) async fn poll(transport: &Transport, id: &str) -> Result<BatchState, ProviderError> {
    let path = ["v1", "messages", "batches", id];
    batch_object::request_batch(transport, Method::GET, &path, parse).await
}

pub(crate) async fn cancel(transport: &Transport, id: &str) -> Result<BatchState, ProviderError> {
    let path = ["v1", "messages", "batches", id, "cancel"];
    batch_object::request_batch(transport, Method::POST, &path, parse).await
}

/// Downloads the results of a batch; `results` has the id of the batch.
pub(crate) async fn download(
    transport: &Transport,
    results: &FileId,
    requests: u64,
    to: &Path,
) -> Result<u64, ProviderError> {
    // Every request has a row, and nothing else says how long the results are. If the poll fails,
    // the download reports the error.
    let batch = poll(transport, &results.0).await.ok();
    let counts = batch.and_then(|batch| batch.counts);
    let remote = RemoteFile {
        name: &results.0,
        path: &["v1", "messages", "batches", &results.0, "results"],
        size: None,
        rows: counts.map(|counts| counts.total),
        requests,
    };
    download::download(transport, &remote, to).await
}

/// Parses a batch object. Only the id is required.
pub(super) fn parse(batch: &Value) -> Option<BatchState> {
    let id = batch_object::read_id(batch)?;
    let status = truncate(&text_member(batch, "processing_status"), 100);
    // synix does not use the URL itself, which could name a server that must not get the key.
    let results = non_empty_text(batch, "results_url").map(|_| FileId(id.clone()));
    let cancelled = non_empty_text(batch, "cancel_initiated_at").is_some();
    Some(BatchState {
        id,
        phase: match status.to_ascii_lowercase().as_str() {
            "ended" if cancelled => Phase::Cancelled,
            // This includes batches that expired or whose requests all failed: the rows say so.
            "ended" => Phase::Completed,
            _ => Phase::parse(&status),
        },
        status_text: status,
        input_file: None,
        output_file: results,
        error_file: None,
        created: non_empty_text(batch, "created_at").and_then(|text| Timestamp::parse(&text)),
        token: None,
        counts: batch
            .get("request_counts")
            .filter(|counts| counts.is_object())
            .map(counts),
        errors: Vec::new(),
        poll_after: None,
    })
}

fn counts(counts: &Value) -> Counts {
    let completed = count_at(counts, "/succeeded");
    let failed = ["/errored", "/canceled", "/expired"]
        .iter()
        .fold(0_u64, |sum, path| {
            sum.saturating_add(count_at(counts, path))
        });
    let processing = count_at(counts, "/processing");
    Counts {
        total: processing.saturating_add(completed).saturating_add(failed),
        completed,
        failed,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;
    use crate::Provider;
    use crate::testing::{ReceivedRequest, Server, provider_on, reply, status, with_headers};
    use synix_core::request::Wire;

    const CREATED: &str = r#"{"id":"msgbatch_1","type":"message_batch","processing_status":"in_progress","request_counts":{"processing":2,"succeeded":0,"errored":0,"canceled":0,"expired":0},"created_at":"2026-09-02T10:00:00.5Z","results_url":null}"#;

    fn provider(server: &Server) -> Provider {
        provider_on(server, Wire::Anthropic)
    }

    #[test]
    fn a_batch_is_read() {
        let batch = json!({
            "id": "msgbatch_1", "type": "message_batch", "processing_status": "ended",
            "request_counts": {"processing": 1, "succeeded": 2, "errored": 3, "canceled": 4, "expired": 5},
            "created_at": "2026-09-02T10:00:00.500+00:00", "expires_at": "2026-09-03T10:00:00Z",
            "ended_at": "2026-09-02T10:05:00Z", "cancel_initiated_at": null, "archived_at": null,
            "results_url": "https://example.com/v1/messages/batches/msgbatch_1/results",
        });
        let expected = BatchState {
            id: "msgbatch_1".to_owned(),
            phase: Phase::Completed,
            status_text: "ended".to_owned(),
            input_file: None,
            output_file: Some(FileId("msgbatch_1".to_owned())),
            error_file: None,
            created: Some(Timestamp(1_788_343_200_500)),
            token: None,
            counts: Some(Counts {
                total: 15,
                completed: 2,
                failed: 12,
            }),
            errors: Vec::new(),
            poll_after: None,
        };
        assert_eq!(parse(&batch), Some(expected));
    }

    #[test]
    fn a_status_becomes_a_phase() {
        let phase = |status: &str, cancelled: Value| {
            let batch = json!({
                "id": "b", "processing_status": status, "cancel_initiated_at": cancelled,
            });
            parse(&batch).unwrap().phase
        };
        let moment = json!("2026-09-02T10:00:00Z");
        assert_eq!(phase("in_progress", Value::Null), Phase::Running);
        assert_eq!(phase("canceling", moment.clone()), Phase::Cancelling);
        assert_eq!(phase("ended", moment), Phase::Cancelled);
        assert!(!phase("archiving", Value::Null).is_terminal());
    }

    /// A3: the results are not available yet.
    #[test]
    fn a_batch_without_results_has_no_output_file() {
        let batch = json!({"id": "b", "processing_status": "ended", "results_url": null});
        assert_eq!(parse(&batch).unwrap().output_file, None);
    }

    #[test]
    fn a_malformed_batch_does_not_panic() {
        for batch in [
            json!(1),
            json!([1]),
            json!({"id": {}}),
            json!({"id": "b", "processing_status": 7, "request_counts": [], "created_at": -1}),
            json!({"id": "b", "created_at": "soon", "results_url": {}}),
        ] {
            assert!(parse(&batch).is_none_or(|state| !state.phase.is_terminal()));
        }
    }

    /// L16: 404 although the batch exists.
    #[tokio::test]
    async fn a_batch_that_is_not_found_is_requested_again() {
        let hinted = with_headers(200, "retry-after: 10\r\n", CREATED);
        let server = Server::start(vec![status(404, "{}"), hinted]);
        let state = provider(&server).poll_batch("msgbatch_1").await.unwrap();
        assert_eq!(state.poll_after.map(|wait| wait.as_secs()), Some(10));
        let head = server.received().remove(0).head;
        assert!(head.starts_with("GET /v1/messages/batches/msgbatch_1 HTTP/1.1"));
    }

    async fn downloaded(replies: Vec<Vec<u8>>) -> (String, Vec<ReceivedRequest>) {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("rows.jsonl");
        let server = Server::start(replies);
        let results = FileId("msgbatch_1".to_owned());
        provider(&server).download(&results, 2, &to).await.unwrap();
        (fs::read_to_string(&to).unwrap(), server.received())
    }

    /// L16: 404 although the results exist.
    #[tokio::test]
    async fn results_that_are_not_found_are_requested_again() {
        let replies = vec![reply(CREATED), status(404, "{}"), reply("{}\n{}\n")];
        let (rows, received) = downloaded(replies).await;
        assert_eq!(rows, "{}\n{}\n");
        let path = "GET /v1/messages/batches/msgbatch_1/results HTTP/1.1";
        assert!(received[2].head.starts_with(path), "{}", received[2].head);
    }

    /// A5: a last line without a line break must arrive twice.
    #[tokio::test]
    async fn results_that_end_within_a_line_are_fetched_again() {
        let replies = vec![reply("{}"), reply("{\"a\""), reply("{\"a\":1}\n")];
        assert_eq!(downloaded(replies).await.0, "{\"a\":1}\n");
    }

    /// A5: the same for results with fewer rows than the batch has requests.
    #[tokio::test]
    async fn results_that_lack_rows_are_fetched_again() {
        let whole = "{}\n{}\n";
        let replies = vec![reply(CREATED), reply("{}\n"), reply(whole)];
        assert_eq!(downloaded(replies).await.0, whole);
        let replies = vec![reply(CREATED), reply("{}\n"), reply("{}\n")];
        assert_eq!(downloaded(replies).await.0, "{}\n");
    }

    #[tokio::test]
    async fn batches_are_listed_page_by_page_and_cancelled() {
        let listed = r#"{"data":[{"id":"b2","processing_status":"ended"}],"has_more":true,"first_id":"b2","last_id":"b2"}"#;
        let server = Server::start(vec![reply(listed), reply(CREATED)]);
        let provider = provider(&server);
        let page = provider.list_batches(Some("b3")).await.unwrap();
        assert_eq!((page.batches.len(), page.next.as_deref()), (1, Some("b2")));
        provider.cancel_batch("b2").await.unwrap();
        let heads: Vec<String> = server
            .received()
            .into_iter()
            .map(|received| received.head)
            .collect();
        assert!(heads[0].starts_with("GET /v1/messages/batches?limit=100&after_id=b3 HTTP/1.1"));
        assert!(heads[1].starts_with("POST /v1/messages/batches/b2/cancel HTTP/1.1"));
    }
}
