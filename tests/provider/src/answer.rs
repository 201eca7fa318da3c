//! The model: turns a prompt into an answer, the same one every time.
//!
//! Owns what is said. How it is written down belongs to `openai` and
//! `anthropic`, what it costs to [`crate::ledger`].

use crate::playbook::Playbook;
use crate::prompt::{Format, Prompt, count_words};
use crate::schema;
use crate::script::{Mode, RawReply, Reply, Rule, StatusReply, ToolCall};

/// What the model says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) text: Option<String>,
    pub(crate) refusal: Option<String>,
    pub(crate) tool_calls: Vec<ToolCall>,
    /// The reason of the end, in OpenAI's word.
    pub(crate) finish: String,
    pub(crate) choices: usize,
    pub(crate) output_tokens: u64,
}

/// What becomes of a request.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Executed; the reply may still suffer.
    Answered(Answer, Damage),
    /// Not executed, and told so.
    Denied(StatusReply),
    /// Not executed: HTML from a proxy.
    Html,
    /// Not executed and not answered.
    Dropped,
    /// Not executed; the row says status 0.
    StatusZero,
}

/// What happens to the reply of an executed request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Damage {
    None,
    Lost,
    Truncated(usize),
    Garbled,
    RowMissing,
    RowTwice,
    RowUnknown,
    Emptied,
    Raw(RawReply),
}

/// Answers a prompt as the script wants it.
pub(crate) fn take_turn(playbook: &Playbook, prompt: &Prompt<'_>, mode: Mode) -> (Turn, u64) {
    let rule = playbook.rule(&prompt.last_user, mode);
    let delay_ms = rule.map_or(0, |rule| rule.delay_ms);
    (turn(rule, prompt), delay_ms)
}

fn turn(rule: Option<&Rule>, prompt: &Prompt<'_>) -> Turn {
    let Some(rule) = rule else {
        return Turn::Answered(made(prompt), Damage::None);
    };
    let damaged = |damage| Turn::Answered(made(prompt), damage);
    match &rule.reply {
        Reply::Made => damaged(Damage::None),
        Reply::Text(text) => whole(Answer::of(text.clone(), prompt)),
        Reply::Finish { reason, text } => {
            let answer = text
                .as_ref()
                .map_or_else(|| made(prompt), |text| Answer::of(text.clone(), prompt));
            whole(Answer {
                finish: reason.clone(),
                ..answer
            })
        }
        Reply::Refusal(words) => {
            let answer = Answer::of(words.clone(), prompt);
            whole(Answer {
                text: None,
                refusal: Some(words.clone()),
                ..answer
            })
        }
        Reply::EmptyChoices => whole(Answer {
            choices: 0,
            text: None,
            ..made(prompt)
        }),
        Reply::NullContent => whole(Answer {
            text: None,
            ..made(prompt)
        }),
        Reply::ToolCalls(calls) => {
            let words = calls
                .iter()
                .map(|call| count_words(&call.arguments).max(1))
                .sum();
            let finish = "tool_calls".to_owned();
            whole(Answer {
                text: None,
                tool_calls: calls.clone(),
                finish,
                output_tokens: words,
                ..made(prompt)
            })
        }
        Reply::Status(status) => Turn::Denied(status.clone()),
        Reply::Html502 => Turn::Html,
        Reply::LoseReply => damaged(Damage::Lost),
        Reply::Refuse => Turn::Dropped,
        Reply::Truncate { drop } => damaged(Damage::Truncated(*drop)),
        Reply::Garbled => damaged(Damage::Garbled),
        Reply::MissingRow => damaged(Damage::RowMissing),
        Reply::DuplicateRow => damaged(Damage::RowTwice),
        Reply::UnknownRow => damaged(Damage::RowUnknown),
        Reply::StatusZero => Turn::StatusZero,
        Reply::EmptyBody => damaged(Damage::Emptied),
        Reply::Raw(raw) => damaged(Damage::Raw(raw.clone())),
    }
}

fn whole(answer: Answer) -> Turn {
    Turn::Answered(answer, Damage::None)
}

/// Makes the answer of a request that no rule touches.
pub(crate) fn made(prompt: &Prompt<'_>) -> Answer {
    let text = made_text(prompt);
    let text = match prompt.format {
        Format::Text => text,
        Format::Object => serde_json::json!({ "answer": text }).to_string(),
        Format::Schema(schema) => schema::fit(schema, &text).to_string(),
    };
    let words = count_words(&text);
    match prompt.max_tokens.filter(|most| words > *most) {
        None => Answer::of(text, prompt),
        Some(most) => {
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            let cut = text
                .split_ascii_whitespace()
                .take(most)
                .collect::<Vec<_>>()
                .join(" ");
            Answer {
                finish: "length".to_owned(),
                ..Answer::of(cut, prompt)
            }
        }
    }
}

/// Says which question is answered, and the last words of it.
fn made_text(prompt: &Prompt<'_>) -> String {
    const WORDS: usize = 8;
    let mut tail: Vec<&str> = prompt
        .last_user
        .split_ascii_whitespace()
        .rev()
        .take(WORDS)
        .collect();
    tail.reverse();
    format!(
        "Answer {} to: {}",
        prompt.question.short(12),
        tail.join(" ")
    )
}

impl Answer {
    fn of(text: String, prompt: &Prompt<'_>) -> Self {
        Self {
            output_tokens: count_words(&text) * prompt.choices as u64,
            text: Some(text),
            refusal: None,
            tool_calls: Vec::new(),
            finish: "stop".to_owned(),
            choices: prompt.choices,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::endpoint::Wire;

    fn body(extra: &Value) -> Value {
        let mut body =
            json!({"model": "m", "messages": [{"role": "user", "content": "tell me about bob"}]});
        for (name, value) in extra.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    }

    fn answer(extra: &Value) -> Answer {
        made(&Prompt::read(Wire::OpenAi, &body(extra)).unwrap())
    }

    #[test]
    fn the_same_question_gets_the_same_answer() {
        assert_eq!(answer(&json!({"user": "a"})), answer(&json!({"user": "b"})));
    }

    #[test]
    fn another_model_answers_otherwise() {
        assert_ne!(answer(&json!({})).text, answer(&json!({"model": "n"})).text);
    }

    #[test]
    fn an_answer_ends_with_the_last_words_of_the_question() {
        assert!(
            answer(&json!({}))
                .text
                .unwrap()
                .ends_with("to: tell me about bob")
        );
    }

    #[test]
    fn an_answer_over_its_limit_is_cut_and_says_so() {
        let answer = answer(&json!({"max_tokens": 3}));
        assert_eq!(
            (answer.finish.as_str(), answer.output_tokens),
            ("length", 3)
        );
    }

    #[test]
    fn a_schema_is_answered_with_json_that_fits() {
        let schema = json!({"type": "object", "properties": {"ok": {"type": "boolean"}}});
        let answer = answer(
            &json!({"response_format": {"type": "json_schema", "json_schema": {"schema": schema}}}),
        );
        assert_eq!(answer.text.unwrap(), r#"{"ok":true}"#);
    }
}
