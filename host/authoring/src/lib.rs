//! What a plugin's author uses: a folder to start from, the way from there to a component, looking into it, checking it,
//! and running one unit of it.
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
pub mod desk;
pub mod inspect;
mod language;
pub mod reference;
pub mod scaffold;

pub use language::Language;
