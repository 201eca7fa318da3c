//! What the author of a plugin sees of an error in it: one message that names the author's own file and line.

mod go_and_c;
mod javascript;
mod python;

use std::fs;
use std::path::Path;

use crate::support::invocation::Run;
use crate::support::plugin_tools::plugin_command;

/// Returns the number of the first line that contains a text.
#[track_caller]
pub(crate) fn line_of(text: &str, source_text: &str) -> usize {
    let found = text.lines().position(|line| line.contains(source_text));
    found.unwrap_or_else(|| panic!("no line has {source_text}")) + 1
}

pub(crate) fn run_plugin(folder: &Path, component: &str, note: &str, reply: &str) -> Run {
    let input = folder.join("note.md");
    fs::write(&input, note).unwrap();
    let arguments = ["run", component, "--reply", reply, "--input"];
    Run::of(&mut plugin_command(&arguments, &input))
}

/// Returns the log messages of a level that a run prints. A message of several lines is one text.
pub(crate) fn log_messages(run: &Run, level: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in run.stdout.lines() {
        if let Some(message) = line.strip_prefix(&format!("log {level}: ")) {
            found.push(message.to_owned());
            is_open = true;
        } else if ["log ", "unit ", "failed: "]
            .iter()
            .any(|start| line.starts_with(start))
        {
            is_open = false;
        } else if let (true, Some(last)) = (is_open, found.last_mut()) {
            last.push_str(&format!("\n{line}"));
        }
    }
    found
}
