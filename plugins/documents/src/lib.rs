//! The reader `documents`: pages in HTML, DOCX, EPUB, and PDF with a layer of text; each file, also in a zip, is one
//! artifact.
//!
//! `kind` and `parts` know what a file is, `text`, `word`, `book` and `pdf` read one format each, `document` makes artifacts.
//!
//! Kept libraries read what is hard. PDF: `hayro-interpret` takes the pages apart as a viewer does, fonts and character
//! maps included, has no `panic` for bad input, and is developed for Typst; it knows no lines and words, so `pdf::layout`
//! does. Tried and not taken: `pdf-extract` (it panics on fonts that it does not know), `pdf_oxide` (176 crates, and more
//! than nine minutes to compile). DOCX and EPUB are a zip of XML: `quick-xml` streams it; `docx-rust` and `epub` hold the
//! whole file and stop at the first surprise. HTML is in `synix-markup`.

mod book;
mod document;
mod kind;
mod names;
mod parts;
mod pdf;
mod pile;
mod text;
mod word;
mod xml;

use schemars::JsonSchema;
use serde::Deserialize;
use synix_plugin::reading::File;
use synix_plugin::{Error, Reader, schema_of};

/// The reader.
#[derive(Debug)]
pub struct Documents;

/// What a layer sets.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Whether what is around the text of an HTML page is left out: menus, footers, forms.
    #[serde(default = "yes")]
    main_text: bool,
}

const fn yes() -> bool {
    true
}

impl Reader for Documents {
    const NAME: &'static str = "documents";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Reads HTML, PDF, DOCX and EPUB, and archives of them";
    type Config = Config;

    fn config_schema() -> String {
        schema_of::<Config>()
    }

    fn read(file: &File<'_>, config: &Config) -> Result<(), Error> {
        pile::read(file, config)
    }
}

synix_plugin::export_reader!(Documents);

#[cfg(test)]
mod tests;
