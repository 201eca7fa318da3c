//! Single calls whose reply is unusable, has an unknown ending, or contains an error.

use super::complete::{HELLO, completed};
use crate::testing::{expect_answer, expect_failure, reply};
use synix_core::request::FailureKind;

/// X3: a complete reply may have been billed, so the request is not sent again.
#[tokio::test]
async fn a_complete_unusable_reply_is_not_retried() {
    for (body, reason) in [
        (
            "<html><title>Log in</title>",
            "an HTML page titled \"Log in\"",
        ),
        ("", "an empty reply"),
        ("{}", "it has no body"),
        ("data: {\"x\":1}\n\n", "an event stream without an answer"),
        ("{\"choices\":[", "invalid JSON (the text ends at byte 12)"),
    ] {
        let completion = completed(vec![reply(body), reply(HELLO)]).await;
        assert_eq!((completion.sends, completion.unclear), (1, 1), "{body}");
        let failure = expect_failure(completion.outcome);
        assert_eq!(
            (failure.kind, failure.transient),
            (FailureKind::Unreadable, false)
        );
        assert!(failure.message.contains(reason), "{}", failure.message);
    }
}

/// X3: a reply of unknown length may be cut off.
#[tokio::test]
async fn an_unreadable_reply_of_unknown_length_is_lost() {
    let unframed = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"choices\":[".to_vec();
    let completion = completed(vec![unframed, reply(HELLO)]).await;
    assert_eq!((completion.sends, completion.unclear), (2, 1));
    assert_eq!(expect_answer(completion.outcome).text, "Hello");
}

/// X3
#[tokio::test]
async fn a_compressed_reply_is_read() {
    use std::io::Write as _;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(HELLO.as_bytes()).unwrap();
    let body = gzip.finish().unwrap();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-encoding: gzip\r\ncontent-length: {length}\r\n\r\n"
    );
    let completion = completed(vec![[head.as_bytes(), &body].concat()]).await;
    assert_eq!(expect_answer(completion.outcome).text, "Hello");
    let cut = &body[..length - 4];
    let head = head.replace(&length.to_string(), &cut.len().to_string());
    let completion = completed(vec![[head.as_bytes(), cut].concat(), reply(HELLO)]).await;
    assert_eq!((completion.sends, completion.unclear), (1, 1));
    let failure = expect_failure(completion.outcome);
    assert!(
        failure.message.contains("gzip that cannot be decoded"),
        "{}",
        failure.message
    );
}

fn ended(reason: &str) -> Vec<u8> {
    reply(&format!(
        r#"{{"choices":[{{"message":{{"content":"Hel"}},"finish_reason":"{reason}"}}],"usage":{{"prompt_tokens":3,"completion_tokens":2}}}}"#
    ))
}

/// X5: each of them is billed.
#[tokio::test]
async fn an_unknown_ending_is_retried_once() {
    let completion = completed(vec![ended("tired"), reply(HELLO)]).await;
    assert_eq!((completion.sends, completion.unclear), (2, 0));
    assert_eq!(completion.billed.len(), 1);
    assert_eq!(completion.billed[0].usage.input_tokens, 3);
    assert_eq!(expect_answer(completion.outcome).text, "Hello");
    let completion = completed(vec![ended("tired"), ended("bored"), reply(HELLO)]).await;
    assert_eq!((completion.sends, completion.billed.len()), (2, 1));
    let failure = expect_failure(completion.outcome);
    assert_eq!(failure.kind, FailureKind::Unreadable);
    assert!(failure.message.ends_with("bored"), "{}", failure.message);
}

/// X8: an error with status 200 is an error like any other.
#[tokio::test]
async fn transient_errors_with_status_200_are_retried() {
    let slow = reply(r#"{"error":{"code":429,"message":"slow down"}}"#);
    let completion = completed(vec![slow.clone(), reply(HELLO)]).await;
    assert_eq!((completion.sends, completion.unclear), (2, 0));
    assert!(completion.billed.is_empty());
    assert_eq!(expect_answer(completion.outcome).text, "Hello");
    let completion = completed(vec![slow.clone(), slow.clone(), slow]).await;
    assert_eq!(completion.sends, 3);
    let failed = expect_failure(completion.outcome);
    assert_eq!(
        (failed.kind, failed.message.as_str()),
        (FailureKind::Provider, "slow down (HTTP 429)")
    );
    let wrong = reply(r#"{"error":{"code":400,"message":"no such option"}}"#);
    let completion = completed(vec![wrong]).await;
    assert_eq!(completion.sends, 1);
    assert_eq!(
        expect_failure(completion.outcome).kind,
        FailureKind::Invalid
    );
}

/// X8: a reported usage was billed; without one, the cost is unclear.
#[tokio::test]
async fn an_ending_with_an_error_is_retried_and_its_cost_counted() {
    let completion = completed(vec![ended("error"), reply(HELLO)]).await;
    assert_eq!((completion.sends, completion.unclear), (2, 0));
    assert_eq!(completion.billed[0].usage.output_tokens, 2);
    let failed = reply(r#"{"error":{"code":"502","message":"upstream went away"}}"#);
    let completion = completed(vec![failed, reply(HELLO)]).await;
    assert_eq!((completion.sends, completion.unclear), (2, 1));
}
