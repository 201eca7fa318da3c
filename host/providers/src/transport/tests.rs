use super::*;
use crate::testing::{Server, provider_with, request, with_headers};
use synix_core::request::Wire;

async fn pauses_after(reply: Vec<u8>, backoff: Duration) -> bool {
    let server = Server::start(vec![reply]);
    let http = HttpSettings {
        retries: 0,
        backoff,
        timeout: Duration::from_secs(20),
    };
    let provider = provider_with(&server, Wire::OpenAi, http);
    provider.complete(&request(Wire::OpenAi, "Hi")).await;
    provider.transport.limiter.paused_until().is_some()
}

#[tokio::test]
async fn a_reply_of_too_many_requests_delays_all_requests() {
    let wait = "retry-after: 60\r\n";
    let second = Duration::from_secs(1);
    assert!(pauses_after(with_headers(429, wait, "{}"), second).await);
    assert!(pauses_after(with_headers(529, wait, "{}"), second).await);
    assert!(!pauses_after(with_headers(500, "", "{}"), second).await);
}

#[tokio::test]
async fn an_exhausted_limit_delays_all_requests() {
    let limits = "x-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: 1m0s\r\n";
    let reply = || with_headers(200, limits, "{}");
    assert!(pauses_after(reply(), Duration::from_secs(1)).await);
    assert!(!pauses_after(reply(), Duration::ZERO).await);
}
