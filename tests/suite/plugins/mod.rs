//! What the author of a plugin and the owner of a pipeline set: capabilities, options and limits.

mod capabilities;
mod options_and_limits;
mod run;
mod run_reader;
