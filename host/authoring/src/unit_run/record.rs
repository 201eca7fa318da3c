//! The record of a run: its questions and answers, outputs, log and fuel.

use serde::Serialize;
use serde_json::{Map, Value};

use synix_core::artifact::{Artifact, Content};
use synix_core::request::Message;
use synix_sandbox::LogLine;

/// A question and its answer.
#[derive(Debug, Serialize)]
pub struct Exchange {
    /// The messages of the question.
    pub messages: Vec<Message>,
    /// The maximum length of the answer in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// The sampling temperature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// The stop sequences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// The JSON Schema of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_format: Option<Value>,
    /// The model role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The number of the sample.
    #[serde(skip_serializing_if = "is_zero")]
    pub sample: u32,
    /// Options to merge into the provider's request.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub options: Map<String, Value>,
    /// The answer; `None` if there is none.
    pub answer: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// An output, without its bytes if it is not text.
#[derive(Debug, Serialize)]
pub struct RunOutput {
    /// Its label.
    pub label: String,
    /// Its kind.
    pub kind: String,
    /// Its media type; `None` for text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The text; `None` for bytes.
    pub content: Option<String>,
    /// Its size in bytes.
    pub bytes: usize,
    /// Its metadata.
    pub metadata: Map<String, Value>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// The unit is done.
    Done,
    /// The unit waits for an answer.
    Waiting,
    /// The unit failed.
    Failed,
}

/// The record of a run.
#[derive(Debug, Serialize)]
pub struct RunRecord {
    /// The name of the plugin.
    pub plugin: String,
    /// The key of the unit.
    pub unit: String,
    /// How it ended.
    pub status: RunStatus,
    /// The questions, in the order in which the unit asked them.
    pub requests: Vec<Exchange>,
    /// The outputs.
    pub outputs: Vec<RunOutput>,
    /// The log lines: level and text.
    pub log: Vec<(String, String)>,
    /// The fuel that it used, roughly the number of instructions.
    pub fuel: u64,
    /// The error, if it failed.
    pub error: Option<String>,
}

pub(crate) fn run_output(artifact: Artifact) -> RunOutput {
    RunOutput {
        label: artifact.label.to_string(),
        kind: artifact.kind.to_string(),
        media_type: artifact.content.media_type().map(str::to_owned),
        bytes: artifact.content.as_bytes().len(),
        content: match artifact.content {
            Content::Text(text) => Some(text),
            Content::Bytes { .. } => None,
        },
        metadata: artifact.metadata.into_iter().collect(),
    }
}

pub(crate) fn level_and_text(line: LogLine) -> (String, String) {
    (line.level.to_string(), line.message)
}
