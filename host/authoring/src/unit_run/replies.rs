//! A model that gives the author's replies.

use std::sync::mpsc;

use serde_json::Map;

use synix_core::request::{Answer, Ending, GuestRequest, Usage};
use synix_sandbox::{Model, ModelResponse};

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

impl Model for ReplyModel {
    fn complete(&mut self, asked: Vec<GuestRequest>) -> ModelResponse {
        let mut answers = Vec::with_capacity(asked.len());
        let count = asked.len();
        for ask in asked {
            let answer = self.replies.get(self.count).map(str::to_owned);
            answers.extend(answer.clone().map(|text| Answer {
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
                answer,
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
