//! The request that asks again after an answer that does not match its schema.
//!
//! It is a pure function of the request, the answer and its problems, so it has an ordinary request key: the store, a
//! cassette and a batch treat it like any other request. A change of its words would change that key, and with it make
//! synix pay again for what was answered.

use super::Unfit;
use super::problem::shortened;
use synix_core::request::{Message, Part, Request, Role};

/// The maximum number of problems that a repair names.
pub const MAX_PROBLEMS: usize = 10;
/// The maximum number of bytes of the message that a repair adds.
pub const MAX_MESSAGE_BYTES: usize = 2000;
/// The maximum number of bytes of an answer that a repair repeats.
pub const MAX_ANSWER_BYTES: usize = 1 << 20;

const FIRST_LINE: &str = "Your answer does not match the required JSON Schema:";
const LAST_LINE: &str =
    "Answer again with the complete JSON and nothing else: no explanation and no code fence.";
/// The maximum number of characters of a line about a problem.
const MAX_LINE: usize = 300;

/// Returns the request that asks again: the conversation, the answer as it was given, and its problems.
pub fn repair(request: &Request, answer: &str, unfit: &Unfit) -> Request {
    let message = |role, text| Message {
        role,
        parts: vec![Part::Text(text)],
    };
    let mut repair = request.clone();
    repair
        .messages
        .push(message(Role::Assistant, answer.to_owned()));
    repair
        .messages
        .push(message(Role::User, message_about(unfit)));
    repair
}

fn message_about(unfit: &Unfit) -> String {
    let mut text = FIRST_LINE.to_owned();
    let all = unfit.problems.len();
    let mut named = 0;
    for problem in unfit.problems.iter().take(MAX_PROBLEMS) {
        let line = shortened(&problem.to_string().replace(['\n', '\r'], " "), MAX_LINE);
        let room = MAX_MESSAGE_BYTES - LAST_LINE.len() - 40;
        if named > 0 && text.len() + line.len() + 3 > room {
            break;
        }
        text.push_str("\n- ");
        text.push_str(&line);
        named += 1;
    }
    if all > named {
        text.push_str(&format!("\n- and {} more", all - named));
    }
    text.push('\n');
    text.push_str(LAST_LINE);
    text
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::{AnswerFormat, Fit, Problem};
    use synix_core::request::{RequestKind, Wire};

    fn request() -> Request {
        Request {
            kind: RequestKind::Completion,
            wire: Wire::OpenAi,
            provider: "openai".to_owned(),
            model: "gpt-4o-mini".to_owned(),
            messages: vec![Message {
                role: Role::User,
                parts: vec![Part::Text("Tag it.".to_owned())],
            }],
            max_tokens: Some(100),
            temperature: None,
            stop: Vec::new(),
            response_format: Some(schema()),
            options: Map::new(),
            sample: 0,
            revision: String::new(),
        }
    }

    fn schema() -> serde_json::Value {
        json!({
            "type": "object",
            "required": ["title"],
            "properties": {"tags": {"type": "array", "items": {"type": "string"}}}
        })
    }

    fn unfit(answer: &str) -> Unfit {
        let format = AnswerFormat::compile(schema()).unwrap();
        match format.fit(answer).unwrap() {
            Fit::Unfit(unfit) => unfit,
            Fit::Json(json) => panic!("{json} fits"),
        }
    }

    /// The document `replies.md` has this message. The key of a repair must never change.
    #[test]
    fn a_repair_has_the_documented_message_and_this_key() {
        let answer = "Sure: {\"tags\": [\"a\", 3]}";
        let repair = repair(&request(), answer, &unfit(answer));
        let texts: Vec<_> = repair
            .messages
            .iter()
            .map(|message| (message.role, &message.parts[..]))
            .collect();
        let text = |text: &str| vec![Part::Text(text.to_owned())];
        let expected = "Your answer does not match the required JSON Schema:\n\
            - at the top level: expected the member \"title\", found an object without it\n\
            - at /tags/1: expected string, found number 3\n\
            Answer again with the complete JSON and nothing else: no explanation and no code fence.";
        assert_eq!(
            texts,
            [
                (Role::User, &text("Tag it.")[..]),
                (Role::Assistant, &text(answer)[..]),
                (Role::User, &text(expected)[..]),
            ]
        );
        assert!(include_str!("../../../docs/replies.md").contains(expected));
        assert_eq!(repair.key().unwrap().0.short(), "af1105479882");
        assert_eq!(
            Request {
                messages: request().messages,
                ..repair
            },
            request()
        );
    }

    #[test]
    fn the_message_of_a_repair_is_short_whatever_the_answer_is() {
        let problem = |number: usize| {
            Problem::new(format!("/{}", "ä\n".repeat(number)), "x".repeat(9000), "y")
        };
        for count in [1, 10, 100] {
            let unfit = Unfit {
                problems: (0..count).map(problem).collect(),
            };
            let message = message_about(&unfit);
            assert!(message.len() <= MAX_MESSAGE_BYTES, "{}", message.len());
            assert!(message.lines().count() <= MAX_PROBLEMS + 3, "{message}");
            assert_eq!(message.contains("\n- and "), count > 1, "{message}");
        }
    }

    /// Each repair has a key of its own, even if the model repeats itself.
    #[test]
    fn the_same_answer_leads_to_another_repair() {
        let first = repair(&request(), "no", &unfit("no"));
        let second = repair(&first, "no", &unfit("no"));
        assert_ne!(first.key().unwrap(), second.key().unwrap());
    }
}
