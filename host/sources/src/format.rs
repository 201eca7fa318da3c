//! What a file is by its first bytes, for advice about files that are no texts, and for pictures.

/// A format that people have among their texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// PDF.
    Pdf,
    /// A zip archive; Office documents and books are archives, too.
    Zip,
    /// Packed by gzip.
    Gzip,
    /// Packed by zstd.
    Zstd,
    /// An SQLite database.
    Sqlite,
    /// A picture that models take, with its media type.
    Picture(&'static str),
    /// Anything else.
    Unknown,
}

impl Format {
    /// Returns the format of a file that begins with these bytes.
    pub fn of(start: &[u8]) -> Self {
        match start {
            [b'%', b'P', b'D', b'F', b'-', ..] => Self::Pdf,
            [b'P', b'K', 3, 4, ..] => Self::Zip,
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [0x89, b'P', b'N', b'G', ..] => Self::Picture("image/png"),
            [0xff, 0xd8, 0xff, ..] => Self::Picture("image/jpeg"),
            [b'G', b'I', b'F', b'8', ..] => Self::Picture("image/gif"),
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => Self::Picture("image/webp"),
            _ if start.starts_with(b"SQLite format 3\0") => Self::Sqlite,
            _ => Self::Unknown,
        }
    }

    /// Returns the end of a message about a file that is no text.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Pdf => "; it is a PDF: use `read = \"documents\"`",
            Self::Zip => {
                "; it is a zip archive, as Office documents are: use `read = \"chats\"`, `\"rows\"`, `\"mail\"` or `\"documents\"`"
            }
            Self::Gzip => "; it is packed by gzip: use `read = \"rows\"` if it is a table",
            Self::Zstd => "; it is packed by zstd: use `read = \"rows\"` if it is a table",
            Self::Sqlite => {
                "; it is an SQLite database: export its tables as CSV, or use a reader that reads it"
            }
            Self::Picture(_) => {
                "; it is a picture: its name must end with .png, .jpg, .jpeg, .gif or .webp"
            }
            Self::Unknown => "; save it as UTF-8, or leave it out of the layer's source",
        }
    }
}

/// Returns the media type of a picture by the extension of its file.
pub(super) fn picture_type(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit_once('.')?;
    let types = [
        ("png", "image/png"),
        ("jpg", "image/jpeg"),
        ("jpeg", "image/jpeg"),
        ("gif", "image/gif"),
        ("webp", "image/webp"),
    ];
    let mut known = types.iter();
    known
        .find(|(name, _)| extension.eq_ignore_ascii_case(name))
        .map(|(_, media_type)| *media_type)
}
