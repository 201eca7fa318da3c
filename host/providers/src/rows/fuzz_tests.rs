//! Corrupted rows and replies, from the seeds of the fuzz target.

use proptest::prelude::*;

use super::*;
use crate::read_reply;
use crate::testing::expect_answer;
use synix_test_edits as edits;

/// The seeds of the fuzz target; the first byte selects the format.
const SEEDS: [&[u8]; 13] = [
    include_bytes!("../../../../fuzz/seeds/rows/anthropic-answer"),
    include_bytes!("../../../../fuzz/seeds/rows/anthropic-error"),
    include_bytes!("../../../../fuzz/seeds/rows/anthropic-expired"),
    include_bytes!("../../../../fuzz/seeds/rows/anthropic-stream"),
    include_bytes!("../../../../fuzz/seeds/rows/body-anthropic"),
    include_bytes!("../../../../fuzz/seeds/rows/body-openai"),
    include_bytes!("../../../../fuzz/seeds/rows/body-proxy"),
    include_bytes!("../../../../fuzz/seeds/rows/openai-answer"),
    include_bytes!("../../../../fuzz/seeds/rows/openai-error"),
    include_bytes!("../../../../fuzz/seeds/rows/openai-expired"),
    include_bytes!("../../../../fuzz/seeds/rows/openai-odd"),
    include_bytes!("../../../../fuzz/seeds/rows/openai-refused"),
    include_bytes!("../../../../fuzz/seeds/rows/openai-stream"),
];

/// The most bytes of a message: 1000 characters of the provider's, with the facts around them.
const MAX_MESSAGE_BYTES: usize = 5000;

#[test]
fn every_seed_with_a_reply_is_read() {
    let stream = include_bytes!("../../../../fuzz/seeds/rows/openai-stream");
    assert_eq!(
        expect_answer(read_reply(
            Wire::OpenAi,
            synix_core::request::RequestKind::Completion,
            &stream[1..]
        ))
        .text,
        "Hello"
    );
    let stream = include_bytes!("../../../../fuzz/seeds/rows/anthropic-stream");
    assert_eq!(
        expect_answer(read_reply(
            Wire::Anthropic,
            synix_core::request::RequestKind::Completion,
            &stream[1..]
        ))
        .text,
        "Hello"
    );
    let unusual = include_bytes!("../../../../fuzz/seeds/rows/openai-odd");
    let row = read_rows(
        Wire::OpenAi,
        synix_core::request::RequestKind::Completion,
        &unusual[1..],
    )
    .remove(0);
    let answer = expect_answer(row.outcome.unwrap());
    assert_eq!(
        (answer.text.as_str(), answer.usage.input_tokens),
        ("Hello", 3)
    );
}

proptest! {
    #[test]
    fn a_corrupted_row_is_an_answer_or_a_short_failure(edits in edits::edits(), status in 0_u16..600) {
        for seed in SEEDS {
            let bytes = edits::changed(&seed[1..], &edits);
            for wire in [Wire::OpenAi, Wire::Anthropic] {
                for row in read_rows(wire, synix_core::request::RequestKind::Completion, &bytes) {
                    match row.outcome {
                        Ok(Outcome::Answered(answer)) => prop_assert!(!answer.text.is_empty()),
                        Ok(Outcome::Failed(failure)) => prop_assert!(failure.message.len() <= MAX_MESSAGE_BYTES),
                        Err(unreadable) => prop_assert!(unreadable.to_string().len() <= MAX_MESSAGE_BYTES),
                    }
                }
            }
            for wire in [Wire::OpenAi, Wire::Anthropic] {
                match read_reply(wire, synix_core::request::RequestKind::Completion, &bytes) {
                    Outcome::Answered(answer) => prop_assert!(!answer.text.is_empty()),
                    Outcome::Failed(failure) => prop_assert!(failure.message.len() <= MAX_MESSAGE_BYTES),
                }
            }
            let reply = ErrorReply::from_body(status, &bytes);
            prop_assert!(reply.to_failure().message.len() <= MAX_MESSAGE_BYTES);
        }
    }

    #[test]
    fn no_line_makes_the_parser_panic(line in "\\PC*") {
        for wire in [Wire::OpenAi, Wire::Anthropic] {
            let _ = read_rows(wire, synix_core::request::RequestKind::Completion, line.as_bytes());
        }
    }
}
