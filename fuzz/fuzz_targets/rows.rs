//! What providers send: rows of a batch's files, bodies of replies and of errors. The first byte says which.

#![no_main]

use libfuzzer_sys::fuzz_target;
use synix_core::request::{Outcome, Wire};
use synix_providers::{ErrorReply, read_reply, read_rows};

/// Nothing that a provider says fills a log or a database.
const LONGEST: usize = 5000;

fuzz_target!(|bytes: &[u8]| {
    let Some((&first, rest)) = bytes.split_first() else {
        return;
    };
    let wire = match first {
        b'o' => Wire::OpenAi,
        b'a' => Wire::Anthropic,
        other => {
            let reply = ErrorReply::from_body(u16::from(other) * 3, rest);
            let _ = reply.class();
            return assert!(reply.message.len() <= LONGEST);
        }
    };
    let check = |outcome: Outcome| match outcome {
        Outcome::Answered(answer) => assert!(!answer.text.is_empty()),
        Outcome::Failed(failure) => assert!(failure.message.len() <= LONGEST),
    };
    for row in read_rows(wire, synix_core::request::RequestKind::Completion, rest) {
        match row.outcome {
            Ok(outcome) => check(outcome),
            Err(garbled) => assert!(garbled.to_string().len() <= LONGEST),
        }
    }
    // The same bytes as the body of a sync reply.
    check(read_reply(
        wire,
        synix_core::request::RequestKind::Completion,
        rest,
    ));
});
