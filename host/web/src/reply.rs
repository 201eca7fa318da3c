//! What a site answers, without the protocol.

/// Whether a page could be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It is what was asked for.
    Found,
    /// There is no such page, layer, artifact, build or snapshot.
    NotFound,
    /// The project or its state cannot be read. The page says why.
    Unavailable,
}

/// A page, or a file that pages use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Whether it could be made.
    pub status: Status,
    /// The media type, with the encoding of texts.
    pub media_type: &'static str,
    /// The content.
    pub body: Vec<u8>,
    /// Whether a browser must save it and not show it.
    pub is_download: bool,
    /// Whether the page may still change while it is open.
    pub is_live: bool,
}

impl Reply {
    pub(crate) const HTML: &str = "text/html; charset=utf-8";
    pub(crate) const TEXT: &str = "text/plain; charset=utf-8";

    pub(crate) fn html(status: Status, text: String) -> Self {
        Self {
            status,
            media_type: Self::HTML,
            body: text.into_bytes(),
            is_download: false,
            is_live: false,
        }
    }

    pub(crate) fn file(media_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: Status::Found,
            media_type,
            body: body.into(),
            is_download: false,
            is_live: false,
        }
    }
}
