//! A model that gives the author's replies.

use std::sync::mpsc;

use serde_json::Map;

use synix_answers::{AnswerFormat, Fit, required_format};
use synix_core::causes::with_causes;
use synix_core::request::{Answer, Ending, GuestRequest, Usage, Vector};
use synix_sandbox::{Model, ModelResponse, Refusal};

use super::record::Exchange;

/// The model's answers, which the author gives.
#[derive(Debug, Clone)]
pub enum Replies {
    /// No answers: the run is suspended at the first question.
    None,
    /// The same answer to every question.
    Always(String),
    /// These answers in order. The run is suspended after the last one.
    InOrder(Vec<String>),
}

impl Replies {
    fn get(&self, position: usize) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Always(text) => Some(text),
            Self::InOrder(texts) => texts.get(position).map(String::as_str),
        }
    }
}

/// A model that gives the author's replies.
pub(super) struct ReplyModel {
    replies: Replies,
    /// The number of questions so far.
    count: usize,
    sender: mpsc::Sender<Exchange>,
}

impl ReplyModel {
    /// Sends each question with its reply to `sender`.
    pub(super) const fn new(replies: Replies, sender: mpsc::Sender<Exchange>) -> Self {
        Self {
            replies,
            count: 0,
            sender,
        }
    }
}

/// Returns the text of an answer. The author writes a vector as a JSON list of numbers.
fn text_of(ask: &GuestRequest, reply: &str) -> Result<String, Refusal> {
    if !ask.is_embedding {
        return json_of(ask, reply).map(str::to_owned);
    }
    let numbers: Option<Vec<f32>> = serde_json::from_str(reply).ok();
    let vector = numbers.and_then(|numbers| Vector::new(numbers).ok());
    vector.map(|vector| vector.to_base64()).ok_or_else(|| {
        Refusal::InvalidRequest(
            "the reply to an embedding must be a JSON list of numbers, such as [0.5, -0.25]"
                .to_owned(),
        )
    })
}

/// Returns the part of a reply that a build would pass to the plugin. A build asks again if there is none.
fn json_of<'r>(ask: &GuestRequest, reply: &'r str) -> Result<&'r str, Refusal> {
    let Some(schema) = required_format(&ask.messages, ask.response_format.as_ref()) else {
        return Ok(reply);
    };
    let format = AnswerFormat::compile(schema.clone()).map_err(|error| {
        Refusal::InvalidRequest(format!("response-format: {}", with_causes(&error)))
    })?;
    match format.fit(reply) {
        Ok(Fit::Json(json)) => Ok(json),
        Ok(Fit::Unfit(unfit)) => Err(Refusal::InvalidRequest(format!(
            "the reply does not match the response format: {unfit}"
        ))),
        Err(limit) => Err(Refusal::OverLimit(limit.to_string())),
    }
}

impl Model for ReplyModel {
    fn complete(&mut self, asked: Vec<GuestRequest>) -> ModelResponse {
        let mut answers = Vec::with_capacity(asked.len());
        let count = asked.len();
        for ask in asked {
            let reply = self.replies.get(self.count);
            let answer = match reply.map(|reply| text_of(&ask, reply)).transpose() {
                Ok(answer) => answer,
                Err(refusal) => return ModelResponse::Refused(refusal),
            };
            // The record has the vector of an embedding, and any other reply as the author gave it.
            let shown = if ask.is_embedding {
                answer.clone()
            } else {
                reply.map(str::to_owned)
            };
            answers.extend(answer.map(|text| Answer {
                text,
                ending: Ending::Complete,
                model: "scripted".to_owned(),
                usage: Usage::default(),
                details: Map::new(),
            }));
            let exchange = Exchange {
                messages: ask.messages,
                max_tokens: ask.max_tokens,
                temperature: ask.temperature,
                stop: ask.stop,
                response_format: ask.response_format,
                model: ask.model,
                sample: ask.sample,
                options: ask.options,
                answer: shown,
            };
            self.count += 1;
            // The receiver lives until the run has ended.
            let _ = self.sender.send(exchange);
        }
        if answers.len() == count {
            ModelResponse::Answered(answers)
        } else {
            ModelResponse::Suspend
        }
    }
}
