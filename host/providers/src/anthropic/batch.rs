//! The calls on Anthropic's message batches, and the batch object.

use std::path::Path;

use reqwest::Method;
use serde_json::Value;

use crate::download::{self, Remote};
use crate::error::ProviderError;
use crate::fault::cut_to;
use crate::object::{self, PAGE, filled};
use crate::outcome::{count, text_of};
use crate::state::{BatchPage, BatchState, Counts, FileId, Phase};
use crate::transport::Transport;
use crate::wait;

/// Where message batches are, below the base URL.
pub(super) const BATCHES: &[&str] = &["v1", "messages", "batches"];

pub(crate) async fn list(
    transport: &Transport,
    after: Option<&str>,
) -> Result<BatchPage, ProviderError> {
    let query = [("limit", PAGE), ("after_id", after.unwrap_or_default())];
    let query = if after.is_some() { &query } else { &query[..1] };
    object::list(transport, BATCHES, query, |reply| object::page(reply, read)).await
}

pub(crate) async fn poll(transport: &Transport, id: &str) -> Result<BatchState, ProviderError> {
    let path = ["v1", "messages", "batches", id];
    object::ask(transport, Method::GET, &path, read).await
}

pub(crate) async fn cancel(transport: &Transport, id: &str) -> Result<BatchState, ProviderError> {
    let path = ["v1", "messages", "batches", id, "cancel"];
    object::ask(transport, Method::POST, &path, read).await
}

/// Downloads the results of the batch that `results` names.
pub(crate) async fn download(
    transport: &Transport,
    results: &FileId,
    requests: u64,
    to: &Path,
) -> Result<u64, ProviderError> {
    // Every request has a row, and nothing else tells how long the results are. Where the batch
    // cannot be asked, the download itself shows what is wrong.
    let batch = poll(transport, &results.0).await.ok();
    let counts = batch.and_then(|batch| batch.counts);
    let remote = Remote {
        name: &results.0,
        path: &["v1", "messages", "batches", &results.0, "results"],
        size: None,
        rows: counts.map(|counts| counts.total),
        requests,
    };
    download::download(transport, &remote, to).await
}

/// Reads a batch object, of which only the id is sure to be there.
pub(super) fn read(batch: &Value) -> Option<BatchState> {
    let id = object::id_of(batch)?;
    let status = cut_to(&text_of(batch, "processing_status"), 100);
    // The URL itself is not followed: it would choose the server that sees the key.
    let results = filled(batch, "results_url").map(|_| FileId(id.clone()));
    let cancelled = filled(batch, "cancel_initiated_at").is_some();
    Some(BatchState {
        id,
        phase: match status.to_ascii_lowercase().as_str() {
            "ended" if cancelled => Phase::Cancelled,
            // Also where it expired or every request failed: the rows say so.
            "ended" => Phase::Completed,
            _ => Phase::read(&status),
        },
        status_text: status,
        input_file: None,
        output_file: results,
        error_file: None,
        created: filled(batch, "created_at").and_then(|text| wait::rfc_3339(&text)),
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
    let completed = count(counts, "/succeeded");
    let failed = ["/errored", "/canceled", "/expired"]
        .iter()
        .fold(0_u64, |sum, path| sum.saturating_add(count(counts, path)));
    let processing = count(counts, "/processing");
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
    use crate::testing::{Seen, Server, provider_on, reply, status, with_headers};
    use synix_core::clock::Moment;
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
            created: Some(Moment(1_788_343_200_500)),
            token: None,
            counts: Some(Counts {
                total: 15,
                completed: 2,
                failed: 12,
            }),
            errors: Vec::new(),
            poll_after: None,
        };
        assert_eq!(read(&batch), Some(expected));
    }

    #[test]
    fn a_status_becomes_a_phase() {
        let phase = |status: &str, cancelled: Value| {
            let batch = json!({
                "id": "b", "processing_status": status, "cancel_initiated_at": cancelled,
            });
            read(&batch).unwrap().phase
        };
        let moment = json!("2026-09-02T10:00:00Z");
        assert_eq!(phase("in_progress", Value::Null), Phase::Running);
        assert_eq!(phase("canceling", moment.clone()), Phase::Cancelling);
        assert_eq!(phase("ended", moment), Phase::Cancelled);
        assert!(!phase("archiving", Value::Null).is_terminal());
    }

    /// A3: results that are not there yet are not named.
    #[test]
    fn a_batch_without_results_names_none() {
        let batch = json!({"id": "b", "processing_status": "ended", "results_url": null});
        assert_eq!(read(&batch).unwrap().output_file, None);
    }

    /// L16: 404 on a batch that is surely there.

    #[test]
    fn a_batch_of_an_absurd_shape_does_not_panic() {
        for batch in [
            json!(1),
            json!([1]),
            json!({"id": {}}),
            json!({"id": "b", "processing_status": 7, "request_counts": [], "created_at": -1}),
            json!({"id": "b", "created_at": "soon", "results_url": {}}),
        ] {
            assert!(read(&batch).is_none_or(|state| !state.phase.is_terminal()));
        }
    }

    #[tokio::test]
    async fn a_batch_that_is_not_found_is_asked_for_again() {
        let hinted = with_headers(200, "retry-after: 10\r\n", CREATED);
        let server = Server::start(vec![status(404, "{}"), hinted]);
        let state = provider(&server).poll_batch("msgbatch_1").await.unwrap();
        assert_eq!(state.poll_after.map(|wait| wait.as_secs()), Some(10));
        let head = server.seen().remove(0).head;
        assert!(head.starts_with("GET /v1/messages/batches/msgbatch_1 HTTP/1.1"));
    }

    async fn downloaded(replies: Vec<Vec<u8>>) -> (String, Vec<Seen>) {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("rows.jsonl");
        let server = Server::start(replies);
        let results = FileId("msgbatch_1".to_owned());
        provider(&server).download(&results, 2, &to).await.unwrap();
        (fs::read_to_string(&to).unwrap(), server.seen())
    }

    /// L16: 404 on results that are surely there.
    #[tokio::test]
    async fn results_that_are_not_found_are_asked_for_again() {
        let replies = vec![reply(CREATED), status(404, "{}"), reply("{}\n{}\n")];
        let (rows, seen) = downloaded(replies).await;
        assert_eq!(rows, "{}\n{}\n");
        let path = "GET /v1/messages/batches/msgbatch_1/results HTTP/1.1";
        assert!(seen[2].head.starts_with(path), "{}", seen[2].head);
    }

    /// A5: a line without end must arrive twice.
    #[tokio::test]
    async fn results_without_an_end_are_fetched_again() {
        let replies = vec![reply("{}"), reply("{\"a\""), reply("{\"a\":1}\n")];
        assert_eq!(downloaded(replies).await.0, "{\"a\":1}\n");
    }

    /// A5: so must results with fewer rows than the batch has requests.
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
        let heads: Vec<String> = server.seen().into_iter().map(|seen| seen.head).collect();
        assert!(heads[0].starts_with("GET /v1/messages/batches?limit=100&after_id=b3 HTTP/1.1"));
        assert!(heads[1].starts_with("POST /v1/messages/batches/b2/cancel HTTP/1.1"));
    }
}
