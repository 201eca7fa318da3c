//! What a server can be asked, without the protocol.

use serde::Deserialize;
use serde_json::Value;

/// What there is to read. A call may take long, so each runs on a thread of its own.
pub trait Library: Send + Sync + 'static {
    /// Searches the artifacts. The result is the document of `synix search --json`.
    fn search(&self, arguments: &SearchArguments) -> Result<Value, LibraryError>;

    /// Returns one artifact, or a piece of its content. The result is based on the document of `synix show --json`.
    fn show(&self, arguments: &ShowArguments) -> Result<Value, LibraryError>;

    /// Returns what an artifact was made from, or what was made from it.
    fn lineage(&self, arguments: &LineageArguments) -> Result<Value, LibraryError>;

    /// Returns a page of the artifacts. The result is based on the document of `synix list --json`.
    fn list(&self, arguments: &ListArguments) -> Result<Value, LibraryError>;

    /// Returns the outputs, which are the resources of the server.
    fn outputs(&self) -> Result<Vec<Output>, LibraryError>;

    /// Returns an output by its name.
    fn read(&self, name: &str) -> Result<OutputText, LibraryError>;
}

/// Why a call has no result, for the agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LibraryError {
    /// The document that a command prints for this error with `--json`.
    pub document: Value,
    /// The message with its causes and the hint.
    pub message: String,
}

/// The arguments of `search`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchArguments {
    /// The words to look for.
    pub query: String,
    /// Only artifacts of this layer.
    pub layer: Option<String>,
    /// `words`, `meaning` or `hybrid`.
    pub mode: Option<String>,
    /// The maximum number of results.
    pub limit: Option<usize>,
}

/// The arguments of `show`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShowArguments {
    /// The label of the artifact, or its id.
    pub label: String,
    /// Its layer, if several layers have the label.
    pub layer: Option<String>,
    /// The number of characters of the content to skip.
    #[serde(default)]
    pub offset: usize,
}

/// The arguments of `lineage`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineageArguments {
    /// The label of the artifact, or its id.
    pub label: String,
    /// Its layer, if several layers have the label.
    pub layer: Option<String>,
    /// Where to go from there.
    #[serde(default)]
    pub direction: Direction,
    /// The number of steps from artifact to artifact.
    pub depth: Option<usize>,
}

/// Where the lineage of an artifact leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// To what the artifact was made from.
    #[default]
    Up,
    /// To what was made from it.
    Down,
    /// To the source files alone.
    Roots,
}

/// The arguments of `list`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListArguments {
    /// Only artifacts of this layer.
    pub layer: Option<String>,
    /// The number of artifacts to skip.
    #[serde(default)]
    pub offset: usize,
    /// The maximum number of artifacts.
    pub limit: Option<usize>,
}

/// An output of the pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its name, unique among the outputs.
    pub name: String,
    /// What it is, for people.
    pub description: String,
    /// Its media type.
    pub media_type: String,
    /// Its size in bytes, if it is known.
    pub size: Option<u64>,
}

/// An output with its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputText {
    /// Its media type.
    pub media_type: String,
    /// Its content.
    pub text: String,
}
