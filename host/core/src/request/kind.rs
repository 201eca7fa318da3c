//! What a request asks for.

/// What a request asks for. Requests of different kinds go to different endpoints and never share a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestKind {
    /// An answer to a conversation.
    #[default]
    Completion,
    /// The vector of a text.
    Embedding {
        /// The number of dimensions, if the model role sets one.
        dimensions: Option<u32>,
    },
}

impl RequestKind {
    /// Returns whether the request asks for an embedding.
    pub const fn is_embedding(self) -> bool {
        matches!(self, Self::Embedding { .. })
    }
}
