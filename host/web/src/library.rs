//! What a site can ask the project, without knowing where it is.

use std::collections::BTreeMap;

use synix_core::digest::Digest;
use synix_engine::plan::Plan;
use synix_engine::view::{CostGroup, Costs, ErrorView, Overview, SnapshotSelection};
use synix_prices::Prices;
use synix_search::{Answer, Search};
use synix_store::{BuildId, Reader};

/// A project. Each call reads it anew, so that a page shows what a build has made since the last one.
pub trait Library: Send + Sync + 'static {
    /// Opens the state for reading.
    fn open(&self) -> Result<State, ErrorView>;

    /// Plans the pipeline and reads the overview of `status`. This may take long.
    fn plan(&self) -> Result<Planned, ErrorView>;

    /// Returns the prices for a build, or (`None`) for the newest snapshot.
    fn prices(&self, reader: &Reader, build: Option<BuildId>) -> Result<Prices, ErrorView>;

    /// Returns the inputs of each layer of the pipeline file as it is now.
    fn inputs(&self) -> Result<BTreeMap<String, Vec<String>>, ErrorView>;

    /// Returns what the builds of the pipeline cost, divided by a group.
    fn costs(&self, by: CostGroup) -> Result<Costs, ErrorView>;

    /// Describes the plugins of the pipeline file as it is now. This may compile them.
    fn plugins(&self) -> Result<Vec<Plugin>, ErrorView>;

    /// Returns the names of components that are known.
    fn component_names(&self) -> Result<BTreeMap<Digest, String>, ErrorView>;

    /// Searches a snapshot; `None`: the newest. A search by meaning may send a request.
    fn search(&self, wanted: &Search, snapshot: Option<&str>) -> Result<Answer, ErrorView>;
}

/// The state of a project.
#[derive(Debug)]
pub struct State {
    /// The state, open for reading.
    pub reader: Reader,
    /// The pipeline file, relative to the project.
    pub pipeline: String,
    /// Whether the user named the file or it exists.
    pub is_certain: bool,
}

impl State {
    /// Selects a snapshot of the pipeline; `None`: the newest.
    pub fn selection<'a>(&'a self, snapshot: Option<&'a str>) -> SnapshotSelection<'a> {
        SnapshotSelection {
            pipeline: &self.pipeline,
            is_certain: self.is_certain,
            snapshot,
        }
    }
}

/// The overview of a pipeline and the plan that it is based on.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The overview, as `status` shows it.
    pub overview: Overview,
    /// The plan; `None` if the pipeline cannot be planned.
    pub plan: Option<Plan>,
}

/// A plugin of the pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Plugin {
    /// The reference in the pipeline file.
    pub reference: String,
    /// The layers that use it, with the capabilities that each grants; `None`: those that it declares.
    pub layers: Vec<(String, Option<Vec<String>>)>,
    /// What it says about itself, or why it cannot be loaded.
    pub description: Result<PluginDescription, ErrorView>,
}

/// What a plugin says about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginDescription {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it does.
    pub summary: String,
    /// `transform` or `reader`.
    pub kind: String,
    /// The capabilities that it declares.
    pub capabilities: Vec<String>,
    /// The interfaces that it imports.
    pub imports: Vec<String>,
    /// The JSON Schema of its config.
    pub config_schema: serde_json::Value,
    /// The size of its component in bytes.
    pub size: u64,
    /// The digest of its component.
    pub digest: Digest,
}
