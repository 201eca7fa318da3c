//! Files that go to the provider and come from it, never whole in memory.

use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::time::Duration;

use reqwest::header::TRANSFER_ENCODING;
use reqwest::multipart::{Form, Part};
use reqwest::{Method, Response, Version};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use crate::digest::Digest;
use crate::disk::{self, DiskError};
use crate::llm::error::ProviderError;
use crate::llm::patience::NotFound;
use crate::llm::state::FileId;
use crate::llm::transport::{Call, Transport};

/// An upload has the time limit of a call and what this rate needs.
const SLOWEST_BYTES_PER_SECOND: u64 = 100_000;

/// Enough to see the same doubtful file twice.
const LEAST_REFETCHES: u32 = 2;

/// Uploads a file of requests. A second upload after a lost reply costs nothing.
pub(in crate::llm) async fn upload(
    transport: &Transport,
    path: &Path,
    name: &str,
) -> Result<FileId, ProviderError> {
    let mut patience = transport.patience();
    loop {
        patience.sends += 1;
        match upload_once(transport, path, name).await {
            Ok(id) => return Ok(id),
            Err(error) => patience.outlast(error).await?,
        }
    }
}

async fn upload_once(
    transport: &Transport,
    path: &Path,
    name: &str,
) -> Result<FileId, ProviderError> {
    let file = tokio::fs::File::open(path).await;
    let file = file.map_err(|source| failed("read", path, source))?;
    let length = file.metadata().await;
    let length = length.map_err(|source| failed("read", path, source))?.len();
    let part = Part::stream_with_length(file, length).file_name(name.to_owned());
    let form = Form::new().text("purpose", "batch").part("file", part);
    let request = transport.request(Method::POST, &["files"]).multipart(form);
    let limit = transport.timeout() + Duration::from_secs(length / SLOWEST_BYTES_PER_SECOND);
    let reply = transport.send_json(request, limit).await?.value;
    match reply.get("id").and_then(Value::as_str) {
        Some(id) if !id.is_empty() => Ok(FileId(id.to_owned())),
        _ => Err(transport.unreadable("a file without id".to_owned())),
    }
}

/// Downloads a file to `to` and returns its length; the file is there whole or not at all.
pub(in crate::llm) async fn download(
    transport: &Transport,
    file: &FileId,
    to: &Path,
) -> Result<u64, ProviderError> {
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    disk::create_folder(folder)?;
    let size = size(transport, file).await;
    let patience = transport.patience().on_not_found(NotFound::MayPass);
    let mut patience = patience.at_least(LEAST_REFETCHES);
    let mut previous = None;
    loop {
        patience.sends += 1;
        let error = match fetch(transport, file, folder).await {
            Ok(fetched) => match fetched.doubt(size, previous) {
                None => return fetched.keep(to).await,
                Some(Doubt::Short { expected }) => ProviderError::Short {
                    provider: transport.provider().to_owned(),
                    file: file.0.clone(),
                    expected,
                    received: fetched.length,
                },
                Some(Doubt::Unsure) => {
                    previous = Some(fetched.digest);
                    ProviderError::Doubtful {
                        provider: transport.provider().to_owned(),
                        file: file.0.clone(),
                    }
                }
            },
            Err(error) => error,
        };
        patience.outlast(error).await?;
    }
}

/// Returns the size that the provider keeps for a file, where it says one.
async fn size(transport: &Transport, file: &FileId) -> Option<u64> {
    let call = Call {
        method: Method::GET,
        path: &["files", &file.0],
        query: &[],
        body: None,
    };
    // Compatible servers have no such call; the download itself shows what is wrong.
    let reply = transport
        .json(&call, &mut transport.patience())
        .await
        .ok()?;
    reply.value.get("bytes").and_then(Value::as_u64)
}

async fn fetch(
    transport: &Transport,
    file: &FileId,
    folder: &Path,
) -> Result<Fetched, ProviderError> {
    let request = transport.request(Method::GET, &["files", &file.0, "content"]);
    let mut response = transport.stream(request, transport.timeout()).await?;
    let unwritable = |source| failed("write", folder, source);
    let temporary = NamedTempFile::new_in(folder).map_err(unwritable)?;
    let framed = is_framed(&response);
    let mut writer = BufWriter::with_capacity(1 << 18, temporary);
    let mut hasher = Sha256::new();
    let (mut length, mut last) = (0, b'\n');
    while let Some(chunk) = transport.chunk(&mut response).await? {
        let chunk = chunk.as_ref();
        writer.write_all(chunk).map_err(unwritable)?;
        hasher.update(chunk);
        length += chunk.len() as u64;
        last = *chunk.last().unwrap_or(&last);
    }
    let temporary = writer
        .into_inner()
        .map_err(|error| unwritable(error.into_error()))?;
    Ok(Fetched {
        temporary,
        length,
        digest: Digest::from_bytes(hasher.finalize().into()),
        framed,
        ends_with_newline: last == b'\n',
    })
}

/// Returns whether a reply that ends too early is noticed below us.
fn is_framed(response: &Response) -> bool {
    let headers = response.headers();
    response.version() >= Version::HTTP_2
        || response.content_length().is_some()
        || headers.contains_key(TRANSFER_ENCODING)
}

/// A file as it arrived once.
struct Fetched {
    temporary: NamedTempFile,
    length: u64,
    digest: Digest,
    framed: bool,
    ends_with_newline: bool,
}

/// Why a file must be fetched again.
#[derive(Debug, PartialEq, Eq)]
enum Doubt {
    /// It has fewer bytes than the provider keeps.
    Short { expected: u64 },
    /// Nothing proves that it is whole; arriving again as it is will do.
    Unsure,
}

impl Fetched {
    fn doubt(&self, size: Option<u64>, previous: Option<Digest>) -> Option<Doubt> {
        let whole = match size {
            Some(expected) if self.length < expected => return Some(Doubt::Short { expected }),
            Some(expected) => self.length == expected,
            None => self.framed,
        };
        let sure = (whole && self.ends_with_newline) || previous == Some(self.digest);
        (!sure).then_some(Doubt::Unsure)
    }

    /// Moves the file to its place once it is safe on disk.
    async fn keep(self, to: &Path) -> Result<u64, ProviderError> {
        let Self {
            temporary, length, ..
        } = self;
        let target = to.to_owned();
        let moved = tokio::task::spawn_blocking(move || {
            temporary.as_file().sync_all()?;
            temporary.persist(target).map_err(io::Error::from)
        });
        let moved = moved.await.map_err(io::Error::other).flatten();
        moved.map_err(|source| failed("write", to, source))?;
        Ok(length)
    }
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> DiskError {
    DiskError {
        action,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::llm::testing::{Server, provider, reply, status};

    const INFO: &str = r#"{"id":"f","bytes":8}"#;
    const ROWS: &str = "{\"a\":1}\n";

    async fn downloaded(replies: Vec<Vec<u8>>) -> (Result<u64, ProviderError>, Option<String>) {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("rows.jsonl");
        let server = Server::start(replies);
        let length = provider(&server)
            .download(&FileId("f".to_owned()), &to)
            .await;
        assert!(fs::read_dir(folder.path()).unwrap().count() <= 1);
        (length, fs::read_to_string(&to).ok())
    }

    fn unframed(body: &str) -> Vec<u8> {
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{body}").into_bytes()
    }

    #[tokio::test]
    async fn a_whole_file_is_fetched_once() {
        let (length, rows) = downloaded(vec![reply(INFO), reply(ROWS)]).await;
        assert_eq!((length.unwrap(), rows.as_deref()), (8, Some(ROWS)));
    }

    /// A5: the reply breaks off before its announced length.
    #[tokio::test]
    async fn a_reply_that_breaks_off_is_fetched_again() {
        let broken = b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{\"a".to_vec();
        let (_, rows) = downloaded(vec![reply(INFO), broken, reply(ROWS)]).await;
        assert_eq!(rows.as_deref(), Some(ROWS));
    }

    /// A5: the reply is whole, but not what the provider keeps.
    #[tokio::test]
    async fn a_file_short_of_its_size_is_never_kept() {
        let mut replies = vec![reply(INFO)];
        replies.extend((0..3).map(|_| reply("{}\n")));
        let (length, rows) = downloaded(replies).await;
        assert!(matches!(
            length,
            Err(ProviderError::Short {
                expected: 8,
                received: 3,
                ..
            })
        ));
        assert_eq!(rows, None);
    }

    /// A5
    #[tokio::test]
    async fn a_line_without_end_must_arrive_twice() {
        let unsized_file = || status(404, "{}");
        let replies = vec![unsized_file(), reply("{\"a\":1}"), reply(ROWS)];
        assert_eq!(downloaded(replies).await.1.as_deref(), Some(ROWS));
        let replies = vec![unsized_file(), reply("{}"), reply("{}")];
        assert_eq!(downloaded(replies).await.1.as_deref(), Some("{}"));
    }

    /// A5
    #[tokio::test]
    async fn a_reply_of_unknown_length_must_arrive_twice() {
        let replies = vec![
            status(404, "{}"),
            unframed("{}\n"),
            unframed(ROWS),
            unframed(ROWS),
        ];
        assert_eq!(downloaded(replies).await.1.as_deref(), Some(ROWS));
    }

    #[tokio::test]
    async fn a_file_that_never_settles_is_an_error() {
        let mut replies = vec![status(404, "{}")];
        replies.extend(["1", "2", "3"].map(reply));
        let (length, rows) = downloaded(replies).await;
        assert!(matches!(length, Err(ProviderError::Doubtful { .. })));
        assert_eq!(rows, None);
    }

    /// A3: an error file may have no bytes at all.
    #[tokio::test]
    async fn an_empty_file_is_whole() {
        let (length, rows) = downloaded(vec![reply(r#"{"bytes":0}"#), reply("")]).await;
        assert_eq!((length.unwrap(), rows.as_deref()), (0, Some("")));
    }

    /// L16
    #[tokio::test]
    async fn a_file_that_is_not_there_yet_is_asked_for_again() {
        let replies = vec![reply(INFO), status(404, "{}"), reply(ROWS)];
        assert_eq!(downloaded(replies).await.1.as_deref(), Some(ROWS));
    }

    async fn uploaded(replies: Vec<Vec<u8>>) -> (Result<FileId, ProviderError>, Server) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requests.jsonl");
        disk::replace(&path, ROWS.as_bytes()).unwrap();
        let server = Server::start(replies);
        let id = provider(&server).upload_batch(&path, "synix-7.jsonl").await;
        (id, server)
    }

    #[tokio::test]
    async fn an_upload_carries_purpose_name_and_length() {
        let (id, server) = uploaded(vec![reply(r#"{"id":"file-1"}"#)]).await;
        assert_eq!(id.unwrap(), FileId("file-1".to_owned()));
        let seen = server.seen().remove(0);
        assert!(seen.head.starts_with("POST /v1/files HTTP/1.1"));
        assert!(seen.head.contains("content-length:"));
        let body = String::from_utf8(seen.body).unwrap();
        for part in [
            "name=\"purpose\"\r\n\r\nbatch\r\n",
            "filename=\"synix-7.jsonl\"",
            ROWS,
        ] {
            assert!(body.contains(part), "{part}");
        }
    }

    #[tokio::test]
    async fn a_lost_upload_is_sent_again() {
        let (id, server) = uploaded(vec![Vec::new(), reply(r#"{"id":"file-2"}"#)]).await;
        assert_eq!(id.unwrap(), FileId("file-2".to_owned()));
        assert_eq!(server.seen().len(), 2);
    }
}
