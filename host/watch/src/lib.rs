//! Waits for changes of the files in a folder.
//!
//! The operating system reports changes where it can. Otherwise, and on file systems that report nothing, the folder is
//! polled. This crate does not know which files matter: the caller decides that for each change.
//!
//! ```
//! use std::time::Duration;
//! use synix_watch::{Method, Wait, Wake, Watcher};
//!
//! let folder = tempfile::tempdir()?;
//! let watcher = Watcher::start(folder.path(), Method::Events)?;
//! synix_disk::replace(&folder.path().join("monday.md"), b"It rained.")?;
//! let wait = Wait {
//!     quiet: Duration::from_millis(10),
//!     at_most: None,
//! };
//! let wake = watcher.wait(&wait, |change| change.path.ends_with("monday.md"));
//! assert!(matches!(wake, Wake::Changed(changes) if changes[0].path.ends_with("monday.md")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod change;
mod watcher;

pub use change::{Change, Subject};
pub use watcher::{Method, Stopper, Wait, Wake, WatchError, Watcher};
