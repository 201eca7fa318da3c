//! Files that come from a provider: never whole in memory, never kept in doubt (A5).

use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use reqwest::header::TRANSFER_ENCODING;
use reqwest::{Method, Response, Version};
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::error::ProviderError;
use super::patience::NotFound;
use super::transport::Transport;
use crate::digest::Digest;
use crate::disk::{self, DiskError};

/// Enough to see the same doubtful file twice.
const LEAST_REFETCHES: u32 = 2;

/// A last line longer than this is taken for a broken one.
const LINE_BYTES: usize = 16 << 20;

/// A file at a provider.
#[derive(Debug)]
pub(super) struct Remote<'a> {
    /// What errors call it.
    pub(super) name: &'a str,
    /// Where it is, below the base URL.
    pub(super) path: &'a [&'a str],
    /// Its size, where the provider says it.
    pub(super) size: Option<u64>,
    /// How many rows it should have, where that is known.
    pub(super) rows: Option<u64>,
}

/// Downloads a file to `to` and returns its length; the file is there whole or not at all.
pub(super) async fn download(
    transport: &Transport,
    remote: &Remote<'_>,
    to: &Path,
) -> Result<u64, ProviderError> {
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    disk::create_folder(folder)?;
    let patience = transport.patience().on_not_found(NotFound::MayPass);
    let mut patience = patience.at_least(LEAST_REFETCHES);
    let mut previous = None;
    loop {
        patience.sends += 1;
        let error = match fetch(transport, remote.path, folder).await {
            Ok(fetched) => match fetched.doubt(remote, previous) {
                None => return fetched.keep(to).await,
                Some(Doubt::Short { expected }) => ProviderError::Short {
                    provider: transport.provider().to_owned(),
                    file: remote.name.to_owned(),
                    expected,
                    received: fetched.length,
                },
                Some(Doubt::Unsure) => {
                    previous = Some(fetched.digest);
                    ProviderError::Doubtful {
                        provider: transport.provider().to_owned(),
                        file: remote.name.to_owned(),
                    }
                }
            },
            Err(error) => error,
        };
        patience.outlast(error).await?;
    }
}

async fn fetch(
    transport: &Transport,
    path: &[&str],
    folder: &Path,
) -> Result<Fetched, ProviderError> {
    let request = transport.request(Method::GET, path);
    let mut response = transport.stream(request, transport.timeout()).await?;
    let unwritable = |source| failed("write", folder, source);
    let temporary = NamedTempFile::new_in(folder).map_err(unwritable)?;
    let framed = is_framed(&response);
    let mut writer = BufWriter::with_capacity(1 << 18, temporary);
    let mut hasher = Sha256::new();
    let (mut length, mut lines, mut open) = (0, 0, Vec::new());
    while let Some(chunk) = transport.chunk(&mut response).await? {
        let chunk = chunk.as_ref();
        writer.write_all(chunk).map_err(unwritable)?;
        hasher.update(chunk);
        length += chunk.len() as u64;
        lines += chunk.iter().filter(|byte| **byte == b'\n').count() as u64;
        leave_open(&mut open, chunk);
    }
    let temporary = writer
        .into_inner()
        .map_err(|error| unwritable(error.into_error()))?;
    Ok(Fetched {
        temporary,
        length,
        digest: Digest::from_bytes(hasher.finalize().into()),
        lines,
        framed,
        end: match open.as_slice() {
            [] => End::Newline,
            row if serde_json::from_slice::<IgnoredAny>(row).is_ok() => End::Row,
            _ => End::Broken,
        },
    })
}

/// Keeps what stands behind the last line break, up to a byte over [`LINE_BYTES`], which then is no whole row.
fn leave_open(open: &mut Vec<u8>, chunk: &[u8]) {
    let mut rest = chunk;
    if let Some(at) = chunk.iter().rposition(|byte| *byte == b'\n') {
        open.clear();
        rest = &chunk[at + 1..];
    }
    let room = (LINE_BYTES + 1).saturating_sub(open.len());
    open.extend_from_slice(&rest[..rest.len().min(room)]);
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
    lines: u64,
    framed: bool,
    end: End,
}

/// What stands at the end of a file of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Newline,
    /// A whole row.
    Row,
    /// A part of a row.
    Broken,
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
    fn doubt(&self, remote: &Remote<'_>, previous: Option<Digest>) -> Option<Doubt> {
        let whole = match remote.size {
            Some(expected) if self.length < expected => return Some(Doubt::Short { expected }),
            Some(expected) => self.length == expected,
            None => self.framed,
        };
        let lacks_rows = remote.rows.is_some_and(|rows| self.lines < rows);
        // A proxy that cuts a file cuts it at the same place again, so a part of a row is no end of one.
        let may_be_so = self.end != End::Broken || remote.size == Some(self.length);
        let sure = (whole && self.end == End::Newline && !lacks_rows)
            || (may_be_so && previous == Some(self.digest));
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
    use crate::llm::FileId;
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

    /// A5, M1: what is cut in a row would be asked again, though its answers are there and paid.
    #[tokio::test]
    async fn a_file_that_ends_within_a_row_is_never_kept_however_often_it_comes() {
        let mut replies = vec![status(404, "{}")];
        replies.extend((0..3).map(|_| reply("{}\n{\"a\"")));
        let (length, rows) = downloaded(replies).await;
        assert!(matches!(length, Err(ProviderError::Doubtful { .. })));
        assert_eq!(rows, None);
    }

    /// What the provider says of its size proves that it keeps the file so.
    #[tokio::test]
    async fn a_broken_end_that_the_size_confirms_may_come_twice() {
        let broken = "{}\n{\"a\":";
        let replies = vec![reply(INFO), reply(broken), reply(broken)];
        assert_eq!(downloaded(replies).await.1.as_deref(), Some(broken));
    }

    #[test]
    fn what_is_left_open_is_what_stands_behind_the_last_line_break() {
        let mut open = Vec::new();
        for (chunk, expected) in [
            ("a", "a"),
            ("b\nc", "c"),
            ("d", "cd"),
            ("x\ny\n", ""),
            ("e", "e"),
        ] {
            leave_open(&mut open, chunk.as_bytes());
            assert_eq!(open, expected.as_bytes());
        }
        leave_open(&mut open, &vec![b' '; LINE_BYTES]);
        leave_open(&mut open, b"1");
        assert_eq!(open.len(), LINE_BYTES + 1);
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
}
