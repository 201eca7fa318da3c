//! One Markdown text with a heading for each layer and artifact, and a note where each part comes from.

mod markdown;

use std::io::Write;

use super::ReleaseError;
use super::export::{About, Export};
use super::rows::Row;
use markdown::{code, escaped, fenced, nested};
use synix_core::artifact::Content;
use synix_core::printable;
use synix_engine::view::Making;

/// The maximum number of sources that a note names.
const MAX_SOURCES: usize = 3;

/// Headings of contents are below the title, the layer and the artifact.
const LEVELS: usize = 3;

pub(super) fn write(export: &Export<'_>, out: &mut dyn Write) -> Result<u64, ReleaseError> {
    let Export {
        rows,
        settings,
        about,
    } = export;
    let counts = rows.counts()?;
    let introduction = introduction(settings.title.as_deref(), about);
    // Whatever is left out in the end, the note about it fits.
    let limit = settings.max_bytes.map(|max| {
        let note = left_out(&counts, max).len() as u64;
        let needed = introduction.len() as u64 + note;
        if needed > max {
            return Err(ReleaseError::TooSmall { max, needed });
        }
        Ok(max - note)
    });
    let mut document = Document {
        out,
        written: 0,
        limit: limit.transpose()?,
        left_out: counts.iter().map(|(name, _)| (name.clone(), 0)).collect(),
        is_full: false,
    };
    document.put(&introduction)?;
    let mut makings = rows.makings();
    let mut layer = String::new();
    let mut count = 0;
    rows.for_each(|row| {
        let mut part = String::new();
        if row.layer != layer {
            part.push_str(&format!("\n## {}\n", escaped(&row.layer)));
        }
        part.push_str(&section(&row, &makings.of(&row.found)?));
        if document.take(&row.layer, &part)? {
            count += 1;
            layer = row.layer;
        }
        Ok::<_, ReleaseError>(())
    })?;
    document.finish(settings.max_bytes)?;
    Ok(count)
}

struct Document<'a> {
    out: &'a mut dyn Write,
    written: u64,
    /// The maximum size without the note about what is left out.
    limit: Option<u64>,
    /// The number of artifacts of each layer that are left out.
    left_out: Vec<(String, u64)>,
    is_full: bool,
}

impl Document<'_> {
    /// Writes a part unless it or an earlier one does not fit: the document is a beginning, without gaps.
    fn take(&mut self, layer: &str, part: &str) -> Result<bool, ReleaseError> {
        let size = self.written + part.len() as u64;
        self.is_full |= self.limit.is_some_and(|limit| size > limit);
        if self.is_full {
            let of_layer = self.left_out.iter_mut().find(|(name, _)| name == layer);
            of_layer.into_iter().for_each(|(_, count)| *count += 1);
            return Ok(false);
        }
        self.put(part)?;
        Ok(true)
    }

    fn put(&mut self, text: &str) -> Result<(), ReleaseError> {
        self.written += text.len() as u64;
        self.out
            .write_all(text.as_bytes())
            .map_err(ReleaseError::Write)
    }

    fn finish(&mut self, max_bytes: Option<u64>) -> Result<(), ReleaseError> {
        match max_bytes {
            Some(limit) if self.is_full => {
                let note = left_out(&self.left_out, limit);
                self.put(&note)
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn introduction(title: Option<&str>, about: &About) -> String {
    let title = escaped(title.unwrap_or(&about.name));
    let About {
        snapshot,
        taken,
        pipeline,
        ..
    } = about;
    let pipeline = code(pipeline);
    format!(
        "# {title}\n\nsynix wrote this document from {snapshot} of {pipeline}, taken at {taken}. A note below each heading says where the text comes from.\n"
    )
}

fn section(row: &Row, making: &Making) -> String {
    let body = match &row.content {
        Content::Text(text) if row.data.is_some() => fenced(text.trim_end(), "json"),
        Content::Text(text) => nested(text, LEVELS),
        Content::Bytes { media_type, data } => {
            let size = printable::pluralize(data.len() as u64, "byte");
            format!("{}, {size}\n", escaped(media_type))
        }
    };
    let note = origin(row, making);
    format!("\n### {}\n\n*{note}*\n\n{body}", escaped(&row.label))
}

/// Returns a note for people: who wrote it, from what, and its digest.
fn origin(row: &Row, making: &Making) -> String {
    let id = code(&row.id.short());
    let names = |all: &mut dyn Iterator<Item = &String>, total: usize| {
        let mut named: Vec<String> = all.take(MAX_SOURCES).map(|name| code(name)).collect();
        if total > named.len() {
            named.push(format!("{} more", total - named.len()));
        }
        match named.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
            None => "nothing".to_owned(),
        }
    };
    if !making.files.is_empty() {
        let files = names(&mut making.files.iter(), making.files.len());
        return format!("Source: {files}; id {id}");
    }
    let sources = names(&mut making.sources.iter(), making.sources.len());
    let by = match making.models.as_slice() {
        [] if making.by_model => "Made of texts of a model".to_owned(),
        [] => "Made without a model".to_owned(),
        models => {
            let models = names(&mut models.iter(), models.len());
            format!("Written by {models}")
        }
    };
    format!("{by} from {sources}; id {id}")
}

fn left_out(layers: &[(String, u64)], limit: u64) -> String {
    let layers = layers.iter().filter(|(_, count)| *count > 0);
    let parts: Vec<String> = layers
        .map(|(name, count)| {
            let artifacts = printable::pluralize(*count, "artifact");
            format!("{artifacts} of {}", escaped(name))
        })
        .collect();
    let parts = parts.join(", ");
    format!("\n---\n\nThis document is limited to {limit} bytes. Left out: {parts}.\n")
}
