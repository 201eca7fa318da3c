use serde_json::json;

use super::*;

fn replied(status: u16, code: &str, wait: Option<Duration>) -> ProviderError {
    let body = json!({"error": {"code": code, "message": "m"}});
    ProviderError::Replied {
        provider: "p".to_owned(),
        reply: Box::new(ErrorReply {
            wait,
            ..ErrorReply::from_json(status, &body)
        }),
    }
}

#[test]
fn only_transient_errors_are_retried() {
    for status in [408, 409, 429, 500, 502, 503, 504, 529] {
        assert_eq!(
            replied(status, "x", None).retry(),
            RetryAdvice::Backoff,
            "{status}"
        );
    }
    for status in [301, 400, 401, 402, 403, 404, 413, 422] {
        assert_eq!(
            replied(status, "x", None).retry(),
            RetryAdvice::Never,
            "{status}"
        );
    }
}

/// L18
#[test]
fn an_account_without_credit_is_never_retried() {
    let wait = Some(Duration::from_secs(1));
    let error = replied(429, "insufficient_quota", wait);
    assert_eq!(error.retry(), RetryAdvice::Never);
}

#[test]
fn a_requested_wait_is_observed_up_to_two_minutes() {
    let asked = |seconds| replied(429, "x", Some(Duration::from_secs(seconds))).retry();
    assert_eq!(asked(0), RetryAdvice::Backoff);
    assert_eq!(asked(120), RetryAdvice::After(Duration::from_secs(120)));
    assert_eq!(asked(121), RetryAdvice::Never);
}

#[test]
fn the_header_x_should_retry_is_observed() {
    let reply = ErrorReply {
        should_retry: Some(false),
        ..ErrorReply::from_json(503, &json!({}))
    };
    let error = ProviderError::Replied {
        provider: "p".to_owned(),
        reply: Box::new(reply),
    };
    assert_eq!(error.retry(), RetryAdvice::Never);
}

/// M1: a batch counts as refused only if the error proves it.
#[test]
fn a_create_is_refused_only_by_a_reply_that_proves_it() {
    for status in [400, 401, 403, 404, 409, 413, 429] {
        let error = CreateError::from(replied(status, "x", None));
        assert!(matches!(error, CreateError::Refused(_)), "{status}");
    }
    for status in [408, 500, 502, 503, 504, 529] {
        let error = CreateError::from(replied(status, "x", None));
        assert!(matches!(error, CreateError::Unclear(_)), "{status}");
    }
}
