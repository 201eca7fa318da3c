//! A model whose every answer is known beforehand.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::sample;
use synix_core::digest::Digest;
use synix_core::request::{Answer, Ask, Ending, Usage};
use synix_sandbox::{Model, Refusal, Verdict};

/// Tokens of every answer but the one without a count.
const USAGE: Usage = Usage {
    input_tokens: 120,
    output_tokens: 30,
    cached_tokens: 0,
    cache_write_tokens: 0,
    reasoning_tokens: 0,
    uncounted: false,
};

/// What the model answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Two lines that name the question, or JSON where the question asks for it.
    Plain,
    /// An object that fits the question's response format, else a small one.
    Json,
    /// Always this.
    Fixed(&'static str),
    /// So many bytes.
    Long(usize),
    /// So many lines, two and two alike.
    Lines(usize),
    /// Lists in lists, so deep.
    Nested(usize),
    /// An ordinary one that reached the limit of tokens.
    Truncated,
    /// An ordinary one of a provider that counts no tokens.
    Uncounted,
    /// An ordinary one with more than its text.
    Detailed,
}

impl Style {
    /// Returns the text; `given` is what the user has the model say in the ordinary way.
    fn text(self, ask: &Ask, given: Option<&str>) -> String {
        match (self, given) {
            (Self::Plain | Self::Uncounted | Self::Detailed, Some(given)) => {
                return given.to_owned();
            }
            (Self::Truncated, Some(given)) => {
                return given
                    .chars()
                    .take(given.chars().count().div_ceil(2))
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

    /// Tells whether a plugin that repeats it says much.
    pub(super) const fn is_long(self) -> bool {
        matches!(self, Self::Long(_) | Self::Lines(_) | Self::Nested(_))
    }

    fn answer(self, ask: &Ask, given: Option<&str>) -> Answer {
        Answer {
            text: self.text(ask, given),
            ending: if self == Self::Truncated {
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

/// Returns the schema within a response format: OpenAI's form wraps it.
pub(super) fn schema_of(format: &Value) -> &Value {
    format.pointer("/json_schema/schema").unwrap_or(format)
}

/// Which questions are not answered in the ordinary way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// All of them.
    Everywhere,
    /// Those of one round.
    Round(usize),
    /// The last one of one round.
    LastOf(usize),
}

impl Place {
    fn holds(self, round: usize, is_last: bool) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Round(one) => one == round,
            Self::LastOf(one) => one == round && is_last,
        }
    }
}

/// A model that answers the first rounds and notes every question.
pub(super) struct Script {
    style: Style,
    odd: Option<(Style, Place)>,
    /// Rounds that it answers.
    known: usize,
    /// A refusal and the only round that gets it.
    refusal: Option<(Refusal, usize)>,
    /// What the user has it say, one text for each question; the last for all that follow.
    pub(super) replies: Arc<[String]>,
    /// The questions that got one of the replies, in their order: the same question gets the same again.
    replied: Vec<Ask>,
    pub(super) rounds: Vec<Vec<Ask>>,
}

impl Script {
    pub(super) fn all(style: Style) -> Self {
        Self::first(style, usize::MAX)
    }

    pub(super) fn first(style: Style, known: usize) -> Self {
        Self {
            style,
            odd: None,
            known,
            refusal: None,
            replies: Arc::default(),
            replied: Vec::new(),
            rounds: Vec::new(),
        }
    }

    pub(super) fn with_odd(style: Style, odd: Style, place: Place) -> Self {
        Self {
            odd: Some((odd, place)),
            ..Self::all(style)
        }
    }

    pub(super) fn refusing(style: Style, refusal: Refusal, round: usize) -> Self {
        Self {
            refusal: Some((refusal, round)),
            ..Self::all(style)
        }
    }
}

impl Script {
    fn given(&mut self, ask: &Ask) -> Option<String> {
        let last = self.replies.len().checked_sub(1)?;
        let before = self.replied.iter().position(|other| other == ask);
        let position = before.unwrap_or_else(|| {
            self.replied.push(ask.clone());
            self.replied.len() - 1
        });
        self.replies.get(position.min(last)).cloned()
    }
}

impl Model for Script {
    fn complete(&mut self, asked: Vec<Ask>) -> Verdict {
        let round = self.rounds.len();
        let given: Vec<Option<String>> = asked.iter().map(|ask| self.given(ask)).collect();
        let answer = |(position, ask): (usize, &Ask)| {
            let is_last = position + 1 == asked.len();
            let odd = self.odd.filter(|(_, place)| place.holds(round, is_last));
            let given = given.get(position).and_then(Option::as_deref);
            odd.map_or(self.style, |(odd, _)| odd).answer(ask, given)
        };
        let verdict = match &self.refusal {
            Some((refusal, refused)) if *refused == round => Verdict::Refused(refusal.clone()),
            _ if round < self.known => {
                Verdict::Answered(asked.iter().enumerate().map(answer).collect())
            }
            _ => Verdict::Suspend,
        };
        self.rounds.push(asked);
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(verdict: Verdict) -> Vec<String> {
        match verdict {
            Verdict::Answered(answers) => answers.into_iter().map(|one| one.text).collect(),
            Verdict::Suspend | Verdict::Refused(_) => Vec::new(),
        }
    }

    #[test]
    fn an_odd_answer_stands_where_it_was_put_and_nowhere_else() {
        let odd = Style::Fixed("odd");
        let mut model = Script::with_odd(Style::Fixed("even"), odd, Place::LastOf(1));
        assert_eq!(
            texts(model.complete(vec![Ask::user("a"), Ask::user("b")])),
            ["even", "even"]
        );
        assert_eq!(
            texts(model.complete(vec![Ask::user("a"), Ask::user("b")])),
            ["even", "odd"]
        );
        assert_eq!(texts(model.complete(vec![Ask::user("a")])), ["even"]);
    }

    #[test]
    fn the_users_replies_come_in_order_and_stay_with_their_questions() {
        let mut model = Script::all(Style::Plain);
        model.replies = Arc::from(["one".to_owned(), "two".to_owned()]);
        assert_eq!(
            texts(model.complete(vec![Ask::user("a"), Ask::user("b")])),
            ["one", "two"]
        );
        assert_eq!(texts(model.complete(vec![Ask::user("c")])), ["two"]);
        assert_eq!(texts(model.complete(vec![Ask::user("a")])), ["one"]);
        let mut odd = Script::with_odd(Style::Plain, Style::Fixed("odd"), Place::Everywhere);
        odd.replies = Arc::from(["one".to_owned()]);
        assert_eq!(texts(odd.complete(vec![Ask::user("a")])), ["odd"]);
    }

    #[test]
    fn one_round_is_refused_and_the_others_are_answered() {
        let refusal = Refusal::UnknownRole("x".to_owned());
        let mut model = Script::refusing(Style::Plain, refusal, 1);
        assert!(matches!(
            model.complete(vec![Ask::user("a")]),
            Verdict::Answered(_)
        ));
        assert!(matches!(
            model.complete(vec![Ask::user("a")]),
            Verdict::Refused(_)
        ));
        assert!(matches!(
            model.complete(vec![Ask::user("a")]),
            Verdict::Answered(_)
        ));
    }
}
