//! Makes pages of a project. It knows no server, so that pages can also be written to files.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use synix_core::digest::Digest;
use synix_engine::view::{
    CostGroup, Costs, Detail, ErrorView, FindError, FoundArtifact, Lineage, SnapshotDiff,
    SnapshotView, Status,
};
use synix_search::{Answer, Mode, Search};
use synix_store::{BuildId, StoreError};

use crate::library::{Library, Planned, Plugin, State};
use crate::links::Links;
use crate::pages;
use crate::reply::Reply;
use crate::slow::{Aged, Slow, Wanted};
use crate::target::Request;

/// How long a page waits for a plan before it shows the last one.
const PATIENCE: Duration = Duration::from_millis(200);
/// Source files may change without the state, so a plan does not hold for long.
const PLAN_AGE: Duration = Duration::from_secs(1);
/// The same for a page that nobody has just opened.
const PLAN_AGE_OF_UPDATE: Duration = Duration::from_secs(30);

/// What does not depend on files is right for as long as the state does not change.
const STATE_AGE: Duration = Duration::from_secs(3600);
/// The number of differences that are read with their texts.
const MAX_CHANGES: usize = 300;
/// The number of steps and nodes of a lineage on a page.
const MAX_NODES: usize = 200;

/// The costs of a pipeline, divided in three ways.
#[derive(Debug)]
pub(crate) struct CostsBy {
    pub(crate) day: Costs,
    pub(crate) layer: Costs,
    pub(crate) model: Costs,
}

/// What an artifact was made from, and what was made from it.
#[derive(Debug)]
pub(crate) struct Traced {
    pub(crate) up: Lineage,
    pub(crate) down: Lineage,
}

/// The layer, label and id of an artifact, and the snapshot.
type ArtifactKey = (String, String, Digest, Option<String>);

/// The snapshots and the layer of a difference. The names of snapshots are those of the reader.
pub(crate) type DiffKey = (String, String, Option<String>);

/// The query, the layer and the snapshot of a search by words.
pub(crate) type SearchKey = (String, Option<String>, Option<String>);

/// The pages of a project.
pub struct Site {
    library: Arc<dyn Library>,
    plans: Slow<(), Result<Planned, ErrorView>>,
    builds: Slow<BuildId, Result<Status, ErrorView>>,
    costs: Slow<(), Result<CostsBy, ErrorView>>,
    lineages: Slow<ArtifactKey, Result<Traced, ErrorView>>,
    diffs: Slow<DiffKey, Result<SnapshotDiff, ErrorView>>,
    plugins: Slow<(), Result<Vec<Plugin>, ErrorView>>,
    searches: Slow<SearchKey, Result<Answer, ErrorView>>,
    /// How long a page waits for what takes long.
    patience: Duration,
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").finish_non_exhaustive()
    }
}

impl Site {
    /// Creates the pages of a project.
    pub fn new(library: Arc<dyn Library>) -> Self {
        Self {
            library,
            plans: Slow::new(),
            builds: Slow::new(),
            costs: Slow::new(),
            lineages: Slow::new(),
            diffs: Slow::new(),
            plugins: Slow::new(),
            searches: Slow::new(),
            patience: PATIENCE,
        }
    }

    /// Makes pages wait for everything that they show, as somebody needs who writes them to files.
    #[must_use]
    pub const fn patient(mut self) -> Self {
        self.patience = Duration::from_secs(24 * 3600);
        self
    }

    /// Makes a page.
    pub fn page(&self, request: &Request, links: &Links<'_>) -> Reply {
        pages::page(self, request, links)
    }

    pub(crate) fn library(&self) -> &dyn Library {
        &*self.library
    }

    /// Returns the plan, or `None` if it is not there yet.
    pub(crate) fn planned(
        &self,
        state: Option<&State>,
        is_update: bool,
    ) -> Option<Aged<Result<Planned, ErrorView>>> {
        let library = Arc::clone(&self.library);
        let wanted = Wanted {
            version: state.map_or(0, |state| version(state.reader.folder())),
            max_age: if is_update {
                PLAN_AGE_OF_UPDATE
            } else {
                PLAN_AGE
            },
            patience: self.patience,
        };
        self.plans.get(&(), wanted, move || library.plan())
    }
}

impl Site {
    /// Returns what a page wants that depends on the state alone.
    fn of_state(&self, state: &State) -> Wanted {
        Wanted {
            version: version(state.reader.folder()),
            max_age: STATE_AGE,
            // A page may show several of these.
            patience: self.patience / 2,
        }
    }

    /// Returns the status of a build, which reads every request that it sent.
    pub(crate) fn status(
        &self,
        state: &State,
        build: BuildId,
    ) -> Option<Aged<Result<Status, ErrorView>>> {
        let library = Arc::clone(&self.library);
        self.builds.get(&build, self.of_state(state), move || {
            let state = library.open()?;
            let prices = library.prices(&state.reader, Some(build))?;
            Status::of(&state.reader, build, &prices).map_err(|error| store_error(&error))
        })
    }

    /// Returns the costs of the pipeline.
    pub(crate) fn costs(&self, state: &State) -> Option<Aged<Result<CostsBy, ErrorView>>> {
        let library = Arc::clone(&self.library);
        self.costs.get(&(), self.of_state(state), move || {
            Ok(CostsBy {
                day: library.costs(CostGroup::Day)?,
                layer: library.costs(CostGroup::Layer)?,
                model: library.costs(CostGroup::Model)?,
            })
        })
    }

    /// Returns where an artifact is from and what was made from it.
    pub(crate) fn lineage(
        &self,
        snapshot: Option<&str>,
        state: &State,
        found: &FoundArtifact,
    ) -> Option<Aged<Result<Traced, ErrorView>>> {
        let library = Arc::clone(&self.library);
        let snapshot = snapshot.map(str::to_owned);
        let found = found.clone();
        let artifact = &found.artifact.artifact;
        let key = (
            found.artifact.layer.clone(),
            artifact.label.to_string(),
            artifact.digest,
            snapshot.clone(),
        );
        self.lineages.get(&key, self.of_state(state), move || {
            let state = library.open()?;
            let selection = state.selection(snapshot.as_deref());
            let view = SnapshotView::select(&state.reader, &selection);
            let view = view.map_err(|error| find_error(&error))?;
            let prices = library.prices(&state.reader, Some(found.build))?;
            let names = library.component_names()?;
            let up = Lineage::bounded(&state.reader, &found, &prices, &names, MAX_NODES);
            let up = up.map_err(|error| store_error(&error))?;
            let down = Lineage::downstream_bounded(&view, &found, MAX_NODES);
            let down = down.map_err(|error| find_error(&error))?;
            Ok(Traced { up, down })
        })
    }

    /// Searches by words. The first search of a large snapshot makes its index.
    pub(crate) fn search(
        &self,
        state: &State,
        key: &SearchKey,
        limit: usize,
    ) -> Option<Aged<Result<Answer, ErrorView>>> {
        let library = Arc::clone(&self.library);
        let (query, layer, snapshot) = key.clone();
        self.searches.get(key, self.of_state(state), move || {
            let wanted = Search {
                query,
                layers: layer.into_iter().collect(),
                conditions: Vec::new(),
                mode: Some(Mode::Words),
                limit,
            };
            library.search(&wanted, snapshot.as_deref())
        })
    }

    /// Compares two snapshots: each artifact, or only their numbers if many differ.
    pub(crate) fn diff(
        &self,
        state: &State,
        key: &DiffKey,
    ) -> Option<Aged<Result<SnapshotDiff, ErrorView>>> {
        let library = Arc::clone(&self.library);
        let (before, after, layer) = key.clone();
        self.diffs.get(key, self.of_state(state), move || {
            let state = library.open()?;
            let select = |name: &str| {
                SnapshotView::select(&state.reader, &state.selection(Some(name)))
                    .map_err(|error| find_error(&error))
            };
            let (before, after) = (select(&before)?, select(&after)?);
            let compare = |detail| {
                SnapshotDiff::of(&state.reader, (&before, &after), layer.as_deref(), detail)
                    .map_err(|error| find_error(&error))
            };
            let counts = compare(Detail::Counts)?;
            let changes = counts.layers.iter();
            let changes: usize = changes
                .map(|layer| layer.added + layer.removed + layer.changed)
                .sum();
            if changes > MAX_CHANGES {
                return Ok(counts);
            }
            compare(Detail::Artifacts)
        })
    }

    /// Describes the plugins of the pipeline.
    pub(crate) fn plugins(&self) -> Option<Aged<Result<Vec<Plugin>, ErrorView>>> {
        let library = Arc::clone(&self.library);
        let wanted = Wanted {
            version: 0,
            max_age: PLAN_AGE,
            patience: self.patience,
        };
        self.plugins.get(&(), wanted, move || library.plugins())
    }
}

pub(crate) fn store_error(error: &StoreError) -> ErrorView {
    ErrorView::of(error.kind(), error.hint(), error)
}

pub(crate) fn find_error(error: &FindError) -> ErrorView {
    ErrorView::of(error.kind(), error.hint(), error)
}

/// Returns a number that differs after each write to the state.
fn version(folder: &Path) -> u64 {
    let mut stamps = String::new();
    for name in ["state.sqlite3", "state.sqlite3-wal"] {
        let Ok(found) = std::fs::metadata(folder.join(name)) else {
            continue;
        };
        let modified = found.modified().ok();
        let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let nanoseconds = since.map_or(0, |since| since.as_nanos());
        stamps.push_str(&format!("{} {nanoseconds} ", found.len()));
    }
    let digest = Digest::of(stamps.as_bytes());
    let first = digest.as_bytes().first_chunk().copied();
    u64::from_le_bytes(first.unwrap_or_default())
}
