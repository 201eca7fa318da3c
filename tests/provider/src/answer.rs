//! The model: derives an answer from a prompt, always the same one.
//!
//! `openai` and `anthropic` write the answer in their formats; [`crate::ledger`] records its cost.

use std::time::Duration;

use crate::call::Wait;
use crate::prompt::{Format, Prompt, count_words};
use crate::schema;
use crate::script::{Mode, RawReply, Reply, Rule, StatusReply, ToolCall};
use crate::script_state::ScriptState;

/// An answer of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) text: Option<String>,
    pub(crate) refusal: Option<String>,
    pub(crate) tool_calls: Vec<ToolCall>,
    /// The finish reason of OpenAI.
    pub(crate) finish: String,
    pub(crate) choices: usize,
    pub(crate) output_tokens: u64,
}

/// How the model replies to a request.
#[derive(Debug)]
pub(crate) enum ModelReply {
    /// Executed; the reply may still be corrupted.
    Answered(Answer, Corruption),
    /// Not executed; the reply is an error.
    Denied(StatusReply),
    /// Not executed: HTML from a proxy.
    Html,
    /// Not executed and not answered.
    Dropped,
    /// Not executed; the row has the status 0.
    StatusZero,
}

/// What happens to the reply of an executed request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Corruption {
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

/// Chooses the reply to a prompt from the script.
pub(crate) fn choose_reply(
    script_state: &ScriptState,
    prompt: &Prompt<'_>,
    mode: Mode,
) -> (ModelReply, Wait) {
    let rule = script_state.rule(&prompt.last_user, mode);
    let wait = rule.map_or_else(Wait::default, |rule| Wait {
        time: Duration::from_millis(rule.delay_ms),
        held: rule.held,
    });
    (apply_rule(rule, prompt), wait)
}

fn apply_rule(rule: Option<&Rule>, prompt: &Prompt<'_>) -> ModelReply {
    let Some(rule) = rule else {
        return ModelReply::Answered(generated(prompt), Corruption::None);
    };
    let corrupted = |corruption| ModelReply::Answered(generated(prompt), corruption);
    match &rule.reply {
        Reply::Made => corrupted(Corruption::None),
        Reply::Text(text) => uncorrupted(Answer::of(text.clone(), prompt)),
        Reply::Finish { reason, text } => {
            let answer = text.as_ref().map_or_else(
                || generated(prompt),
                |text| Answer::of(text.clone(), prompt),
            );
            uncorrupted(Answer {
                finish: reason.clone(),
                ..answer
            })
        }
        Reply::Refusal(text) => {
            let answer = Answer::of(text.clone(), prompt);
            uncorrupted(Answer {
                text: None,
                refusal: Some(text.clone()),
                ..answer
            })
        }
        Reply::EmptyChoices => uncorrupted(Answer {
            choices: 0,
            text: None,
            ..generated(prompt)
        }),
        Reply::NullContent => uncorrupted(Answer {
            text: None,
            ..generated(prompt)
        }),
        Reply::ToolCalls(calls) => {
            let words = calls
                .iter()
                .map(|call| count_words(&call.arguments).max(1))
                .sum();
            let finish = "tool_calls".to_owned();
            uncorrupted(Answer {
                text: None,
                tool_calls: calls.clone(),
                finish,
                output_tokens: words,
                ..generated(prompt)
            })
        }
        Reply::Status(status) => ModelReply::Denied(status.clone()),
        Reply::Html502 => ModelReply::Html,
        Reply::LoseReply => corrupted(Corruption::Lost),
        Reply::Refuse => ModelReply::Dropped,
        Reply::Truncate { drop } => corrupted(Corruption::Truncated(*drop)),
        Reply::Garbled => corrupted(Corruption::Garbled),
        Reply::MissingRow => corrupted(Corruption::RowMissing),
        Reply::DuplicateRow => corrupted(Corruption::RowTwice),
        Reply::UnknownRow => corrupted(Corruption::RowUnknown),
        Reply::StatusZero => ModelReply::StatusZero,
        Reply::EmptyBody => corrupted(Corruption::Emptied),
        Reply::Raw(raw) => corrupted(Corruption::Raw(raw.clone())),
    }
}

fn uncorrupted(answer: Answer) -> ModelReply {
    ModelReply::Answered(answer, Corruption::None)
}

/// Generates the answer to a request without a rule.
pub(crate) fn generated(prompt: &Prompt<'_>) -> Answer {
    let text = generated_text(prompt);
    let text = match prompt.format {
        Format::Text => text,
        Format::Object => serde_json::json!({ "answer": text }).to_string(),
        Format::Schema(schema) => schema::value_for(schema, &text).to_string(),
    };
    let words = count_words(&text);
    match prompt.max_tokens.filter(|limit| words > *limit) {
        None => Answer::of(text, prompt),
        Some(limit) => {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let cut = text
                .split_ascii_whitespace()
                .take(limit)
                .collect::<Vec<_>>()
                .join(" ");
            Answer {
                finish: "length".to_owned(),
                ..Answer::of(cut, prompt)
            }
        }
    }
}

/// Generates a text from the digest of the question and its last words.
fn generated_text(prompt: &Prompt<'_>) -> String {
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
        generated(&Prompt::read(Wire::OpenAi, &body(extra)).unwrap())
    }

    #[test]
    fn the_same_question_gets_the_same_answer() {
        assert_eq!(answer(&json!({"user": "a"})), answer(&json!({"user": "b"})));
    }

    #[test]
    fn another_model_gives_another_answer() {
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
    fn an_answer_over_its_limit_is_truncated_with_its_finish_reason() {
        let answer = answer(&json!({"max_tokens": 3}));
        assert_eq!(
            (answer.finish.as_str(), answer.output_tokens),
            ("length", 3)
        );
    }

    #[test]
    fn an_answer_to_a_schema_matches_it() {
        let schema = json!({"type": "object", "properties": {"ok": {"type": "boolean"}}});
        let answer = answer(
            &json!({"response_format": {"type": "json_schema", "json_schema": {"schema": schema}}}),
        );
        assert_eq!(answer.text.unwrap(), r#"{"ok":true}"#);
    }
}
