//! A model whose answers are known in advance, and which records every question.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::sample;
use synix_core::digest::Digest;
use synix_core::request::{Answer, Ending, GuestRequest, Usage, Vector};
use synix_sandbox::{Model, ModelResponse, Refusal};

/// The usage of every answer, except one without counts.
const USAGE: Usage = Usage {
    input_tokens: 120,
    output_tokens: 30,
    cached_tokens: 0,
    cache_write_tokens: 0,
    reasoning_tokens: 0,
    uncounted: false,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnswerStyle {
    /// Two lines with a digest of the question, or JSON if the question asks for it.
    Plain,
    /// An object that is valid in the response format of the question, or a small one.
    Json,
    /// Always this text.
    Fixed(&'static str),
    /// A text of this many bytes.
    Long(usize),
    /// A text of this many lines, in equal pairs.
    Lines(usize),
    /// Lists that are nested this deep.
    Nested(usize),
    /// An ordinary answer that reached the token limit.
    Truncated,
    /// An ordinary answer of a provider that does not count tokens.
    Uncounted,
    /// An ordinary answer with additional details.
    Detailed,
}

impl AnswerStyle {
    /// Returns the text of an answer; `reply` is the user's reply to an ordinary question.
    fn text(self, ask: &GuestRequest, reply: Option<&str>) -> String {
        if ask.is_embedding {
            return vector_of(ask);
        }
        match (self, reply) {
            (Self::Plain | Self::Uncounted | Self::Detailed, Some(reply)) => {
                return reply.to_owned();
            }
            (Self::Truncated, Some(reply)) => {
                return reply
                    .chars()
                    .take(reply.chars().count().div_ceil(2))
                    .collect();
            }
            (_, _) => {}
        }
        let format = ask
            .response_format
            .as_ref()
            .map(|format| sample::value(schema_of(format)).to_string());
        match (self, format) {
            (Self::Fixed(text), _) => text.to_owned(),
            (Self::Long(bytes), _) => "An answer of many words. ".repeat(bytes / 25),
            (Self::Lines(lines), _) => {
                let line = |number: usize| format!("- Line {}\n", number / 2);
                (0..lines).map(line).collect()
            }
            (Self::Nested(depth), _) => format!("{}{}", "[".repeat(depth), "]".repeat(depth)),
            (Self::Truncated, Some(json)) => json.chars().take(json.len() / 2).collect(),
            (Self::Plain | Self::Json | Self::Uncounted | Self::Detailed, Some(json)) => json,
            (Self::Plain | Self::Truncated | Self::Uncounted | Self::Detailed, None) => {
                let question = Digest::of(format!("{ask:?}").as_bytes()).short();
                format!("First {question}\nSecond {question}")
            }
            (Self::Json, None) => r#"{"name": "sample", "items": ["one", "two"]}"#.to_owned(),
        }
    }

    /// Returns whether a message that quotes the answer is long.
    pub(super) const fn is_long(self) -> bool {
        matches!(self, Self::Long(_) | Self::Lines(_) | Self::Nested(_))
    }

    fn answer(self, ask: &GuestRequest, reply: Option<&str>) -> Answer {
        Answer {
            text: self.text(ask, reply),
            ending: if self == Self::Truncated && !ask.is_embedding {
                Ending::Truncated
            } else {
                Ending::Complete
            },
            model: "scripted".to_owned(),
            usage: if self == Self::Uncounted {
                Usage::default()
            } else {
                USAGE
            },
            details: if self == Self::Detailed {
                Map::from_iter([
                    ("finish_reason".to_owned(), Value::from("stop")),
                    ("logprobs".to_owned(), Value::Null),
                ])
            } else {
                Map::new()
            },
        }
    }
}

/// Returns the text of a vector that follows from the question. Its bytes are small numbers, so it is a vector for
/// every question.
fn vector_of(ask: &GuestRequest) -> String {
    let digest = Digest::of(format!("{ask:?}").as_bytes());
    let numbers = digest
        .as_bytes()
        .iter()
        .take(8)
        .map(|byte| f32::from(*byte));
    Vector::new(numbers.map(|number| (number - 127.5) / 128.0).collect())
        .map(|vector| vector.to_base64())
        .unwrap_or_default()
}

/// Returns the schema of a response format, which OpenAI's form wraps.
pub(super) fn schema_of(format: &Value) -> &Value {
    format.pointer("/json_schema/schema").unwrap_or(format)
}

/// Which questions get an unusual answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnswerPosition {
    /// All of them.
    Everywhere,
    /// Those of one round.
    Round(usize),
    /// The last one of one round.
    LastOf(usize),
}

impl AnswerPosition {
    fn matches(self, round: usize, is_last: bool) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Round(one) => one == round,
            Self::LastOf(one) => one == round && is_last,
        }
    }
}

pub(super) struct ScriptedModel {
    style: AnswerStyle,
    unusual: Option<(AnswerStyle, AnswerPosition)>,
    /// The number of rounds that it answers.
    answered_rounds: usize,
    /// A refusal, and the only round that gets it.
    refusal: Option<(Refusal, usize)>,
    /// The user's replies, one for each question. The last one answers all later questions.
    pub(super) replies: Arc<[String]>,
    /// The questions that got a reply, in order. The same question gets the same reply again.
    replied: Vec<GuestRequest>,
    pub(super) rounds: Vec<Vec<GuestRequest>>,
}

impl ScriptedModel {
    pub(super) fn answering_all(style: AnswerStyle) -> Self {
        Self::answering_first(style, usize::MAX)
    }

    pub(super) fn answering_first(style: AnswerStyle, answered_rounds: usize) -> Self {
        Self {
            style,
            unusual: None,
            answered_rounds,
            refusal: None,
            replies: Arc::default(),
            replied: Vec::new(),
            rounds: Vec::new(),
        }
    }

    pub(super) fn with_unusual_answer(
        style: AnswerStyle,
        unusual: AnswerStyle,
        position: AnswerPosition,
    ) -> Self {
        Self {
            unusual: Some((unusual, position)),
            ..Self::answering_all(style)
        }
    }

    pub(super) fn refusing(style: AnswerStyle, refusal: Refusal, round: usize) -> Self {
        Self {
            refusal: Some((refusal, round)),
            ..Self::answering_all(style)
        }
    }
}

impl ScriptedModel {
    fn reply_to(&mut self, ask: &GuestRequest) -> Option<String> {
        let last = self.replies.len().checked_sub(1)?;
        let earlier = self.replied.iter().position(|other| other == ask);
        let position = earlier.unwrap_or_else(|| {
            self.replied.push(ask.clone());
            self.replied.len() - 1
        });
        self.replies.get(position.min(last)).cloned()
    }
}

impl Model for ScriptedModel {
    fn complete(&mut self, asked: Vec<GuestRequest>) -> ModelResponse {
        let round = self.rounds.len();
        let replies: Vec<Option<String>> = asked.iter().map(|ask| self.reply_to(ask)).collect();
        let answer = |(position, ask): (usize, &GuestRequest)| {
            let is_last = position + 1 == asked.len();
            let unusual = self.unusual.filter(|(_, at)| at.matches(round, is_last));
            let reply = replies.get(position).and_then(Option::as_deref);
            let style = unusual.map_or(self.style, |(style, _)| style);
            style.answer(ask, reply)
        };
        let verdict = match &self.refusal {
            Some((refusal, refused)) if *refused == round => {
                ModelResponse::Refused(refusal.clone())
            }
            _ if round < self.answered_rounds => {
                ModelResponse::Answered(asked.iter().enumerate().map(answer).collect())
            }
            _ => ModelResponse::Suspend,
        };
        self.rounds.push(asked);
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(verdict: ModelResponse) -> Vec<String> {
        match verdict {
            ModelResponse::Answered(answers) => answers.into_iter().map(|one| one.text).collect(),
            ModelResponse::Suspend | ModelResponse::Refused(_) => Vec::new(),
        }
    }

    #[test]
    fn an_unusual_answer_is_given_only_at_its_position() {
        let unusual = AnswerStyle::Fixed("odd");
        let mut model = ScriptedModel::with_unusual_answer(
            AnswerStyle::Fixed("even"),
            unusual,
            AnswerPosition::LastOf(1),
        );
        assert_eq!(
            texts(model.complete(vec![GuestRequest::user("a"), GuestRequest::user("b")])),
            ["even", "even"]
        );
        assert_eq!(
            texts(model.complete(vec![GuestRequest::user("a"), GuestRequest::user("b")])),
            ["even", "odd"]
        );
        assert_eq!(
            texts(model.complete(vec![GuestRequest::user("a")])),
            ["even"]
        );
    }

    #[test]
    fn replies_are_given_in_order_and_repeated_for_the_same_question() {
        let mut model = ScriptedModel::answering_all(AnswerStyle::Plain);
        model.replies = Arc::from(["one".to_owned(), "two".to_owned()]);
        assert_eq!(
            texts(model.complete(vec![GuestRequest::user("a"), GuestRequest::user("b")])),
            ["one", "two"]
        );
        assert_eq!(
            texts(model.complete(vec![GuestRequest::user("c")])),
            ["two"]
        );
        assert_eq!(
            texts(model.complete(vec![GuestRequest::user("a")])),
            ["one"]
        );
        let mut unusual = ScriptedModel::with_unusual_answer(
            AnswerStyle::Plain,
            AnswerStyle::Fixed("odd"),
            AnswerPosition::Everywhere,
        );
        unusual.replies = Arc::from(["one".to_owned()]);
        assert_eq!(
            texts(unusual.complete(vec![GuestRequest::user("a")])),
            ["odd"]
        );
    }

    #[test]
    fn only_one_round_is_refused() {
        let refusal = Refusal::UnknownRole("x".to_owned());
        let mut model = ScriptedModel::refusing(AnswerStyle::Plain, refusal, 1);
        let mut ask = || model.complete(vec![GuestRequest::user("a")]);
        assert!(matches!(ask(), ModelResponse::Answered(_)));
        assert!(matches!(ask(), ModelResponse::Refused(_)));
        assert!(matches!(ask(), ModelResponse::Answered(_)));
    }
}
