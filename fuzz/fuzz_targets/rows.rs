//! What providers send: rows of a batch's files and the bodies of errors. The first byte says which.

#![no_main]

use libfuzzer_sys::fuzz_target;
use synix::llm::{ErrorReply, read_row};
use synix::request::{Outcome, Wire};

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
            let reply = ErrorReply::of_body(u16::from(other) * 3, rest);
            let _ = reply.class();
            return assert!(reply.message.len() <= LONGEST);
        }
    };
    let row = read_row(wire, &String::from_utf8_lossy(rest));
    match row.outcome {
        Ok(Outcome::Answered(answer)) => assert!(!answer.text.is_empty()),
        Ok(Outcome::Failed(failure)) => assert!(failure.message.len() <= LONGEST),
        Err(garbled) => assert!(garbled.start.len() <= LONGEST),
    }
});
