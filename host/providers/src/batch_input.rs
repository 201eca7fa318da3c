//! What a batch is made from, and what a provider requires of it.

use std::path::Path;

use tokio::fs::File;

use super::batch_state::FileId;
use synix_core::request::RequestKind;
use synix_disk::DiskError;

/// The limits and requirements of a batch API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchTraits {
    /// The maximum number of requests in a batch: 50,000 in OpenAI's guide, 100,000 in Anthropic's.
    pub max_requests: usize,
    /// The maximum size of the lines of a batch, with newlines: 200 MB in OpenAI's API reference,
    /// 256 MB in Anthropic's guide. Megabytes are decimal here, the smaller meaning.
    pub max_bytes: u64,
    /// The maximum number of batches created per hour, if a guide states it: 2,000 in OpenAI's.
    pub max_creations_per_hour: Option<u32>,
    /// Whether the lines are uploaded as a file before the batch is created. If not, the create call
    /// contains them. OpenAI's create call takes only the id of a file, Anthropic's only the requests.
    pub uploads: bool,
    /// Whether a batch carries the token of its create call: OpenAI's batches have metadata,
    /// Anthropic's do not. Without a token, a batch with [`Self::uploads`] can still be identified by
    /// its input file.
    pub carries_token: bool,
    /// Whether all requests of a batch must use the same model: OpenAI refuses a file with a second
    /// one (`mismatched_model`). In Anthropic's batches, each request names its own.
    pub single_model: bool,
}

/// What a batch is made from. [`BatchTraits::uploads`] says which of the two a provider takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchInput<'a> {
    /// An uploaded file.
    Uploaded {
        /// The id of the file.
        file: &'a FileId,
        /// What its requests ask for.
        kind: RequestKind,
        /// The model of its requests. Some servers take it only in the create call.
        model: &'a str,
    },
    /// A local file of lines that end with newlines.
    Lines(&'a Path),
}

/// Opens a file to send, and returns its length.
pub(super) async fn open(path: &Path) -> Result<(File, u64), DiskError> {
    let unreadable = |source| DiskError {
        action: "read",
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).await.map_err(unreadable)?;
    let length = file.metadata().await.map_err(unreadable)?.len();
    Ok((file, length))
}
