//! What a site can ask the project, without knowing where it is.

use std::collections::BTreeMap;

use synix_core::digest::Digest;
use synix_engine::plan::Plan;
use synix_engine::view::{ErrorView, Overview, SnapshotSelection};
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
