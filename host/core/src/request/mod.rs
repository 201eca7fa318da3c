//! What is asked of a model and what it answers, whoever asks and answers.
//!
//! A guest's [`Ask`] becomes a [`Request`] when its model role is known. The
//! serialised request is the document that the store and a cassette keep and
//! that [`RequestKey`] is the digest of.

mod key;
mod options;
mod outcome;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use key::RequestKey;
pub use options::is_sampling_option;
pub use outcome::{Answer, Ending, Failure, FailureKind, Outcome, Settlement, Usage};

/// The format in which a provider is spoken to.
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
    /// OpenAI's chat completions, and servers compatible with them.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
}

impl Wire {
    /// Returns the name used in the pipeline file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
        }
    }
}

/// Whose batch API a server has that speaks OpenAI's format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BatchApi {
    /// OpenAI's.
    #[default]
    OpenAi,
    /// Azure OpenAI's.
    Azure,
    /// Groq's.
    Groq,
    /// Together's.
    Together,
    /// Mistral's.
    Mistral,
}

/// Who speaks in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions for the whole conversation.
    System,
    /// The one who asks.
    User,
    /// The model.
    Assistant,
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Text, byte for byte as the guest gave it.
    Text(String),
    /// A picture.
    Image {
        /// Media type such as `image/png`.
        media_type: String,
        /// The bytes, in base64 (RFC 4648, with padding).
        data: String,
    },
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// At least one.
    pub parts: Vec<Part>,
}

/// A question as a guest asks it, before its model role is resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The conversation.
    pub messages: Vec<Message>,
    /// The longest answer in tokens; `None`: the role's setting.
    pub max_tokens: Option<u32>,
    /// 0 to 2; `None`: the role's setting.
    pub temperature: Option<f64>,
    /// The answer ends before any of these.
    pub stop: Vec<String>,
    /// A JSON Schema that the answer must match.
    pub response_format: Option<Value>,
    /// The model role; `None`: the layer's.
    pub model: Option<String>,
    /// 0 for the first draw.
    pub sample: u32,
    /// Merged into the provider's request body.
    pub options: Map<String, Value>,
}

impl Ask {
    /// Returns a question of one user text with nothing else set.
    pub fn user(text: &str) -> Self {
        Self {
            messages: vec![Message {
                role: Role::User,
                parts: vec![Part::Text(text.to_owned())],
            }],
            max_tokens: None,
            temperature: None,
            stop: Vec::new(),
            response_format: None,
            model: None,
            sample: 0,
            options: Map::new(),
        }
    }
}

/// A question to one model of one provider, with every default filled in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The format it is sent in.
    pub wire: Wire,
    /// The provider's name in the pipeline file.
    pub provider: String,
    /// The model's name at the provider.
    pub model: String,
    /// The conversation.
    pub messages: Vec<Message>,
    /// The longest answer in tokens; `None`: the provider's own limit.
    pub max_tokens: Option<u32>,
    /// 0 to 2; `None`: the provider's default.
    pub temperature: Option<f64>,
    /// The answer ends before any of these.
    pub stop: Vec<String>,
    /// A JSON Schema that the answer must match.
    pub response_format: Option<Value>,
    /// Merged into the provider's request body.
    pub options: Map<String, Value>,
    /// 0 for the first draw.
    pub sample: u32,
    /// The layer's `revision`; empty unless the pipeline sets one.
    pub revision: String,
}
