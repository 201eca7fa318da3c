//! A document that was read, as an artifact.

use serde_json::{Value, json};
use synix_plugin::Output;
use synix_reading::time::Time;

use crate::names::named;

/// A document, whatever its format was.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) format: &'static str,
    pub(crate) text: String,
    pub(crate) title: Option<String>,
    pub(crate) author: Option<String>,
    pub(crate) created: Option<Time>,
    pub(crate) updated: Option<Time>,
    pub(crate) language: Option<String>,
    pub(crate) pages: Option<usize>,
}

/// Where a document is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The file, below the project folder.
    pub(crate) file: &'a str,
    /// The file, and the path in it.
    pub(crate) path: &'a str,
    /// The path in the file; empty for the file itself.
    pub(crate) inside: &'a str,
}

/// Returns the artifact of a document.
pub(crate) fn output(place: Place<'_>, document: Document) -> Output {
    let named = named(place.path);
    let title = document
        .title
        .map(|title| one_line(&title))
        .filter(|title| !title.is_empty());
    let title = title
        .or_else(|| heading(&document.text))
        .unwrap_or(named.title);
    let texts = [
        ("file", Some(place.file.to_owned())),
        ("path", Some(place.inside.to_owned())),
        ("title", Some(title)),
        ("format", Some(document.format.to_owned())),
        ("author", document.author.map(|author| one_line(&author))),
        (
            "language",
            document.language.map(|language| one_line(&language)),
        ),
        ("date", document.created.map(Time::date)),
        ("month", document.created.map(Time::month)),
        ("created", document.created.map(Time::iso)),
        ("updated", document.updated.map(Time::iso)),
    ];
    let mut output = Output::text(named.label, "document", document.text);
    for (key, value) in texts {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            output = output.with_metadata(key, &Value::String(value));
        }
    }
    match document.pages {
        Some(pages) => output.with_metadata("pages", &json!(pages)),
        None => output,
    }
}

/// Returns the heading that a text begins with.
fn heading(text: &str) -> Option<String> {
    let first = text.lines().find(|line| !line.trim().is_empty())?;
    let heading = first
        .strip_prefix('#')?
        .trim_start_matches('#')
        .strip_prefix(' ')?;
    let heading = one_line(heading.trim_end_matches('#'));
    (!heading.is_empty()).then_some(heading)
}

/// Returns a text of strangers as one line without control characters.
pub(crate) fn one_line(text: &str) -> String {
    let words = text.split(|char: char| char.is_whitespace() || char.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}
