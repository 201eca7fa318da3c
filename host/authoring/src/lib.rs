//! The tools of a plugin's author: create a plugin, build it, inspect it, check it, and run one of its units.
//!
//! This crate needs no project, no provider and no state. Each module is behind one command: [`scaffold`] behind
//! `synix plugin new`, [`build`] behind `plugin build`, [`inspect`] and [`reference`] behind `plugin inspect`, [`check`]
//! behind `plugin check`, and [`unit_run`] behind `plugin run`.
//!
//! ```
//! use synix_authoring::Language;
//! use synix_authoring::scaffold::scaffold;
//!
//! let parent = tempfile::tempdir()?;
//! let files = scaffold("topics", Language::Python, &parent.path().join("topics"))?;
//! assert!(files.iter().any(|path| path.ends_with("plugin.py")), "{files:?}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod build;
pub mod check;
mod contract;
pub mod inspect;
mod language;
pub mod reference;
pub mod scaffold;
pub mod unit_run;

pub use language::Language;
