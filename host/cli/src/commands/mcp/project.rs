//! The artifacts of a project, as of its newest snapshot or of one that the user names.

use anyhow::Context as _;
use serde::Serialize;
use serde_json::Value;
use synix_engine::view::{ArtifactDetail, Lineage};
use synix_mcp::{
    Direction, Library, LibraryError, LineageArguments, ListArguments, Output, OutputText,
    SearchArguments, ShowArguments,
};
use synix_project::Options;
use synix_release::{About, Export, Rows};

use super::errors::library_error;
use super::outputs::{Limited, description, no_output, text_type};
use super::pages::{bounded, content_page, list_page};
use super::queries::wanted;
use crate::commands::reading::SnapshotReader;
use crate::commands::search::in_snapshot;

/// A project whose state is opened for each call, so that the agent sees what a build has made since.
pub(super) struct ProjectLibrary {
    options: Options,
    snapshot: Option<String>,
}

impl ProjectLibrary {
    /// Refuses a project without a snapshot, so that the user learns of it before an agent does.
    pub(super) fn open(options: Options, snapshot: Option<String>) -> anyhow::Result<Self> {
        let library = Self { options, snapshot };
        library.reader()?.view()?;
        Ok(library)
    }

    fn reader(&self) -> anyhow::Result<SnapshotReader<'_>> {
        SnapshotReader::of(self.options.clone(), self.snapshot.as_deref())
    }

    fn find(&self, arguments: &SearchArguments) -> anyhow::Result<Value> {
        let wanted = wanted(arguments)?;
        let found = in_snapshot(&self.reader()?, &wanted, &|_| {})?;
        Ok(found.document(&wanted))
    }

    fn show_artifact(&self, arguments: &ShowArguments) -> anyhow::Result<Value> {
        let reader = self.reader()?;
        let found = reader
            .view()?
            .find(&name(arguments.layer.as_deref(), &arguments.label))?;
        let prices = synix_project::prices(&reader.options, &reader.reader, Some(found.build))?;
        let mut document = document(&ArtifactDetail::of(&reader.reader, &found, &prices)?)?;
        content_page(&mut document, arguments.offset);
        Ok(document)
    }

    fn trace(&self, arguments: &LineageArguments) -> anyhow::Result<Value> {
        let reader = self.reader()?;
        let view = reader.view()?;
        let found = view.find(&name(arguments.layer.as_deref(), &arguments.label))?;
        let depth = Some(arguments.depth.unwrap_or(1));
        let upstream = |depth| -> anyhow::Result<Lineage> {
            let prices = synix_project::prices(&reader.options, &reader.reader, Some(found.build))?;
            let names = synix_project::component_names(&reader.options)?;
            Ok(Lineage::of(&reader.reader, &found, &prices, &names, depth)?)
        };
        let lineage = match arguments.direction {
            Direction::Up => upstream(depth)?,
            Direction::Down => Lineage::downstream(&view, &found, depth)?,
            Direction::Roots => upstream(None)?.roots(),
        };
        document(&bounded(lineage))
    }

    fn write_output(&self, name: &str) -> anyhow::Result<OutputText> {
        let outputs = synix_project::outputs(&self.options)?;
        let (output, media_type) = outputs
            .iter()
            .find(|output| output.name == name)
            .and_then(|output| Some((output, text_type(output.format)?)))
            .with_context(|| no_output(name))?;
        let reader = self.reader()?;
        let view = reader.view()?;
        let prices = synix_project::prices(&reader.options, &reader.reader, view.build())?;
        let rows = Rows::new(&view, &prices, &output.layers)?;
        let export = Export {
            rows: &rows,
            settings: &output.settings,
            about: &About::new(&view.record()?),
        };
        let mut text = Limited::default();
        export.to_stream(output.format, &mut text)?;
        Ok(OutputText {
            media_type: media_type.to_owned(),
            text: text.into_text(),
        })
    }

    fn list_artifacts(&self, arguments: &ListArguments) -> anyhow::Result<Value> {
        let reader = self.reader()?;
        let artifacts = reader.view()?.list(arguments.layer.as_deref())?;
        Ok(list_page(&artifacts, arguments))
    }
}

impl Library for ProjectLibrary {
    fn search(&self, arguments: &SearchArguments) -> Result<Value, LibraryError> {
        self.find(arguments).map_err(|error| library_error(&error))
    }

    fn show(&self, arguments: &ShowArguments) -> Result<Value, LibraryError> {
        self.show_artifact(arguments)
            .map_err(|error| library_error(&error))
    }

    fn lineage(&self, arguments: &LineageArguments) -> Result<Value, LibraryError> {
        self.trace(arguments).map_err(|error| library_error(&error))
    }

    fn list(&self, arguments: &ListArguments) -> Result<Value, LibraryError> {
        self.list_artifacts(arguments)
            .map_err(|error| library_error(&error))
    }

    fn outputs(&self) -> Result<Vec<Output>, LibraryError> {
        let outputs = synix_project::outputs(&self.options).map_err(anyhow::Error::from);
        let outputs = outputs.map_err(|error| library_error(&error))?;
        let texts = outputs.into_iter().filter_map(|output| {
            Some(Output {
                media_type: text_type(output.format)?.to_owned(),
                description: description(&output.layers, output.format.name()),
                name: output.name,
                size: None,
            })
        });
        Ok(texts.collect())
    }

    fn read(&self, name: &str) -> Result<OutputText, LibraryError> {
        self.write_output(name)
            .map_err(|error| library_error(&error))
    }
}

/// Returns the name of an artifact as a command takes it.
fn name(layer: Option<&str>, label: &str) -> String {
    match layer {
        Some(layer) => format!("{layer}/{label}"),
        None => label.to_owned(),
    }
}

fn document(value: &impl Serialize) -> anyhow::Result<Value> {
    Ok(serde_json::to_value(value)?)
}
