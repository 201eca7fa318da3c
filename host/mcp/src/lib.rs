//! A Model Context Protocol server that lets an agent read artifacts, and nothing else.
//!
//! This crate knows the protocol. What there is to read is a [`Library`]: a project or a release folder. Each call is
//! passed to it as a plain value, and its result is the document that the command of the same name prints with `--json`.
//!
//! ```
//! use std::io::{Cursor, sink};
//! use synix_mcp::{Library, LibraryError, ListArguments, Output, OutputText, serve};
//! # use synix_mcp::{LineageArguments, SearchArguments, ShowArguments};
//! # use serde_json::{Value, json};
//!
//! struct Empty;
//!
//! impl Library for Empty {
//!     fn list(&self, _: &ListArguments) -> Result<Value, LibraryError> {
//!         Ok(json!({ "artifacts": [] }))
//!     }
//! #   fn search(&self, _: &SearchArguments) -> Result<Value, LibraryError> { Ok(Value::Null) }
//! #   fn show(&self, _: &ShowArguments) -> Result<Value, LibraryError> { Ok(Value::Null) }
//! #   fn lineage(&self, _: &LineageArguments) -> Result<Value, LibraryError> { Ok(Value::Null) }
//! #   fn outputs(&self) -> Result<Vec<Output>, LibraryError> { Ok(Vec::new()) }
//! #   fn read(&self, _: &str) -> Result<OutputText, LibraryError> { Ok(OutputText { media_type: String::new(), text: String::new() }) }
//!     // … and the other methods.
//! }
//!
//! // A client that closes the connection ends the server.
//! serve(Empty, Cursor::new(""), sink())?;
//! # Ok::<(), synix_mcp::ServeError>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod library;
mod server;
mod streams;
mod tools;

pub use library::{
    Direction, Library, LibraryError, LineageArguments, ListArguments, Output, OutputText,
    SearchArguments, ShowArguments,
};
pub use streams::{ServeError, serve};
