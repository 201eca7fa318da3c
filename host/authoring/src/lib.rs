//! The tools of a plugin's author: create a plugin, build it, inspect it, check it, and run it.
//!
//! This crate needs no project, no provider and no state. Each module is behind one command: [`scaffold`] behind
//! `synix plugin new`, [`build`] behind `plugin build`, [`inspect`] and [`reference`] behind `plugin inspect`, [`check`]
//! behind `plugin check`, and [`unit_run`] and [`file_run`] behind `plugin run`.
//!
//! ```
//! use synix_authoring::scaffold::scaffold;
//! use synix_authoring::{Language, PluginKind};
//!
//! let parent = tempfile::tempdir()?;
//! let folder = parent.path().join("topics");
//! let files = scaffold("topics", PluginKind::Transform, Language::Python, &folder)?;
//! assert!(files.iter().any(|path| path.ends_with("plugin.py")), "{files:?}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod build;
pub mod check;
mod contract;
pub mod file_run;
pub mod inspect;
mod kind;
mod language;
pub mod reference;
pub mod scaffold;
pub mod unit_run;

pub use kind::{LoadedPlugin, PluginKind, UnknownKind};
pub use language::Language;
