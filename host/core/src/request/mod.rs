//! Requests to models and their answers.
//!
//! A [`GuestRequest`] becomes a [`Request`] when its model role is resolved. The serialized request is the document that
//! the store and a cassette keep, and [`RequestKey`] is its digest. A request asks for a completion or for an
//! embedding: [`RequestKind`].

mod document;
mod key;
mod kind;
mod options;
mod outcome;
mod vector;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use key::RequestKey;
pub use kind::RequestKind;
pub use options::is_sampling_option;
pub use outcome::{Answer, Ending, Failure, FailureKind, Outcome, Usage};
pub use vector::{InvalidVector, Vector};

/// The wire format of a provider's API.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Wire {
    /// OpenAI's Chat Completions API and compatible servers.
    OpenAi,
    /// Anthropic's Messages API.
    Anthropic,
}

impl Wire {
    /// Returns the name in the pipeline file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
        }
    }
}

/// The Batch API of a server that uses OpenAI's wire format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BatchApi {
    /// OpenAI's Batch API.
    #[default]
    OpenAi,
    /// Azure OpenAI's Batch API.
    Azure,
    /// Groq's Batch API.
    Groq,
    /// Together's Batch API.
    Together,
    /// Mistral's Batch API.
    Mistral,
}

impl BatchApi {
    /// Returns whether batches can have requests for embeddings, according to the provider's documents.
    pub const fn has_embeddings(self) -> bool {
        match self {
            Self::OpenAi | Self::Mistral => true,
            Self::Azure | Self::Groq | Self::Together => false,
        }
    }
}

/// The author of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions for the whole conversation.
    System,
    /// The user.
    User,
    /// The model.
    Assistant,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Text, byte for byte as the guest passed it.
    Text(String),
    /// An image.
    Image {
        /// The media type, such as `image/png`.
        media_type: String,
        /// The bytes in base64 (RFC 4648, with padding).
        data: String,
    },
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The author.
    pub role: Role,
    /// The content; at least one part.
    pub parts: Vec<Part>,
}

/// A request as a guest makes it, before its model role is resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct GuestRequest {
    /// Whether it asks for the embedding of its text instead of a completion.
    pub is_embedding: bool,
    /// The conversation.
    pub messages: Vec<Message>,
    /// The maximum length of the answer in tokens; `None` means the role's setting.
    pub max_tokens: Option<u32>,
    /// The sampling temperature, 0 to 2; `None` means the role's setting.
    pub temperature: Option<f64>,
    /// Sequences at which the model stops.
    pub stop: Vec<String>,
    /// A JSON Schema that the answer must match.
    pub response_format: Option<Value>,
    /// The model role; `None` means the layer's role.
    pub model: Option<String>,
    /// The number of the sample, from 0.
    pub sample: u32,
    /// Members that are merged into the body of the provider's request.
    pub options: Map<String, Value>,
}

impl GuestRequest {
    /// Returns a request with one user message and no other setting.
    pub fn user(text: &str) -> Self {
        Self {
            is_embedding: false,
            messages: user_message(text.to_owned()),
            max_tokens: None,
            temperature: None,
            stop: Vec::new(),
            response_format: None,
            model: None,
            sample: 0,
            options: Map::new(),
        }
    }

    /// Returns a request for the embedding of a text.
    pub fn embedding(text: &str, model: Option<String>) -> Self {
        Self {
            is_embedding: true,
            model,
            ..Self::user(text)
        }
    }
}

/// Returns a conversation of one message with one text.
fn user_message(text: String) -> Vec<Message> {
    vec![Message {
        role: Role::User,
        parts: vec![Part::Text(text)],
    }]
}

/// A request to one model of one provider, with every default filled in.
///
/// The text of an embedding is the only part of its only message, and the settings of a completion have no value there.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What it asks for.
    pub kind: RequestKind,
    /// The wire format.
    pub wire: Wire,
    /// The provider's name in the pipeline file.
    pub provider: String,
    /// The model's name at the provider.
    pub model: String,
    /// The conversation.
    pub messages: Vec<Message>,
    /// The maximum length of the answer in tokens; `None` means the provider's limit.
    pub max_tokens: Option<u32>,
    /// The sampling temperature, 0 to 2; `None` means the provider's default.
    pub temperature: Option<f64>,
    /// Sequences at which the model stops.
    pub stop: Vec<String>,
    /// A JSON Schema that the answer must match.
    pub response_format: Option<Value>,
    /// Members that are merged into the body of the provider's request.
    pub options: Map<String, Value>,
    /// The number of the sample, from 0.
    pub sample: u32,
    /// The layer's `revision`, or an empty text.
    pub revision: String,
}

impl Request {
    /// Returns the text of a request for an embedding, and of a completion that of its first message.
    pub fn text(&self) -> &str {
        let part = self.messages.first().and_then(|first| first.parts.first());
        match part {
            Some(Part::Text(text)) => text,
            Some(Part::Image { .. }) | None => "",
        }
    }
}
