//! Receives changes, and waits until they are over.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use notify::{Config, PollWatcher, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::change::{Change, changes_of, lost_changes};

/// The wait for further changes ends after this many times its length, even if the files never come to rest.
const MAX_RESTARTS: u32 = 10;

/// How changes are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The operating system reports them.
    Events,
    /// The files are compared with their former size and time, this often.
    Poll(Duration),
}

/// Why a folder cannot be watched.
#[derive(Debug, thiserror::Error)]
#[error("cannot watch {} for changes", .folder.display())]
pub struct WatchError {
    /// The folder.
    pub folder: PathBuf,
    /// The error of the operating system.
    pub source: notify::Error,
}

/// How long to wait.
#[derive(Debug, Clone)]
pub struct Wait {
    /// How long nothing may change after a change, because programs write several files in a row.
    pub quiet: Duration,
    /// The time after which the wait ends without a change. `None`: never.
    pub at_most: Option<Duration>,
}

/// Why a wait ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wake {
    /// Files changed, in this order.
    Changed(Vec<Change>),
    /// The time is over.
    Elapsed,
    /// Somebody called [`Stopper::stop`].
    Stopped,
}

enum Message {
    Event(notify::Result<notify::Event>),
    Stop,
}

/// Watches a folder with all that is in it.
pub struct Watcher {
    messages: Receiver<Message>,
    sender: Sender<Message>,
    /// Reports changes for as long as it lives.
    _source: Box<dyn notify::Watcher + Send>,
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").finish_non_exhaustive()
    }
}

/// Ends the waits of a watcher, from any thread.
#[derive(Debug, Clone)]
pub struct Stopper(Sender<Message>);

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(event) => fmt::Debug::fmt(event, f),
            Self::Stop => f.write_str("Stop"),
        }
    }
}

impl Stopper {
    /// Ends the current wait, or else the next one.
    pub fn stop(&self) {
        // If the watcher is gone, nobody waits.
        let _ = self.0.send(Message::Stop);
    }
}

impl Watcher {
    /// Begins to watch. Links are not followed.
    pub fn start(folder: &Path, method: Method) -> Result<Self, WatchError> {
        let (sender, messages) = channel();
        let events = sender.clone();
        let report = move |event| {
            // If the watcher is gone, nobody waits.
            let _ = events.send(Message::Event(event));
        };
        let config = Config::default().with_follow_symlinks(false);
        let started = match method {
            Method::Events => RecommendedWatcher::new(report, config)
                .and_then(|watcher| watching(watcher, folder)),
            Method::Poll(interval) => PollWatcher::new(report, config.with_poll_interval(interval))
                .and_then(|watcher| watching(watcher, folder)),
        };
        Ok(Self {
            _source: started.map_err(|source| WatchError {
                folder: folder.to_owned(),
                source,
            })?,
            messages,
            sender,
        })
    }

    /// Returns what ends the waits.
    pub fn stopper(&self) -> Stopper {
        Stopper(self.sender.clone())
    }

    /// Waits for changes that matter, including those since the last wait, and then until they are over.
    pub fn wait(&self, wait: &Wait, matters: impl Fn(&Change) -> bool) -> Wake {
        let deadline = wait.at_most.map(|at_most| Instant::now() + at_most);
        let mut changes: Vec<Change> = Vec::new();
        // Both ends of the quiet time: it moves with each change, but not for ever.
        let mut quiet: Option<(Instant, Instant)> = None;
        loop {
            let until = quiet.map(|(next, last)| next.min(last)).or(deadline);
            let message = match until {
                None => self
                    .messages
                    .recv()
                    .map_err(|_| RecvTimeoutError::Disconnected),
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    self.messages.recv_timeout(left)
                }
            };
            let found = match message {
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return Wake::Stopped,
                Err(RecvTimeoutError::Timeout) if changes.is_empty() => return Wake::Elapsed,
                Err(RecvTimeoutError::Timeout) => return Wake::Changed(changes),
                Ok(Message::Event(Ok(event))) => changes_of(event),
                Ok(Message::Event(Err(error))) => {
                    tracing::warn!(%error, "cannot tell which files have changed");
                    vec![lost_changes()]
                }
            };
            let before = changes.len();
            let new = found.into_iter().filter(|change| matters(change));
            changes.extend(new);
            if changes.len() > before {
                let now = Instant::now();
                let last = match quiet {
                    Some((_, last)) => last,
                    None => now + wait.quiet * MAX_RESTARTS,
                };
                quiet = Some((now + wait.quiet, last));
                changes.dedup();
            }
        }
    }
}

fn watching(
    mut watcher: impl notify::Watcher + Send + 'static,
    folder: &Path,
) -> notify::Result<Box<dyn notify::Watcher + Send>> {
    watcher.watch(folder, RecursiveMode::Recursive)?;
    Ok(Box::new(watcher))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Subject;

    const SOON: Wait = Wait {
        quiet: Duration::ZERO,
        at_most: None,
    };

    fn names(wake: Wake) -> Vec<String> {
        let Wake::Changed(changes) = wake else {
            panic!("{wake:?}");
        };
        let name = |change: &Change| {
            let name = change.path.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        };
        changes.iter().map(name).collect()
    }

    fn write(folder: &Path, name: &str) {
        synix_disk::replace(&folder.join(name), name.as_bytes()).unwrap();
    }

    #[test]
    fn only_changes_that_matter_end_a_wait() {
        let folder = tempfile::tempdir().unwrap();
        let watcher = Watcher::start(folder.path(), Method::Events).unwrap();
        write(folder.path(), "ignored.txt");
        write(folder.path(), "a.md");
        let matters = |change: &Change| change.path.extension().is_some_and(|ext| ext == "md");
        assert_eq!(names(watcher.wait(&SOON, matters))[0], "a.md");
    }

    #[test]
    fn a_change_between_two_waits_is_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        let watcher = Watcher::start(folder.path(), Method::Events).unwrap();
        write(folder.path(), "first.md");
        let is = |name: &'static str| move |change: &Change| change.path.ends_with(name);
        watcher.wait(&SOON, is("first.md"));
        write(folder.path(), "second.md");
        assert_eq!(names(watcher.wait(&SOON, is("second.md")))[0], "second.md");
    }

    #[test]
    fn a_file_in_a_new_folder_or_its_folder_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let watcher = Watcher::start(folder.path(), Method::Events).unwrap();
        std::fs::create_dir(folder.path().join("new")).unwrap();
        write(&folder.path().join("new"), "a.md");
        let wake = watcher.wait(&SOON, |change| change.subject == Subject::Folder);
        assert_eq!(names(wake)[0], "new");
    }

    #[test]
    fn polling_finds_the_same_change() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "before.md");
        let interval = Duration::from_millis(5);
        let watcher = Watcher::start(folder.path(), Method::Poll(interval)).unwrap();
        write(folder.path(), "after.md");
        let wake = watcher.wait(&SOON, |change| change.path.ends_with("after.md"));
        assert_eq!(names(wake)[0], "after.md");
    }

    #[test]
    fn a_stop_before_the_wait_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        let watcher = Watcher::start(folder.path(), Method::Events).unwrap();
        watcher.stopper().stop();
        assert_eq!(watcher.wait(&SOON, |_| false), Wake::Stopped);
    }

    #[test]
    fn a_wait_without_changes_ends_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let watcher = Watcher::start(folder.path(), Method::Events).unwrap();
        let wait = Wait {
            at_most: Some(Duration::ZERO),
            ..SOON
        };
        assert_eq!(watcher.wait(&wait, |_| true), Wake::Elapsed);
    }

    #[test]
    fn a_folder_that_does_not_exist_cannot_be_watched() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let error = Watcher::start(&missing, Method::Events).unwrap_err();
        assert!(error.to_string().contains("missing"));
    }
}
