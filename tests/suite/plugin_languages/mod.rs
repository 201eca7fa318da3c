//! Plugins in other languages. These tests need the tools that `cargo xtask setup --languages` installs.

mod author_mistakes;
mod errors;
mod every_language;
mod examples;
mod generated_bindings;
mod isolation;
mod readers;
mod readers_in_pipelines;
mod scaffolds;
mod split_examples;
mod without_sdk;
