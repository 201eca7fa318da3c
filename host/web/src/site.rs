//! Makes pages of a project. It knows no server, so that pages can also be written to files.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use synix_core::digest::Digest;
use synix_engine::view::ErrorView;

use crate::assets;
use crate::library::{Library, Planned, State};
use crate::links::Links;
use crate::pages;
use crate::reply::Reply;
use crate::slow::{Aged, Slow, Wanted};
use crate::target::{Request, Target};

/// How long a page waits for a plan before it shows the last one.
const PATIENCE: Duration = Duration::from_millis(200);
/// Source files may change without the state, so a plan does not hold for long.
const PLAN_AGE: Duration = Duration::from_secs(1);
/// The same for a page that nobody has just opened.
const PLAN_AGE_OF_UPDATE: Duration = Duration::from_secs(30);

/// The pages of a project.
pub struct Site {
    library: Arc<dyn Library>,
    plans: Slow<(), Result<Planned, ErrorView>>,
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
        match &request.target {
            Target::Style => Reply::file("text/css; charset=utf-8", assets::STYLE),
            Target::Script => Reply::file("text/javascript; charset=utf-8", assets::SCRIPT),
            _ => pages::page(self, request, links),
        }
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
