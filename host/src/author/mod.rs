//! What a plugin's author uses: a folder to start from, and the way from there to a component.

pub mod build;
mod contract;
mod language;
pub mod scaffold;

pub use language::Language;
