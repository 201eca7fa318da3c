//! What a plugin's author uses.

pub mod build;
