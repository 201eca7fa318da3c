//! What a batch is made from, and what a provider demands of it.

use std::path::Path;

use tokio::fs::File;

use super::state::FileId;
use synix_disk::DiskError;

/// What a provider's batches allow and need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchTraits {
    /// The most requests of a batch: 50,000 in OpenAI's guide, 100,000 in Anthropic's.
    pub most_requests: usize,
    /// The most bytes of a batch's lines, newlines included: 200 MB in OpenAI's API reference,
    /// 256 MB in Anthropic's guide. Read as decimal, the smaller meaning.
    pub most_bytes: u64,
    /// The most batches created in an hour, where a guide says so: 2,000 in OpenAI's.
    pub most_creations_per_hour: Option<u32>,
    /// Whether the lines are uploaded as a file before the batch is created; else they go with the
    /// create call. OpenAI's create call takes a file's id alone, Anthropic's the requests alone.
    pub uploads: bool,
    /// Whether a batch carries the token of its create call: OpenAI's has metadata, Anthropic's
    /// has nothing of its creator's. Where it does not and [`Self::uploads`] holds, the input file
    /// still tells it from others.
    pub labelled: bool,
    /// Whether all requests of a batch ask one model: OpenAI refuses a file with a second one
    /// (`mismatched_model`); Anthropic's requests each name theirs.
    pub one_model: bool,
}

/// What a batch is made from. Which of the two a provider takes is [`BatchTraits::uploads`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchInput<'a> {
    /// A file that was uploaded before.
    Uploaded {
        /// The file.
        file: &'a FileId,
        /// The model that its requests ask; some servers are told it here alone.
        model: &'a str,
    },
    /// A file of lines on this machine, each ended by a newline.
    Lines(&'a Path),
}

/// Opens a file that goes to a provider; returns its length too.
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
