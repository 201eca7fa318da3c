//! The artifacts of a release folder, which needs no project.

use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::{Value, json};
use synix_mcp::{
    Direction, Library, LibraryError, LineageArguments, ListArguments, Output, OutputText,
    SearchArguments, ShowArguments,
};
use synix_project::Options;
use synix_release::{CurrentRelease, Format, Receipt};
use synix_search::{DocumentName, ReleaseFile, StoredDocument};

use super::errors::library_error;
use super::outputs::{MAX_BYTES, description, no_output, text_type};
use super::pages::{content_page, page_limit};
use super::queries::wanted;
use crate::commands::query_vectors::QueryVectors;
use crate::commands::search::in_release;
use crate::failure::Usage;

/// The number of artifacts that are named if several have one label.
const MAX_NAMED: usize = 5;

/// A release folder that is opened for each call, so that the agent sees a newer release.
pub(super) struct ReleaseLibrary {
    folder: PathBuf,
    /// The project at hand, whose models can embed a query.
    options: Options,
}

impl ReleaseLibrary {
    /// Refuses a folder without a search file, so that the user learns of it before an agent does.
    pub(super) fn open(folder: PathBuf, options: Options) -> anyhow::Result<Self> {
        ReleaseFile::open(&folder)?;
        Ok(Self { folder, options })
    }

    fn file(&self) -> anyhow::Result<ReleaseFile> {
        Ok(ReleaseFile::open(&self.folder)?)
    }

    fn find(&self, arguments: &SearchArguments) -> anyhow::Result<Value> {
        let wanted = wanted(arguments)?;
        let vectors = QueryVectors::new(self.options.clone());
        Ok(in_release(&self.file()?, &wanted, &vectors)?.document(&wanted))
    }

    fn document(&self, layer: Option<&str>, label: &str) -> anyhow::Result<StoredDocument> {
        let mut found = self.file()?.find(layer, label, MAX_NAMED)?;
        match found.len() {
            0 => Err(Usage(format!(
                "the release has no artifact {label:?}; use search or list to find one"
            ))
            .into()),
            1 => Ok(found.remove(0)),
            _ => {
                let layers = found.iter().map(|document| document.name.layer.as_str());
                let layers = layers.collect::<Vec<_>>().join(", ");
                Err(Usage(format!(
                    "several layers have {label:?}: {layers}; name one as layer"
                ))
                .into())
            }
        }
    }

    fn show_document(&self, arguments: &ShowArguments) -> anyhow::Result<Value> {
        let document = self.document(arguments.layer.as_deref(), &arguments.label)?;
        let mut shown = named(&document.name);
        shown["metadata"] = document.metadata;
        shown["sources"] = json!(document.sources.labels);
        if document.data.is_empty() {
            shown["content"] = document.content.unwrap_or_default().into();
            content_page(&mut shown, arguments.offset);
        } else {
            shown["data"] = document.data.into();
        }
        Ok(shown)
    }

    fn trace(&self, arguments: &LineageArguments) -> anyhow::Result<Value> {
        if arguments.direction == Direction::Down {
            let message =
                "a release does not record what was made from an artifact; ask the project itself";
            return Err(Usage(message.to_owned()).into());
        }
        let document = self.document(arguments.layer.as_deref(), &arguments.label)?;
        let mut lineage = named(&document.name);
        lineage["sources"] = json!(document.sources.labels);
        lineage["cut"] = document.sources.has_more.into();
        Ok(lineage)
    }

    fn list_documents(&self, arguments: &ListArguments) -> anyhow::Result<Value> {
        let file = self.file()?;
        let layers = file.layers()?;
        let layer = arguments.layer.as_deref();
        let of_layer = |name: &str| layer.is_none_or(|layer| layer == name);
        if let Some(layer) = layer
            && !layers.iter().any(|(name, _)| name == layer)
        {
            return Err(Usage(format!("the release has no layer {layer:?}")).into());
        }
        let limit = page_limit(arguments.limit);
        let listed = file.list(layer, arguments.offset, limit)?;
        let listed_layers = layers.iter().filter(|(name, _)| of_layer(name));
        let total: u64 = listed_layers.clone().map(|(_, count)| count).sum();
        let end = arguments.offset.saturating_add(listed.len());
        Ok(json!({
            "layers": listed_layers
                .map(|(name, count)| json!({ "name": name, "artifacts": count }))
                .collect::<Vec<_>>(),
            "artifacts": listed.iter().map(named).collect::<Vec<_>>(),
            "next_offset": ((end as u64) < total).then_some(end),
        }))
    }

    fn list_outputs(&self) -> anyhow::Result<Vec<Output>> {
        let release = CurrentRelease::open(&self.folder)?;
        let outputs = release.iter().flat_map(|release| texts(release.receipt()));
        Ok(outputs.map(|(output, _)| output).collect())
    }

    fn read_output(&self, name: &str) -> anyhow::Result<OutputText> {
        let none = || no_output(name);
        let release = CurrentRelease::open(&self.folder)?.with_context(none)?;
        let found = texts(release.receipt()).find(|(output, _)| output.name == name);
        let (output, path) = found.with_context(none)?;
        let bytes = release.read(path, MAX_BYTES as u64)?.with_context(none)?;
        Ok(OutputText {
            media_type: output.media_type,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        })
    }
}

/// Returns the outputs that are one text, with their paths.
fn texts(receipt: &Receipt) -> impl Iterator<Item = (Output, &str)> {
    receipt.outputs.iter().filter_map(|output| {
        let media_type = text_type(output.format.parse::<Format>().ok()?)?;
        let mut files = receipt.files.iter();
        let file = files.find(|file| file.path == output.path)?;
        let resource = Output {
            name: output.name.clone(),
            description: description(&output.layers, &output.format),
            media_type: media_type.to_owned(),
            size: Some(file.size),
        };
        Some((resource, output.path.as_str()))
    })
}

impl Library for ReleaseLibrary {
    fn search(&self, arguments: &SearchArguments) -> Result<Value, LibraryError> {
        self.find(arguments).map_err(|error| library_error(&error))
    }

    fn show(&self, arguments: &ShowArguments) -> Result<Value, LibraryError> {
        self.show_document(arguments)
            .map_err(|error| library_error(&error))
    }

    fn lineage(&self, arguments: &LineageArguments) -> Result<Value, LibraryError> {
        self.trace(arguments).map_err(|error| library_error(&error))
    }

    fn list(&self, arguments: &ListArguments) -> Result<Value, LibraryError> {
        self.list_documents(arguments)
            .map_err(|error| library_error(&error))
    }

    fn outputs(&self) -> Result<Vec<Output>, LibraryError> {
        self.list_outputs().map_err(|error| library_error(&error))
    }

    fn read(&self, name: &str) -> Result<OutputText, LibraryError> {
        self.read_output(name)
            .map_err(|error| library_error(&error))
    }
}

fn named(name: &DocumentName) -> Value {
    json!({ "layer": name.layer, "label": name.label, "kind": name.kind, "id": name.id })
}
