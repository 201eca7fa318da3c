//! Requests to a model.
//!
//! The host decides which model answers, when, and at what price. A call whose answer is not known yet does not return:
//! the transform runs again from its start when the answer has arrived.

pub use crate::bindings::synix::plugin::llm::{
    Ending, LlmError, Message, OtherPart, Part, Request, Response, Role, Usage,
};
use crate::{Blob, Error, OtherError};

/// Sends one request.
pub fn complete(request: &Request) -> Result<Response, LlmError> {
    #[cfg(target_arch = "wasm32")]
    return crate::bindings::synix::plugin::llm::complete(request);
    #[cfg(not(target_arch = "wasm32"))]
    crate::testing::answer(request)
}

/// Sends requests that do not depend on each other in one round; the answers have the same order.
pub fn complete_all(requests: &[Request]) -> Result<Vec<Response>, LlmError> {
    #[cfg(target_arch = "wasm32")]
    return crate::bindings::synix::plugin::llm::complete_all(requests);
    #[cfg(not(target_arch = "wasm32"))]
    requests.iter().map(crate::testing::answer).collect()
}

impl Request {
    /// Returns a request with the user message `text`; the model role of the layer has the other settings.
    pub fn user(text: impl Into<String>) -> Self {
        Self {
            messages: vec![Message::text(Role::User, text.into())],
            max_tokens: None,
            temperature: None,
            stop: Vec::new(),
            response_format: None,
            model: None,
            sample: 0,
            options: None,
        }
    }

    /// Inserts instructions for the whole conversation at the start.
    #[must_use]
    pub fn system(mut self, text: impl Into<String>) -> Self {
        self.messages
            .insert(0, Message::text(Role::System, text.into()));
        self
    }

    /// Adds an answer of the model.
    #[must_use]
    pub fn assistant(mut self, text: impl Into<String>) -> Self {
        self.messages
            .push(Message::text(Role::Assistant, text.into()));
        self
    }

    /// Adds a further question.
    #[must_use]
    pub fn then_user(mut self, text: impl Into<String>) -> Self {
        self.messages.push(Message::text(Role::User, text.into()));
        self
    }

    /// Adds a picture to the last message.
    #[must_use]
    pub fn image(mut self, media_type: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        let image = Part::Image(Blob {
            media_type: media_type.into(),
            data: data.into(),
        });
        if let Some(message) = self.messages.last_mut() {
            message.parts.push(image);
        }
        self
    }

    /// Limits the length of the answer in tokens.
    #[must_use]
    pub fn max_tokens(mut self, count: u32) -> Self {
        self.max_tokens = Some(count);
        self
    }

    /// Sets the sampling temperature, from 0.0 to 2.0.
    #[must_use]
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.temperature = Some(temperature);
        self
    }

    /// Ends the answer before `text`.
    #[must_use]
    pub fn stop(mut self, text: impl Into<String>) -> Self {
        self.stop.push(text.into());
        self
    }

    /// Asks for an answer that matches a JSON Schema, given as JSON text.
    #[must_use]
    pub fn response_format(mut self, schema: impl Into<String>) -> Self {
        self.response_format = Some(schema.into());
        self
    }

    /// Uses another model role of the pipeline file than that of the layer.
    #[must_use]
    pub fn model(mut self, role: impl Into<String>) -> Self {
        self.model = Some(role.into());
        self
    }

    /// Sets the number of the sample: an equal request with another number gets another answer. The first number is 0.
    #[must_use]
    pub fn sample(mut self, number: u32) -> Self {
        self.sample = number;
        self
    }

    /// Merges a JSON object, given as JSON text, into the provider's request.
    #[must_use]
    pub fn options(mut self, object: impl Into<String>) -> Self {
        self.options = Some(object.into());
        self
    }
}

impl Message {
    /// Returns a message of one text.
    pub fn text(role: Role, text: String) -> Self {
        Self {
            role,
            parts: vec![Part::Text(text)],
        }
    }
}

impl From<LlmError> for Error {
    fn from(error: LlmError) -> Self {
        let (code, message) = match error {
            LlmError::NotGranted => (
                "llm-not-granted",
                "models are not granted to this transform".to_owned(),
            ),
            LlmError::UnknownRole(role) => ("llm-unknown-role", format!("no model role `{role}`")),
            LlmError::InvalidRequest(rule) => ("llm-invalid-request", rule),
            LlmError::OverLimit(limit) => ("llm-over-limit", limit),
            LlmError::Other(other) => return Self::Other(other),
        };
        Self::Other(OtherError {
            code: code.to_owned(),
            message,
        })
    }
}
