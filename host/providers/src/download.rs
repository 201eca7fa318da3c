//! Files that come from a provider: never whole in memory, never kept in doubt (A5), never without bound.

use std::io::{self, BufReader, BufWriter, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use tokio::time::Instant;

use super::coding::{Coded, Coding};
use super::error::ProviderError;
use super::events;
use super::patience::NotFound;
use super::transport::{self, Transport};
use synix_core::digest::Digest;
use synix_disk::DiskError;

/// Enough to see the same doubtful file twice.
const LEAST_REFETCHES: u32 = 2;

/// A last line longer than this is taken for a broken one.
const LINE_BYTES: usize = 16 << 20;

/// The most bytes that a row needs: an answer, with all that may be told of its tokens.
const ROW_BYTES: u64 = 32 << 20;

/// The most bytes of any file.
const FILE_BYTES: u64 = 20 << 30;

/// What is left free of the disk, where that is not most of what is free.
const SPARE_BYTES: u64 = 1 << 30;

/// The most time that a file may take, all its fetches together.
const WHOLE_TIME: Duration = Duration::from_secs(24 * 60 * 60);

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
    /// How many rows it may have: those that were asked for.
    pub(super) requests: u64,
}

/// What a file may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bounds {
    bytes: u64,
    /// What bounds the bytes.
    why: &'static str,
    time: Duration,
}

impl Bounds {
    /// Returns the bounds of a file of so many rows, in a folder with `free` bytes left.
    fn of(requests: u64, free: Option<u64>) -> Self {
        // A file of errors has rows even where nothing was asked for.
        let rows = requests.max(1).saturating_mul(ROW_BYTES);
        let free = free.map_or(u64::MAX, |free| {
            free.saturating_sub(SPARE_BYTES).max(free / 2)
        });
        let bounds = [
            (rows, "its rows"),
            (FILE_BYTES, "a file"),
            (free, "the space left on this disk"),
        ];
        let (bytes, why) = bounds
            .into_iter()
            .min_by_key(|(bytes, _)| *bytes)
            .unwrap_or((rows, "its rows"));
        Self {
            bytes,
            why,
            time: WHOLE_TIME,
        }
    }
}

/// Downloads a file to `to` and returns its length; the file is there whole or not at all.
pub(super) async fn download(
    transport: &Transport,
    remote: &Remote<'_>,
    to: &Path,
) -> Result<u64, ProviderError> {
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    synix_disk::create_folder(folder)?;
    let bounds = Bounds::of(remote.requests, free_bytes(folder));
    within(transport, remote, folder, to, bounds).await
}

async fn within(
    transport: &Transport,
    remote: &Remote<'_>,
    folder: &Path,
    to: &Path,
    bounds: Bounds,
) -> Result<u64, ProviderError> {
    let too_slow = || ProviderError::TooSlow {
        provider: transport.provider().to_owned(),
        file: remote.name.to_owned(),
        after: bounds.time,
    };
    let deadline = Instant::now() + bounds.time;
    let patience = transport.patience().on_not_found(NotFound::MayPass);
    let mut patience = patience.at_least(LEAST_REFETCHES);
    let mut previous = None;
    loop {
        patience.sends += 1;
        let fetched = fetch(transport, remote, folder, bounds);
        let fetched = tokio::time::timeout_at(deadline, fetched).await;
        let error = match fetched.map_err(|_| too_slow())? {
            Ok(fetched) => match fetched.doubt(remote, previous) {
                None => return fetched.keep(to).await,
                Some(Doubt::Short { expected }) => ProviderError::Short {
                    provider: transport.provider().to_owned(),
                    file: remote.name.to_owned(),
                    expected,
                    received: fetched.tally.length,
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
    remote: &Remote<'_>,
    folder: &Path,
    bounds: Bounds,
) -> Result<Fetched, ProviderError> {
    let mut response = transport.file(remote.path).await?;
    let unwritable = |source| failed("write", folder, source);
    let too_large = || ProviderError::TooLarge {
        provider: transport.provider().to_owned(),
        file: remote.name.to_owned(),
        most: bounds.bytes,
        why: bounds.why,
    };
    let temporary = NamedTempFile::new_in(folder).map_err(unwritable)?;
    let framed = transport::is_framed(&response);
    let header = transport::coding_of(response.headers());
    let mut writer = BufWriter::with_capacity(1 << 18, temporary);
    let (mut tally, mut start) = (Tally::default(), Vec::new());
    while let Some(chunk) = transport.chunk(&mut response).await? {
        let chunk = chunk.as_ref();
        if tally.length + chunk.len() as u64 > bounds.bytes {
            return Err(too_large());
        }
        writer.write_all(chunk).map_err(unwritable)?;
        tally.take(chunk);
        let room = START_BYTES - start.len();
        start.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    let temporary = writer
        .into_inner()
        .map_err(|error| unwritable(error.into_error()))?;
    let received = tally.length;
    let coded = |error: &Coded| ProviderError::Coded {
        provider: transport.provider().to_owned(),
        file: remote.name.to_owned(),
        reason: error.to_string(),
    };
    let coding = coding_of(&header, &start).map_err(|error| coded(&error))?;
    let (temporary, tally) = match coding {
        None => (temporary, tally),
        Some(coding) => {
            let (folder, most) = (folder.to_owned(), bounds.bytes);
            let decoding =
                tokio::task::spawn_blocking(move || decode(coding, &temporary, &folder, most));
            let decoded = decoding.await.map_err(io::Error::other);
            match decoded.map_err(unwritable)? {
                Ok(decoded) => decoded,
                Err(Coded::TooLong(_)) => return Err(too_large()),
                Err(Coded::Kept(source)) => return Err(unwritable(source).into()),
                Err(error @ (Coded::Broken { .. } | Coded::Unknown(_))) => {
                    return Err(coded(&error));
                }
            }
        }
    };
    let (tally, digest, end) = tally.finish();
    Ok(Fetched {
        temporary,
        tally,
        received,
        digest,
        framed,
        end,
    })
}

/// Bytes from which a coding is told.
const START_BYTES: usize = 64;

/// Returns the coding to take off a file, if any.
fn coding_of(header: &str, start: &[u8]) -> Result<Option<Coding>, Coded> {
    // Rows begin with a brace; a header that says otherwise of them is wrong.
    let text = start.strip_prefix("\u{feff}".as_bytes()).unwrap_or(start);
    if matches!(text.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return Ok(None);
    }
    match Coding::of(start) {
        Some(found) => Ok(Some(found)),
        None if start.is_empty() => Ok(None),
        None => Coding::named(header, start),
    }
}

/// Writes a file anew without its coding.
fn decode(
    coding: Coding,
    coded: &NamedTempFile,
    folder: &Path,
    most: u64,
) -> Result<(NamedTempFile, Tally), Coded> {
    let mut source = coded.as_file();
    source.rewind().map_err(Coded::Kept)?;
    let temporary = NamedTempFile::new_in(folder).map_err(Coded::Kept)?;
    let mut writer = BufWriter::with_capacity(1 << 18, temporary);
    let mut tally = Tally::default();
    coding.take_off(BufReader::new(source), most, |piece| {
        tally.take(piece);
        writer.write_all(piece)
    })?;
    let temporary = writer.into_inner();
    let temporary = temporary.map_err(|error| Coded::Kept(error.into_error()))?;
    Ok((temporary, tally))
}

/// Returns how many bytes a folder can still take, where the system tells.
#[cfg(target_os = "linux")]
fn free_bytes(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    found.f_bavail.checked_mul(found.f_frsize)
}

#[cfg(not(target_os = "linux"))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

/// What is known of bytes that went by.
#[derive(Default)]
struct Tally {
    length: u64,
    lines: u64,
    hasher: Sha256,
    /// What stands behind the last line break.
    open: Vec<u8>,
}

impl Tally {
    fn take(&mut self, chunk: &[u8]) {
        self.hasher.update(chunk);
        self.length += chunk.len() as u64;
        self.lines += chunk.iter().filter(|byte| **byte == b'\n').count() as u64;
        leave_open(&mut self.open, chunk);
    }

    fn finish(self) -> (Counted, Digest, End) {
        let end = match self.open.as_slice() {
            [] => End::Newline,
            row if row.len() <= LINE_BYTES && is_row(row) => End::Row,
            _ => End::Broken,
        };
        let counted = Counted {
            length: self.length,
            lines: self.lines,
        };
        let digest = Digest::from_bytes(self.hasher.finalize().into());
        (counted, digest, end)
    }
}

fn is_row(row: &[u8]) -> bool {
    let is_document = serde_json::from_slice::<IgnoredAny>(row).is_ok();
    is_document || events::documents(row).is_ok_and(|pieces| !pieces.values.is_empty())
}

/// The size of what was fetched, without its coding.
#[derive(Debug, Clone, Copy)]
struct Counted {
    length: u64,
    lines: u64,
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

/// A file as it arrived once.
struct Fetched {
    temporary: NamedTempFile,
    tally: Counted,
    /// The bytes that came, with their coding.
    received: u64,
    digest: Digest,
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
        // A provider may count the bytes that it keeps or those that it sends.
        let lengths = [self.tally.length, self.received];
        let whole = match remote.size {
            Some(expected) if lengths.iter().all(|length| *length < expected) => {
                return Some(Doubt::Short { expected });
            }
            Some(expected) => lengths.contains(&expected),
            None => self.framed,
        };
        let lacks_rows = remote.rows.is_some_and(|rows| self.tally.lines < rows);
        // A proxy that cuts a file cuts it at the same place again, so a part of a row is no end of one.
        let may_be_so =
            self.end != End::Broken || remote.size.is_some_and(|size| lengths.contains(&size));
        let sure = (whole && self.end == End::Newline && !lacks_rows)
            || (may_be_so && previous == Some(self.digest));
        (!sure).then_some(Doubt::Unsure)
    }

    /// Moves the file to its place once it is safe on disk.
    async fn keep(self, to: &Path) -> Result<u64, ProviderError> {
        let Self {
            temporary, tally, ..
        } = self;
        let target = to.to_owned();
        let moved = tokio::task::spawn_blocking(move || {
            temporary.as_file().sync_all()?;
            temporary.persist(target).map_err(io::Error::from)
        });
        let moved = moved.await.map_err(io::Error::other).flatten();
        moved.map_err(|source| failed("write", to, source))?;
        Ok(tally.length)
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
    use crate::FileId;
    use crate::error::Retry;
    use crate::testing::{KEY, Server, provider, reply, status, with_headers};

    const INFO: &str = r#"{"id":"f","bytes":8}"#;
    const ROWS: &str = "{\"a\":1}\n";

    async fn downloaded(replies: Vec<Vec<u8>>) -> (Result<u64, ProviderError>, Option<String>) {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("rows.jsonl");
        let server = Server::start(replies);
        let length = provider(&server)
            .download(&FileId("f".to_owned()), 1, &to)
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

    fn bounded(bytes: u64, time: Duration) -> Bounds {
        Bounds {
            bytes,
            why: "its rows",
            time,
        }
    }

    async fn fetched_within(
        bounds: Bounds,
        replies: Vec<Vec<u8>>,
    ) -> (Result<u64, ProviderError>, Option<String>) {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("rows.jsonl");
        let server = Server::start(replies);
        let remote = Remote {
            name: "f",
            path: &["files", "f", "content"],
            size: None,
            rows: None,
            requests: 1,
        };
        let provider = provider(&server);
        let length = within(&provider.transport, &remote, folder.path(), &to, bounds).await;
        assert!(fs::read_dir(folder.path()).unwrap().count() <= 1);
        (length, fs::read_to_string(&to).ok())
    }

    /// W13
    #[tokio::test]
    async fn a_file_over_its_bound_is_given_up_at_once() {
        let endless = unframed(&"{}\n".repeat(100_000));
        let hour = Duration::from_secs(3600);
        let (length, rows) = fetched_within(bounded(1000, hour), vec![endless]).await;
        assert!(matches!(
            length,
            Err(ProviderError::TooLarge { most: 1000, .. })
        ));
        assert_eq!(rows, None);
    }

    /// W13: coded bytes are few, what they decode to is not.
    #[tokio::test]
    async fn a_coded_file_over_its_bound_is_given_up() {
        let coded = gzipped(&"{}\n".repeat(100_000), "");
        let hour = Duration::from_secs(3600);
        let (length, _) = fetched_within(bounded(10_000, hour), vec![coded]).await;
        assert!(matches!(length, Err(ProviderError::TooLarge { .. })));
    }

    /// W13
    #[tokio::test]
    async fn a_file_that_takes_too_long_is_given_up() {
        let replies = vec![reply(ROWS)];
        let (length, rows) = fetched_within(bounded(1000, Duration::ZERO), replies).await;
        assert!(matches!(length, Err(ProviderError::TooSlow { .. })));
        assert_eq!(rows, None);
    }

    /// W13
    #[test]
    fn a_file_is_bounded_by_its_rows_the_disk_and_a_file_s_most() {
        const GIB: u64 = 1 << 30;
        let most = |requests, free| Bounds::of(requests, free).bytes;
        assert_eq!(most(3, None), 3 * ROW_BYTES);
        assert_eq!(most(0, None), ROW_BYTES);
        assert_eq!(most(1_000_000, None), 20 * GIB);
        assert_eq!(most(u64::MAX, Some(6 * GIB)), 5 * GIB);
        assert_eq!(most(1000, Some(GIB)), GIB / 2);
        assert_eq!(
            Bounds::of(1000, Some(GIB)).why,
            "the space left on this disk"
        );
        assert_eq!(Bounds::of(1, None).time, Duration::from_secs(86_400));
    }

    fn gzipped(text: &str, header: &str) -> Vec<u8> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        let body = gzip.finish().unwrap();
        let length = body.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n{header}\r\n"
        );
        [head.as_bytes(), &body].concat()
    }

    /// X11: the provider says how many bytes it keeps, a proxy sends fewer.
    #[tokio::test]
    async fn a_compressed_file_is_decoded() {
        for header in ["content-encoding: gzip\r\n", ""] {
            let replies = vec![reply(INFO), gzipped(ROWS, header)];
            let (length, rows) = downloaded(replies).await;
            assert_eq!((length.unwrap(), rows.as_deref()), (8, Some(ROWS)));
        }
    }

    /// X11
    #[tokio::test]
    async fn a_file_that_does_not_decode_is_named() {
        let broken = || with_headers(200, "content-encoding: br\r\n", "<oh no>");
        let (length, rows) = downloaded(vec![reply(INFO), broken(), broken(), broken()]).await;
        let error = length.unwrap_err().to_string();
        assert!(error.contains("br that does not decode"), "{error}");
        assert_eq!(rows, None);
    }

    #[tokio::test]
    async fn a_file_in_utf_16_is_read() {
        let units = std::iter::once(0xfeff).chain(ROWS.encode_utf16());
        let bytes: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
        let head = format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            bytes.len()
        );
        let whole = [head.as_bytes(), &bytes].concat();
        let (_, rows) = downloaded(vec![status(404, "{}"), whole]).await;
        assert_eq!(rows, Some(format!("\u{feff}{ROWS}")));
    }

    /// X11: the store that a provider leads to never sees its key.
    #[tokio::test]
    async fn a_redirect_is_followed_without_the_key() {
        let store = Server::start(vec![reply(ROWS)]);
        let location = format!("location: {}/blob?signature=x\r\n", store.url());
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("rows.jsonl");
        let server = Server::start(vec![reply(INFO), with_headers(302, &location, "")]);
        provider(&server)
            .download(&FileId("f".to_owned()), 1, &to)
            .await
            .unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), ROWS);
        let seen = store.seen().remove(0);
        assert!(
            seen.head.starts_with("GET /blob?signature=x HTTP/1.1"),
            "{}",
            seen.head
        );
        assert!(
            !seen.head.to_ascii_lowercase().contains("authorization"),
            "{}",
            seen.head
        );
        assert!(!seen.head.contains(KEY), "{}", seen.head);
    }

    /// X11
    #[tokio::test]
    async fn a_redirect_elsewhere_is_named_and_not_tried_again() {
        let away = with_headers(302, "location: http://10.0.0.1/blob\r\n", "");
        let (length, _) = downloaded(vec![reply(INFO), away]).await;
        let error = length.unwrap_err();
        assert_eq!(error.retry(), Retry::Never);
        assert!(
            error
                .to_string()
                .contains("redirects to http://10.0.0.1/blob"),
            "{error}"
        );
    }
}
