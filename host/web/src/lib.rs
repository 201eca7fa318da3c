//! A web page that shows the builds and artifacts of a project, and changes nothing.
//!
//! A [`Site`] makes pages of the engine's views: [`Site::page`] is a function from a [`Request`] to a [`Reply`] and
//! knows no server. A [`Server`] serves a site on this machine. What a project is, and how it is found, is known to the
//! [`Library`] of the caller.
//!
//! ```
//! use synix_web::{Request, Target};
//!
//! let request = Request::parse("/artifact?layer=notes&label=a%2Fb&snapshot=%40-1");
//! assert_eq!(request.snapshot.as_deref(), Some("@-1"));
//! assert_eq!(request.target, Target::Artifact { layer: "notes".to_owned(), label: "a/b".to_owned() });
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod assets;
mod export;
mod graph;
mod guard;
mod html;
mod library;
mod links;
mod pages;
mod plot;
mod reply;
mod server;
mod site;
mod slow;
mod target;
mod token;

pub use export::{ExportError, Exported, export};
pub use library::{Library, Planned, Plugin, PluginDescription, State};
pub use links::Links;
pub use reply::{Reply, Status};
pub use server::{DEFAULT_PORT, ServeError, Server, Stop};
pub use site::Site;
pub use target::{Request, Target};
pub use token::Token;
