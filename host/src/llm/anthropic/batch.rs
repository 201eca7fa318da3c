//! Anthropic's message batches: created inline, without a file, a name or a tag.

use std::io::{self, SeekFrom};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Body, Method};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncSeekExt as _, ReadBuf};
use tokio_util::io::ReaderStream;

use crate::disk::DiskError;
use crate::llm::download::{self, Remote};
use crate::llm::error::{CreateError, ProviderError};
use crate::llm::input::{self, BatchTraits};
use crate::llm::object::{self, PAGE, filled};
use crate::llm::outcome::{count, text_of};
use crate::llm::state::{BatchPage, BatchState, Counts, FileId, Phase};
use crate::llm::transport::Transport;
use crate::llm::wait;

const BATCHES: &[&str] = &["v1", "messages", "batches"];

/// What stands around the requests of a create call.
const FRAME: (&[u8], &[u8]) = (b"{\"requests\":[", b"]}");

/// Bytes read from the file at once.
const PIECE: usize = 1 << 16;

pub(in crate::llm) const TRAITS: BatchTraits = BatchTraits {
    most_requests: 100_000,
    most_bytes: 256_000_000 - (FRAME.0.len() + FRAME.1.len()) as u64,
    uploads: false,
    labelled: false,
    one_model: false,
};

/// Creates a batch from a file of lines, sending once.
pub(in crate::llm) async fn create(
    transport: &Transport,
    lines: &Path,
) -> Result<BatchState, CreateError> {
    let (body, length) = body(lines).await.map_err(ProviderError::from)?;
    let request = transport
        .request_once(Method::POST, BATCHES)?
        .header(CONTENT_TYPE, "application/json")
        .header(CONTENT_LENGTH, length)
        .body(body);
    let reply = transport
        .send_json(request, transport.limit_for(length))
        .await?;
    Ok(object::state(transport, &reply, read)?)
}

/// Makes the body of a create call, which is read from the file while it is sent.
async fn body(lines: &Path) -> Result<(Body, u64), DiskError> {
    let unreadable = |source| DiskError {
        action: "read",
        path: lines.to_owned(),
        source,
    };
    let (mut file, mut length) = input::open(lines).await?;
    if length > 0 {
        // The newline after the last line stands between nothing.
        file.seek(SeekFrom::End(-1)).await.map_err(unreadable)?;
        let last = file.read_u8().await.map_err(unreadable)?;
        file.rewind().await.map_err(unreadable)?;
        length -= u64::from(last == b'\n');
    }
    let (start, end) = FRAME;
    let requests = Commas(file.take(length));
    let reader = start.chain(requests).chain(end);
    let length = length + (start.len() + end.len()) as u64;
    let body = Body::wrap_stream(ReaderStream::with_capacity(reader, PIECE));
    Ok((body, length))
}

/// Reads lines as the members of a list: a comma for each newline, of which JSON has none inside.
struct Commas<R>(R);

impl<R: AsyncRead + Unpin> AsyncRead for Commas<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.0).poll_read(context, buffer))?;
        for byte in &mut buffer.filled_mut()[before..] {
            if *byte == b'\n' {
                *byte = b',';
            }
        }
        Poll::Ready(Ok(()))
    }
}

pub(in crate::llm) async fn list(
    transport: &Transport,
    after: Option<&str>,
) -> Result<BatchPage, ProviderError> {
    let query = [("limit", PAGE), ("after_id", after.unwrap_or_default())];
    let query = if after.is_some() { &query } else { &query[..1] };
    object::list(transport, BATCHES, query, |reply| object::page(reply, read)).await
}

pub(in crate::llm) async fn poll(
    transport: &Transport,
    id: &str,
) -> Result<BatchState, ProviderError> {
    let path = ["v1", "messages", "batches", id];
    object::ask(transport, Method::GET, &path, read).await
}

pub(in crate::llm) async fn cancel(
    transport: &Transport,
    id: &str,
) -> Result<BatchState, ProviderError> {
    let path = ["v1", "messages", "batches", id, "cancel"];
    object::ask(transport, Method::POST, &path, read).await
}

/// Downloads the results of the batch that `results` names.
pub(in crate::llm) async fn download(
    transport: &Transport,
    results: &FileId,
    to: &Path,
) -> Result<u64, ProviderError> {
    let remote = Remote {
        name: &results.0,
        path: &["v1", "messages", "batches", &results.0, "results"],
        size: None,
    };
    download::download(transport, &remote, to).await
}

/// Reads a batch object, of which only the id is sure to be there.
fn read(batch: &Value) -> Option<BatchState> {
    let id = filled(batch, "id")?;
    let status = text_of(batch, "processing_status");
    // The URL itself is not followed: it would choose the server that sees the key.
    let results = filled(batch, "results_url").map(|_| FileId(id.clone()));
    let cancelled = filled(batch, "cancel_initiated_at").is_some();
    Some(BatchState {
        id,
        phase: match status.as_str() {
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
    use crate::clock::Moment;
    use crate::disk;
    use crate::llm::testing::{Seen, Server, provider_on, reply, request, status};
    use crate::llm::{BatchInput, Provider};
    use crate::request::Wire;

    const CREATED: &str = r#"{"id":"msgbatch_1","type":"message_batch","processing_status":"in_progress","request_counts":{"processing":2,"succeeded":0,"errored":0,"canceled":0,"expired":0},"created_at":"2026-09-02T10:00:00.5Z","results_url":null}"#;

    fn provider(server: &Server) -> Provider {
        provider_on(server, Wire::Anthropic)
    }

    async fn created(
        lines: &str,
        replies: Vec<Vec<u8>>,
    ) -> (Result<BatchState, CreateError>, Vec<Seen>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requests.jsonl");
        disk::replace(&path, lines.as_bytes()).unwrap();
        let server = Server::start(replies);
        let state = provider(&server)
            .create_batch(BatchInput::Lines(&path), "token-1")
            .await;
        (state, server.seen())
    }

    #[tokio::test]
    async fn a_batch_is_created_from_lines_with_a_known_length() {
        let requests = [
            request(Wire::Anthropic, "a\nb"),
            request(Wire::Anthropic, "c"),
        ];
        let unused = Server::start(Vec::new());
        let lines = requests
            .each_ref()
            .map(|request| provider(&unused).batch_line(request, &request.key().unwrap()));
        for text in [lines.join("\n"), format!("{}\n", lines.join("\n"))] {
            let (state, seen) = created(&text, vec![reply(CREATED)]).await;
            assert_eq!(state.unwrap().id, "msgbatch_1");
            assert!(
                seen[0]
                    .head
                    .starts_with("POST /v1/messages/batches HTTP/1.1"),
                "{}",
                seen[0].head
            );
            let length = format!("content-length: {}", seen[0].body.len());
            assert!(seen[0].head.contains(&length), "{}", seen[0].head);
            assert!(!seen[0].head.contains("transfer-encoding"));
            let sent: Value = serde_json::from_slice(&seen[0].body).unwrap();
            let expected = lines
                .each_ref()
                .map(|line| serde_json::from_str::<Value>(line).unwrap());
            assert_eq!(sent, json!({"requests": expected}));
        }
    }

    /// L11: a chunk of many pieces arrives as it is on disk.
    #[tokio::test]
    async fn lines_longer_than_a_piece_are_sent_whole() {
        let line = format!("\"{}\"\n", "x".repeat(PIECE));
        let (_, seen) = created(&line.repeat(3), vec![reply(CREATED)]).await;
        let sent: Value = serde_json::from_slice(&seen[0].body).unwrap();
        assert_eq!(sent["requests"].as_array().unwrap().len(), 3);
    }

    /// M1: whatever the first send came to, there is no second.
    #[tokio::test]
    async fn creating_is_never_repeated() {
        for first in [Vec::new(), status(529, ""), status(429, ""), reply("{}")] {
            let (state, seen) = created("{}\n", vec![first, reply(CREATED)]).await;
            assert!(state.is_err());
            assert_eq!(seen.len(), 1);
        }
    }

    /// M1
    #[tokio::test]
    async fn only_a_reply_that_proves_it_makes_a_create_refused() {
        let (lost, _) = created("{}\n", vec![Vec::new()]).await;
        assert!(matches!(lost, Err(CreateError::Unclear(_))));
        let (refused, _) = created("{}\n", vec![status(413, "{}")]).await;
        assert!(matches!(refused, Err(CreateError::Refused(_))));
        let server = Server::start(Vec::new());
        let unsent = provider(&server)
            .create_batch(BatchInput::Lines(Path::new("/nowhere/at-all")), "t")
            .await;
        assert!(matches!(unsent, Err(CreateError::NotSent(_))));
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

    /// L16: 404 on a batch, or on results, that are surely there.
    #[tokio::test]
    async fn not_found_passes() {
        let hinted = b"HTTP/1.1 200 OK\r\nretry-after: 10\r\nconnection: close\r\n\r\n".to_vec();
        let hinted = [hinted, CREATED.as_bytes().to_vec()].concat();
        let server = Server::start(vec![status(404, "{}"), hinted]);
        let state = provider(&server).poll_batch("msgbatch_1").await.unwrap();
        assert_eq!(state.poll_after.map(|wait| wait.as_secs()), Some(10));
        assert!(
            server.seen()[0]
                .head
                .starts_with("GET /v1/messages/batches/msgbatch_1 HTTP/1.1")
        );

        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("rows.jsonl");
        let server = Server::start(vec![status(404, "{}"), reply("{}\n")]);
        let length = provider(&server)
            .download(&FileId("msgbatch_1".to_owned()), &to)
            .await;
        assert_eq!(length.unwrap(), 3);
        assert!(
            server.seen()[0]
                .head
                .starts_with("GET /v1/messages/batches/msgbatch_1/results HTTP/1.1")
        );
    }

    /// A5: where no length is known, a line without end must arrive twice.
    #[tokio::test]
    async fn results_without_an_end_are_fetched_again() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("rows.jsonl");
        let server = Server::start(vec![reply("{\"a\""), reply("{\"a\":1}\n")]);
        let results = FileId("msgbatch_1".to_owned());
        provider(&server).download(&results, &to).await.unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "{\"a\":1}\n");
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
