//! Pages in HTML, and text as it is.

use synix_plugin::Error;
use synix_reading::time::Time;

use crate::document::Document;

/// Reads a page.
pub(crate) fn page(bytes: &[u8], main: bool) -> Result<Document, Error> {
    let html = synix_markup::decode(bytes);
    let page =
        synix_markup::page(&html, main).map_err(|error| Error::InvalidInput(error.to_string()))?;
    Ok(Document {
        format: "html",
        text: page.text,
        title: page.title,
        author: page.author,
        created: page.published.as_deref().and_then(Time::parse),
        language: page.language,
        ..Document::default()
    })
}

/// Reads a text, which stays as it is.
pub(crate) fn plain(bytes: Vec<u8>, format: &'static str) -> Result<Document, Error> {
    let text = synix_reading::text::decode(bytes);
    let text = text.map_err(|error| Error::InvalidInput(error.to_string()))?;
    Ok(Document {
        format,
        text: text.replace("\r\n", "\n").trim().to_owned(),
        ..Document::default()
    })
}
