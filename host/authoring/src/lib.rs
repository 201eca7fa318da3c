//! What a plugin's author uses: a folder to start from, the way from there to a component, looking into it, checking it,
//! and running one unit of it.

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
