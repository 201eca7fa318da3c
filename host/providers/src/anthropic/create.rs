//! Creates message batches. The create call contains the requests; the batch has no name or metadata.

use std::io::{self, SeekFrom};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Body, Method};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncSeekExt as _, ReadBuf};
use tokio_util::io::ReaderStream;

use super::batch::{BATCHES, parse};
use crate::batch_input::{self, BatchTraits};
use crate::batch_object;
use crate::batch_state::BatchState;
use crate::error::{CreateError, ProviderError};
use crate::transport::Transport;
use synix_disk::DiskError;

/// The JSON around the requests of a create call.
const ENVELOPE: (&[u8], &[u8]) = (b"{\"requests\":[", b"]}");

/// The size of the read buffer.
const CHUNK_BYTES: usize = 1 << 16;

pub(crate) const TRAITS: BatchTraits = BatchTraits {
    max_requests: 100_000,
    max_bytes: 256_000_000 - (ENVELOPE.0.len() + ENVELOPE.1.len()) as u64,
    max_creations_per_hour: None,
    uploads: false,
    carries_token: false,
    single_model: false,
};

/// Creates a batch from a file of lines. Sends the call once.
pub(crate) async fn create(transport: &Transport, lines: &Path) -> Result<BatchState, CreateError> {
    let (body, length) = body(lines).await.map_err(ProviderError::from)?;
    let request = transport
        .request_once(Method::POST, BATCHES)?
        .header(CONTENT_TYPE, "application/json")
        .header(CONTENT_LENGTH, length)
        .body(body);
    let reply = transport
        .send_json(request, transport.timeout_for(length))
        .await?;
    Ok(batch_object::parse_batch(transport, &reply, parse)?)
}

/// Makes the body of a create call, which streams the file.
async fn body(lines: &Path) -> Result<(Body, u64), DiskError> {
    let unreadable = |source| DiskError {
        action: "read",
        path: lines.to_owned(),
        source,
    };
    let (mut file, mut length) = batch_input::open(lines).await?;
    if length > 0 {
        // The newline after the last line must not become a comma.
        file.seek(SeekFrom::End(-1)).await.map_err(unreadable)?;
        let last = file.read_u8().await.map_err(unreadable)?;
        file.rewind().await.map_err(unreadable)?;
        length -= u64::from(last == b'\n');
    }
    let (start, end) = ENVELOPE;
    let requests = CommaSeparated(file.take(length));
    let reader = start.chain(requests).chain(end);
    let length = length + (start.len() + end.len()) as u64;
    let body = Body::wrap_stream(ReaderStream::with_capacity(reader, CHUNK_BYTES));
    Ok((body, length))
}

/// Turns lines into the elements of a list: replaces each newline with a comma. The JSON of a line has no newline.
struct CommaSeparated<R>(R);

impl<R: AsyncRead + Unpin> AsyncRead for CommaSeparated<R> {
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{ReceivedRequest, Server, provider_on, reply, request, status};
    use crate::{BatchInput, Provider};
    use synix_core::request::Wire;

    const CREATED: &str = r#"{"id":"msgbatch_1","processing_status":"in_progress"}"#;

    fn provider(server: &Server) -> Provider {
        provider_on(server, Wire::Anthropic)
    }

    async fn created(
        lines: &str,
        replies: Vec<Vec<u8>>,
    ) -> (Result<BatchState, CreateError>, Vec<ReceivedRequest>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requests.jsonl");
        synix_disk::replace(&path, lines.as_bytes()).unwrap();
        let server = Server::start(replies);
        let state = provider(&server)
            .create_batch(BatchInput::Lines(&path), "token-1")
            .await;
        (state, server.received())
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
            let (state, received) = created(&text, vec![reply(CREATED)]).await;
            assert_eq!(state.unwrap().id, "msgbatch_1");
            assert!(
                received[0]
                    .head
                    .starts_with("POST /v1/messages/batches HTTP/1.1"),
                "{}",
                received[0].head
            );
            let length = format!("content-length: {}", received[0].body.len());
            assert!(received[0].head.contains(&length), "{}", received[0].head);
            assert!(!received[0].head.contains("transfer-encoding"));
            let sent: Value = serde_json::from_slice(&received[0].body).unwrap();
            let expected = lines
                .each_ref()
                .map(|line| serde_json::from_str::<Value>(line).unwrap());
            assert_eq!(sent, json!({"requests": expected}));
        }
    }

    /// L11
    #[tokio::test]
    async fn lines_that_are_longer_than_the_buffer_are_sent_completely() {
        let line = format!("\"{}\"\n", "x".repeat(CHUNK_BYTES));
        let (_, received) = created(&line.repeat(3), vec![reply(CREATED)]).await;
        let sent: Value = serde_json::from_slice(&received[0].body).unwrap();
        assert_eq!(sent["requests"].as_array().unwrap().len(), 3);
    }

    /// M1: there is no second send, whatever the result of the first one.
    #[tokio::test]
    async fn creating_is_never_repeated() {
        for first in [Vec::new(), status(529, ""), status(429, ""), reply("{}")] {
            let (state, received) = created("{}\n", vec![first, reply(CREATED)]).await;
            assert!(state.is_err());
            assert_eq!(received.len(), 1);
        }
    }

    /// M1
    #[tokio::test]
    async fn a_create_call_counts_as_refused_only_if_the_reply_proves_it() {
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
}
