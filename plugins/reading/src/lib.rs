//! What readers of files share: archives, JSON, text, time and labels.
//!
//! A reader takes untrusted files and has little memory, so everything here streams, and every bound is named where it is
//! enforced. Nothing here knows a format that a person would name: that is the reader's own part.
//!
//! ```
//! use std::io::Read as _;
//! use synix_plugin::reading::File;
//! use synix_plugin::{Error, Output, Reader, reading};
//! use synix_reading::archive::Archive;
//!
//! #[derive(serde::Deserialize)]
//! struct Config {}
//!
//! /// One artifact for each file, also of those in a zip.
//! struct Whole;
//!
//! impl Reader for Whole {
//!     const NAME: &'static str = "whole";
//!     const VERSION: &'static str = "0.1.0";
//!     const SUMMARY: &'static str = "Makes each file an artifact";
//!     type Config = Config;
//!
//!     fn config_schema() -> String {
//!         r#"{"type": "object"}"#.to_owned()
//!     }
//!
//!     fn read(file: &File, _: &Config) -> Result<(), Error> {
//!         Archive::open(file)?.for_each(|entry| {
//!             reading::at(entry.inside());
//!             let mut text = String::new();
//!             match entry.open()?.read_to_string(&mut text) {
//!                 Ok(_) => reading::emit(Output::text(entry.path(), "text", text)),
//!                 Err(_) => reading::skip(entry.path(), reading::Reason::Unreadable),
//!             }
//!             Ok(())
//!         })
//!     }
//! }
//!
//! let ran = synix_plugin::testing::read::<Whole>("a.txt", b"hello", "{}");
//! assert_eq!(ran.outputs[0].label, "a.txt");
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

#[cfg(feature = "files")]
pub mod archive;
#[cfg(feature = "files")]
pub mod json;
pub mod label;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
pub mod time;
