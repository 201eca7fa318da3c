//! The command line: output formats, errors, logs, completions, and the command as a library.

mod completions;
mod control_sequences;
mod interface;
mod json_errors;
mod library;
mod logs;
mod short_commands;
mod template_builds;
mod templates;
mod terminal;
