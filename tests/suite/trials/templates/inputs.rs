//! Changes of the source files of a template.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::random::SeededRandom;
use crate::support::test_project::TestProject;

/// The folders of the templates that have their sources.
const FOLDERS: [&str; 5] = ["exports", "sources", "bios", "pages", "tickets"];

/// A word that every source has in its texts, and none in its structure.
const WORD: &str = " the ";

/// Changes, adds or removes a source, and says what was done.
pub(super) fn change_sources(
    project: &TestProject,
    random: &mut SeededRandom,
    number: u64,
) -> String {
    let sources = sources(project);
    let path = &sources[usize::try_from(random.below(sources.len() as u64)).unwrap()];
    let shown = path.file_name().unwrap().to_string_lossy();
    let extension = path.extension().unwrap().to_str().unwrap();
    let text = fs::read_to_string(path).unwrap();
    match (random.below(4), extension) {
        (0, "md") if sources.len() > 4 => {
            fs::remove_file(path).unwrap();
            format!("{shown} removed")
        }
        (1, "md") => {
            let new = path.with_file_name(format!("new-{number}.md"));
            fs::write(new, edited(&text, random, number)).unwrap();
            format!("{shown} copied and edited")
        }
        // Each line is a ticket. A session of an agent is a chain of lines.
        (0, "jsonl") if path.parent().unwrap().ends_with("tickets") => {
            let mut lines: Vec<&str> = text.lines().collect();
            lines.remove(usize::try_from(random.below(lines.len() as u64)).unwrap());
            fs::write(path, lines.join("\n")).unwrap();
            format!("a line of {shown} removed")
        }
        (0, "jsonl") if sources.len() > 8 => {
            fs::remove_file(path).unwrap();
            format!("{shown} removed")
        }
        _ => {
            fs::write(path, edited(&text, random, number)).unwrap();
            format!("{shown} edited")
        }
    }
}

/// Adds a number to a sentence.
fn edited(text: &str, random: &mut SeededRandom, number: u64) -> String {
    let places: Vec<usize> = text.match_indices(WORD).map(|(at, _)| at).collect();
    let at = random.one_of(&places);
    format!(
        "{} the {number}{}",
        &text[..at],
        &text[at + WORD.len() - 1..]
    )
}

/// Returns the paths of the sources with sentences, sorted.
fn sources(project: &TestProject) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        collect(&project.path(folder), &mut found);
    }
    found.retain(|path| fs::read_to_string(path).unwrap().contains(WORD));
    found.sort();
    found
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.push(path);
        }
    }
}
