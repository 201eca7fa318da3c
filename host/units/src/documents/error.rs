//! Why a document cannot be used.

use synix_core::digest::Digest;
use synix_core::ids::InvalidName;

/// A document breaks a rule of its format.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is too large.
    #[error("{what} has {bytes} bytes; {limit} are allowed")]
    TooLarge {
        /// The document, such as `a chunk`.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// It is not JSON, or has other members than it should have.
    #[error("{what} is malformed")]
    Syntax {
        /// The document.
        what: &'static str,
        /// Where and why.
        source: serde_json::Error,
    },
    /// It has another version.
    #[error(
        "{what} has the schema {schema}, which this synix does not know; install the same version of synix on every machine"
    )]
    Schema {
        /// The document.
        what: &'static str,
        /// Its version.
        schema: u32,
    },
    /// The build has another version of synix.
    #[error(
        "the build is made by synix {build} and this worker is synix {}; install the same version of synix on every machine",
        super::VERSION
    )]
    Version {
        /// The version of the build.
        build: String,
    },
    /// A name in it breaks a rule.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A text in it that should be JSON is not.
    #[error("{what} is not the JSON that it should be")]
    Json {
        /// The text.
        what: &'static str,
        /// Where and why.
        source: serde_json::Error,
    },
    /// Bytes in it do not have the encoding that they should have.
    #[error("{what} is not {encoding}")]
    Encoding {
        /// The bytes.
        what: &'static str,
        /// The encoding.
        encoding: &'static str,
    },
    /// The content of an output is not a part of the outcome.
    #[error("the output {label:?} has no content in the outcome")]
    OutputContent {
        /// Its label.
        label: String,
    },
    /// An input does not have the digest that the document says.
    #[error("the input {label:?} does not have the digest {}", .digest.short())]
    InputDigest {
        /// Its label.
        label: String,
        /// The digest that it should have.
        digest: Digest,
    },
    /// A position in it is that of nothing.
    #[error("{what} {position} does not exist")]
    Position {
        /// What it should be the position of.
        what: &'static str,
        /// The position.
        position: usize,
    },
}
