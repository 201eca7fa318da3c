//! Waits until the files of a project change, for a command that builds again and again.

mod inputs;
mod spent;

use std::path::{Path, PathBuf};
use std::time::Duration;

use synix_core::clock::{Clock, Timestamp};
use synix_watch::{Change, Method, Stopper, Wait, Wake, Watcher};

use super::context::ProjectContext;
use super::interrupt::on_interrupt;
use super::{Options, Project, ProjectError};
use inputs::Inputs;

pub use spent::{DaySpending, spent_today};

/// How changed paths are listed: as many as these, and the number of the others.
const MAX_SHOWN: usize = 3;

/// How a project is watched.
#[derive(Debug, Clone)]
pub struct WatchOptions {
    /// How long nothing may change before the next build.
    pub quiet: Duration,
    /// How often to compare the files; `None`: the operating system reports changes.
    pub poll: Option<Duration>,
    /// Folders that the command itself writes, besides the state and the cassette.
    pub written: Vec<PathBuf>,
}

/// Why a wait for changes ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectWake {
    /// Files changed; the text names some of them.
    Changed(String),
    /// The moment has come.
    Elapsed,
    /// Ctrl-C or SIGTERM.
    Interrupted,
}

/// Watches the files that a project is built from.
#[derive(Debug)]
pub struct ProjectWatch {
    watcher: Watcher,
    quiet: Duration,
    /// The folder as the watcher reports it.
    root: PathBuf,
    /// Paths below the root that a build writes.
    written: Vec<PathBuf>,
    /// The files that matter; `None`: all of them, because the pipeline file could not be read.
    inputs: Option<Inputs>,
    clock: Clock,
}

impl ProjectWatch {
    /// Begins to watch a project. From now on, Ctrl-C and SIGTERM end the waits.
    pub fn start(options: &Options, watch: &WatchOptions) -> Result<Self, ProjectError> {
        let context = ProjectContext::find(options)?;
        // Some systems report canonical paths only.
        let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let root = canonical(&options.environment.resolve(&context.root));
        let method = watch.poll.map_or(Method::Events, Method::Poll);
        let watcher = Watcher::start(&root, method)?;
        let stopper: Stopper = watcher.stopper();
        on_interrupt(move || stopper.stop())?;
        let mut written = vec![PathBuf::from(".synix"), PathBuf::from(".git")];
        let others = watch.written.iter().map(PathBuf::as_path);
        for folder in others.chain([context.cassette_dir.as_path()]) {
            let folder = options.environment.resolve(folder);
            // Of a folder that does not exist yet, the parent has a canonical path.
            let folder = match (folder.parent(), folder.file_name()) {
                (Some(parent), Some(name)) => canonical(parent).join(name),
                _ => folder,
            };
            if let Ok(relative) = folder.strip_prefix(&root)
                && relative != Path::new("")
            {
                written.push(relative.to_owned());
            }
        }
        Ok(Self {
            watcher,
            quiet: watch.quiet,
            root,
            written,
            inputs: None,
            clock: context.clock,
        })
    }

    /// From now on, only the files that `project` is built from matter.
    pub fn follow(&mut self, project: &Project) {
        self.inputs = Some(Inputs::of(project));
    }

    /// From now on, every file matters, because nobody knows what a pipeline that cannot be read is built from.
    pub fn follow_everything(&mut self) {
        self.inputs = None;
    }

    /// Waits until files change that matter, or until a moment.
    pub fn wait(&self, until: Option<Timestamp>) -> ProjectWake {
        let wait = Wait {
            quiet: self.quiet,
            at_most: until.map(|until| until.since(self.clock.now())),
        };
        match self.watcher.wait(&wait, |change| self.matters(change)) {
            Wake::Changed(changes) => ProjectWake::Changed(self.description(&changes)),
            Wake::Elapsed => ProjectWake::Elapsed,
            Wake::Stopped => ProjectWake::Interrupted,
        }
    }

    /// Returns whether Ctrl-C or SIGTERM has arrived, and drops the changes that happened until now.
    pub fn is_interrupted(&self) -> bool {
        let now = Wait {
            quiet: Duration::ZERO,
            at_most: Some(Duration::ZERO),
        };
        self.watcher.wait(&now, |_| false) == Wake::Stopped
    }

    fn matters(&self, change: &Change) -> bool {
        let Ok(path) = change.path.strip_prefix(&self.root) else {
            // Changes that were lost, or the folder itself.
            return true;
        };
        if self.written.iter().any(|folder| path.starts_with(folder)) {
            return false;
        }
        self.inputs
            .as_ref()
            .is_none_or(|inputs| inputs.matter(path, change.subject))
    }

    fn description(&self, changes: &[Change]) -> String {
        let mut names: Vec<String> = changes
            .iter()
            .map(|change| change.path.strip_prefix(&self.root).unwrap_or(&change.path))
            .map(|path| path.display().to_string())
            .filter(|name| !name.is_empty())
            .collect();
        names.sort();
        names.dedup();
        let more = names.len().saturating_sub(MAX_SHOWN);
        names.truncate(MAX_SHOWN);
        match (names.is_empty(), more) {
            (true, _) => "files have changed".to_owned(),
            (false, 0) => format!("changed: {}", names.join(", ")),
            (false, more) => format!("changed: {} and {more} more", names.join(", ")),
        }
    }
}
