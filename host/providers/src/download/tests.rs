use std::fs;
use std::io::Write as _;
use std::time::Duration;

use super::*;
use crate::FileId;
use crate::error::RetryAdvice;
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
async fn a_complete_file_is_fetched_once() {
    let (length, rows) = downloaded(vec![reply(INFO), reply(ROWS)]).await;
    assert_eq!((length.unwrap(), rows.as_deref()), (8, Some(ROWS)));
}

/// A5: the reply ends before its announced length.
#[tokio::test]
async fn a_reply_that_is_cut_off_is_fetched_again() {
    let broken = b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{\"a".to_vec();
    let (_, rows) = downloaded(vec![reply(INFO), broken, reply(ROWS)]).await;
    assert_eq!(rows.as_deref(), Some(ROWS));
}

/// A5: the reply is complete, but the provider stores more.
#[tokio::test]
async fn a_file_that_is_shorter_than_its_size_is_never_kept() {
    let mut replies = vec![reply(INFO)];
    replies.extend((0..3).map(|_| reply("{}\n")));
    let (length, rows) = downloaded(replies).await;
    assert!(matches!(
        length,
        Err(ProviderError::Truncated {
            expected: 8,
            received: 3,
            ..
        })
    ));
    assert_eq!(rows, None);
}

/// A5
#[tokio::test]
async fn a_last_line_without_a_line_break_must_arrive_twice() {
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

/// A5, M1: the requests of the missing rows would be sent again, although they are answered and paid for.
#[tokio::test]
async fn a_file_that_ends_within_a_row_is_never_kept() {
    let mut replies = vec![status(404, "{}")];
    replies.extend((0..3).map(|_| reply("{}\n{\"a\"")));
    let (length, rows) = downloaded(replies).await;
    assert!(matches!(length, Err(ProviderError::Inconsistent { .. })));
    assert_eq!(rows, None);
}

/// The reported size proves that the provider stores the file in this form.
#[tokio::test]
async fn a_cut_row_is_kept_if_the_size_confirms_it_and_it_comes_twice() {
    let broken = "{}\n{\"a\":";
    let replies = vec![reply(INFO), reply(broken), reply(broken)];
    assert_eq!(downloaded(replies).await.1.as_deref(), Some(broken));
}

#[tokio::test]
async fn a_file_that_differs_each_time_is_an_error() {
    let mut replies = vec![status(404, "{}")];
    replies.extend(["1", "2", "3"].map(reply));
    let (length, rows) = downloaded(replies).await;
    assert!(matches!(length, Err(ProviderError::Inconsistent { .. })));
    assert_eq!(rows, None);
}

/// A3: an error file may have no bytes at all.
#[tokio::test]
async fn an_empty_file_is_complete() {
    let (length, rows) = downloaded(vec![reply(r#"{"bytes":0}"#), reply("")]).await;
    assert_eq!((length.unwrap(), rows.as_deref()), (0, Some("")));
}

/// L16
#[tokio::test]
async fn a_file_that_is_not_found_yet_is_requested_again() {
    let replies = vec![reply(INFO), status(404, "{}"), reply(ROWS)];
    assert_eq!(downloaded(replies).await.1.as_deref(), Some(ROWS));
}

fn limits(bytes: u64, time: Duration) -> DownloadLimits {
    DownloadLimits {
        bytes,
        limited_by: "its rows",
        time,
    }
}

async fn downloaded_within(
    limits: DownloadLimits,
    replies: Vec<Vec<u8>>,
) -> (Result<u64, ProviderError>, Option<String>) {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("rows.jsonl");
    let server = Server::start(replies);
    let remote = RemoteFile {
        name: "f",
        path: &["files", "f", "content"],
        size: None,
        rows: None,
        requests: 1,
    };
    let provider = provider(&server);
    let length = download_within(&provider.transport, &remote, folder.path(), &to, limits).await;
    assert!(fs::read_dir(folder.path()).unwrap().count() <= 1);
    (length, fs::read_to_string(&to).ok())
}

/// W13
#[tokio::test]
async fn a_file_over_its_limit_fails_at_once() {
    let endless = unframed(&"{}\n".repeat(100_000));
    let hour = Duration::from_secs(3600);
    let (length, rows) = downloaded_within(limits(1000, hour), vec![endless]).await;
    assert!(matches!(
        length,
        Err(ProviderError::TooLarge {
            max_bytes: 1000,
            ..
        })
    ));
    assert_eq!(rows, None);
}

/// W13: a few compressed bytes decode to many.
#[tokio::test]
async fn a_compressed_file_over_its_limit_fails() {
    let coded = gzipped(&"{}\n".repeat(100_000), "");
    let hour = Duration::from_secs(3600);
    let (length, _) = downloaded_within(limits(10_000, hour), vec![coded]).await;
    assert!(matches!(length, Err(ProviderError::TooLarge { .. })));
}

/// W13
#[tokio::test]
async fn a_file_that_takes_too_long_fails() {
    let replies = vec![reply(ROWS)];
    let (length, rows) = downloaded_within(limits(1000, Duration::ZERO), replies).await;
    assert!(matches!(length, Err(ProviderError::TooSlow { .. })));
    assert_eq!(rows, None);
}

fn gzipped(text: &str, header: &str) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let body = gzip.finish().unwrap();
    let length = body.len();
    let head =
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n{header}\r\n");
    [head.as_bytes(), &body].concat()
}

/// X11: the provider reports the bytes that it stores, and a proxy sends fewer.
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
async fn a_file_that_cannot_be_decoded_is_reported() {
    let broken = || with_headers(200, "content-encoding: br\r\n", "<oh no>");
    let (length, rows) = downloaded(vec![reply(INFO), broken(), broken(), broken()]).await;
    let error = length.unwrap_err().to_string();
    assert!(error.contains("br that cannot be decoded"), "{error}");
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

/// X11: the storage server that a provider redirects to never gets the key.
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
    let received = store.received().remove(0);
    assert!(
        received.head.starts_with("GET /blob?signature=x HTTP/1.1"),
        "{}",
        received.head
    );
    assert!(
        !received.head.to_ascii_lowercase().contains("authorization"),
        "{}",
        received.head
    );
    assert!(!received.head.contains(KEY), "{}", received.head);
}

/// X11
#[tokio::test]
async fn a_forbidden_redirect_is_reported_and_not_retried() {
    let away = with_headers(302, "location: http://10.0.0.1/blob\r\n", "");
    let (length, _) = downloaded(vec![reply(INFO), away]).await;
    let error = length.unwrap_err();
    assert_eq!(error.retry(), RetryAdvice::Never);
    assert!(
        error
            .to_string()
            .contains("redirects to http://10.0.0.1/blob"),
        "{error}"
    );
}
