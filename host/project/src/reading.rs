//! What commands read from the state of a project: builds, prices, and names of components.

use std::collections::BTreeMap;

use super::ProjectError;
use super::context::{Options, ProjectContext};
use super::plugins::read_pipeline;
use synix_core::digest::Digest;
use synix_engine::build::BuildError;
use synix_engine::view::{
    BuildLog, CostGroup, Costs, FindError, SnapshotSelection, SnapshotView, Status, find_build,
};
use synix_manifest::Output;
use synix_prices::Prices;
use synix_store::{BuildId, BuildKind, BuildRow, LogPage, Reader, StoreError};

/// Returns the build that the user names, or the newest batch build.
pub(super) fn choose_build(reader: &Reader, build: Option<&str>) -> Result<BuildRow, ProjectError> {
    if let Some(name) = build {
        return Ok(find_build(reader, name)?);
    }
    let newest = reader.builds(Some(BuildKind::Batch))?.into_iter().next();
    newest.ok_or_else(|| BuildError::NoBuild.into())
}

/// Reads a build again, because another process may have changed it since.
pub(super) fn reread_build(reader: &Reader, build: BuildId) -> Result<BuildRow, ProjectError> {
    reader
        .build(build)?
        .ok_or_else(|| BuildError::NoBuild.into())
}

/// Returns the status of a build, or of the newest batch build. In a project without state every build is unknown.
pub fn status(options: &Options, build: Option<&str>) -> Result<Status, ProjectError> {
    let reader = match open_reader(options) {
        Err(ProjectError::Store(StoreError::Absent { .. })) => {
            return Err(match build {
                Some(name) => FindError::NoBuild {
                    name: name.to_owned(),
                    nearest: None,
                }
                .into(),
                None => BuildError::NoBuild.into(),
            });
        }
        other => other?,
    };
    let row = choose_build(&reader, build)?;
    let prices = prices(options, &reader, Some(row.id))?;
    Ok(Status::of(&reader, row.id, &prices)?)
}

/// Returns a part of the log of a build.
pub fn build_log(options: &Options, build: &str, page: LogPage) -> Result<BuildLog, ProjectError> {
    let reader = open_reader(options)?;
    let row = find_build(&reader, build)?;
    // A page is read in several statements, and the build may go on.
    Ok(reader.unchanged(|| BuildLog::of(&reader, &row, page))??)
}

/// Opens the state of a project for reading. Its pipeline file does not have to be valid.
pub fn open_reader(options: &Options) -> Result<Reader, ProjectError> {
    Ok(Reader::open(&ProjectContext::with_state(options)?.state())?)
}

/// The pipeline file of a command that reads the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentPipeline {
    /// The path relative to the project folder.
    pub file: String,
    /// Whether the user named the file or it exists.
    pub is_certain: bool,
}

/// Returns the current pipeline file. It may be missing as long as its state exists.
pub fn current_pipeline(options: &Options) -> Result<CurrentPipeline, ProjectError> {
    let context = ProjectContext::with_state(options)?;
    let is_named = options.named_file().is_some();
    Ok(CurrentPipeline {
        is_certain: is_named || context.root.join(&context.file).is_file(),
        file: context.file,
    })
}

/// Returns what a release of the current pipeline consists of. The pipeline file must be valid.
pub fn outputs(options: &Options) -> Result<Vec<Output>, ProjectError> {
    Ok(ProjectContext::find(options)?.pipeline()?.outputs)
}

/// Returns the input layers of each layer of the current pipeline. The pipeline file must be valid.
pub fn layer_inputs(options: &Options) -> Result<BTreeMap<String, Vec<String>>, ProjectError> {
    let pipeline = ProjectContext::find(options)?.pipeline()?;
    let name = |position: &usize| Some(pipeline.layers.get(*position)?.name.to_string());
    let layers = pipeline.layers.iter().map(|layer| {
        let inputs = layer.transform().map(|transform| transform.inputs.iter());
        let inputs = inputs.into_iter().flatten().filter_map(name);
        (layer.name.to_string(), inputs.collect())
    });
    Ok(layers.collect())
}

/// Returns the names of components: the first-party ones, and those that the lock file pins.
pub fn component_names(options: &Options) -> Result<BTreeMap<Digest, String>, ProjectError> {
    let context = ProjectContext::with_state(options)?;
    let mut names: BTreeMap<Digest, String> = synix_components::all()
        .filter_map(|known| Some((known.digest().parse().ok()?, known.name.to_owned())))
        .collect();
    // The names only help the reader, so a damaged lock file is no error here.
    if let Ok(lock) = context.lock() {
        names.extend(
            lock.pins()
                .map(|(reference, pin)| (pin.digest, reference.to_owned())),
        );
    }
    Ok(names)
}

/// Returns the prices for a build, or (`None`) for the newest snapshot, from the present version of its pipeline file.
///
/// If the file is missing or invalid, all prices are unknown, because the file may define some.
pub fn prices(
    options: &Options,
    reader: &Reader,
    build: Option<BuildId>,
) -> Result<Prices, ProjectError> {
    let context = ProjectContext::with_state(options)?;
    let build = match build {
        Some(build) => Some(build),
        None => reader.newest_snapshot()?.map(|snapshot| snapshot.build),
    };
    let row = build
        .map(|build| reader.build(build))
        .transpose()?
        .flatten();
    let file = row.map_or(context.file, |row| row.pipeline);
    let path = options
        .named_file()
        .unwrap_or_else(|| context.root.join(file));
    let bytes = match read_pipeline(&path) {
        Ok(bytes) => bytes,
        Err(error) => return Ok(Prices::unavailable(error.to_string())),
    };
    let text = String::from_utf8_lossy(&bytes);
    Ok(match synix_manifest::parse(&text) {
        Ok(pipeline) => super::pipeline_prices(&pipeline),
        Err(_) => Prices::unavailable(format!("{} is invalid", path.display())),
    })
}

/// Returns the prices for a pipeline: those of its newest build, or else those of the newest build of any other.
pub(super) fn newest_prices(
    options: &Options,
    reader: &Reader,
    file: &str,
) -> Result<Prices, ProjectError> {
    let own = reader.builds_of(file)?.into_iter().next();
    let build = match own {
        Some((build, _)) => Some(build),
        None => {
            let newest = reader.builds_before(None, None, 1)?;
            newest.into_iter().next().map(|build| build.id)
        }
    };
    prices(options, reader, build)
}

/// Returns what the builds of the current pipeline cost, divided by each of `by`.
pub fn costs(options: &Options, by: &[CostGroup]) -> Result<Costs, ProjectError> {
    let reader = open_reader(options)?;
    let current = current_pipeline(options)?;
    let selection = SnapshotSelection {
        pipeline: &current.file,
        is_certain: current.is_certain,
        snapshot: None,
    };
    let view = match SnapshotView::select(&reader, &selection) {
        Ok(view) => Some(view),
        // Another pipeline was built here, but this one may have begun builds.
        Err(FindError::NotBuilt { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let file = view.as_ref().and_then(SnapshotView::pipeline);
    let file = file.unwrap_or(&current.file);
    let prices = newest_prices(options, &reader, file)?;
    Ok(Costs::of(&reader, file, by, &prices)?)
}
