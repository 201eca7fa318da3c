//! The requests of a round, as the plugin made them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::DocumentError;
use synix_core::digest::{Digest, Encoder};
use synix_core::request::{GuestRequest, Message, Part, Role};

/// A request of a plugin; the members are those of [`GuestRequest`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireRequest {
    /// Whether it asks for the embedding of its text.
    pub is_embedding: bool,
    /// The conversation.
    pub messages: Vec<WireMessage>,
    /// The maximum length of the answer in tokens.
    pub max_tokens: Option<u32>,
    /// The sampling temperature.
    pub temperature: Option<f64>,
    /// Sequences at which the model stops.
    pub stop: Vec<String>,
    /// The JSON Schema of the answer, as a text.
    pub response_format: Option<String>,
    /// The model role.
    pub model: Option<String>,
    /// The number of the sample.
    pub sample: u32,
    /// Members for the provider: the text of a JSON object.
    pub options: String,
}

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireMessage {
    /// The author.
    pub role: Role,
    /// The content.
    pub parts: Vec<WirePart>,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WirePart {
    /// Text.
    Text(String),
    /// A picture.
    Image {
        /// The media type.
        media_type: String,
        /// The bytes in base64 (RFC 4648, with padding).
        base64: String,
    },
}

impl WireRequest {
    /// Returns a request as it travels.
    pub fn of(request: &GuestRequest) -> Self {
        let message = |message: &Message| WireMessage {
            role: message.role,
            parts: message.parts.iter().map(WirePart::of).collect(),
        };
        Self {
            is_embedding: request.is_embedding,
            messages: request.messages.iter().map(message).collect(),
            max_tokens: request.max_tokens,
            temperature: request.temperature,
            stop: request.stop.clone(),
            response_format: request.response_format.as_ref().map(Value::to_string),
            model: request.model.clone(),
            sample: request.sample,
            options: Value::Object(request.options.clone()).to_string(),
        }
    }

    /// Returns the request. The caller checks the rules of the contract.
    pub fn into_request(self) -> Result<GuestRequest, DocumentError> {
        let message = |message: WireMessage| Message {
            role: message.role,
            parts: message.parts.into_iter().map(WirePart::into_part).collect(),
        };
        let format = self
            .response_format
            .map(|text| json("response_format", &text));
        let options: Map<String, Value> = json("options", &self.options)?;
        Ok(GuestRequest {
            is_embedding: self.is_embedding,
            messages: self.messages.into_iter().map(message).collect(),
            max_tokens: self.max_tokens,
            temperature: self.temperature,
            stop: self.stop,
            response_format: format.transpose()?,
            model: self.model,
            sample: self.sample,
            options,
        })
    }
}

impl WirePart {
    fn of(part: &Part) -> Self {
        match part {
            Part::Text(text) => Self::Text(text.clone()),
            Part::Image { media_type, data } => Self::Image {
                media_type: media_type.clone(),
                base64: data.clone(),
            },
        }
    }

    fn into_part(self) -> Part {
        match self {
            Self::Text(text) => Part::Text(text),
            Self::Image { media_type, base64 } => Part::Image {
                media_type,
                data: base64,
            },
        }
    }
}

fn json<'d, T: Deserialize<'d>>(what: &'static str, text: &'d str) -> Result<T, DocumentError> {
    serde_json::from_str(text).map_err(|source| DocumentError::Json { what, source })
}

/// Returns the digest of the requests of a round. A plugin that is deterministic makes the same ones in each run.
pub fn round_digest(requests: &[GuestRequest]) -> Digest {
    let encoder = Encoder::new("synix.round.v1").list(requests.len());
    let encoded = requests.iter().fold(encoder, |encoder, request| {
        // It has no map with other keys than texts, and no number that is not finite.
        let text = serde_json::to_string(&WireRequest::of(request)).unwrap_or_default();
        encoder.text(&text)
    });
    encoded.finish()
}
