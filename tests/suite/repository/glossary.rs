//! The words that `docs/glossary.md` rules out occur in no document, no help text and no message.

use std::fs;
use std::path::{Path, PathBuf};

use crate::repository::documents::{ROOT, documents};
use crate::support::test_project::command_in;

/// A word or phrase that is not used, in lower case.
struct Unused {
    phrase: String,
    replacement: String,
}

/// Returns the rows of the glossary's table of unused words.
fn unused_words() -> Vec<Unused> {
    let glossary = fs::read_to_string(format!("{ROOT}/docs/glossary.md")).unwrap();
    let (_, table) = glossary
        .split_once("| not used | use instead |\n| --- | --- |\n")
        .unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    rows.flat_map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let replacement = cells[2].to_owned();
        let phrases = cells[1].split(", ").map(str::to_lowercase);
        phrases.map(move |phrase| Unused {
            phrase,
            replacement: replacement.clone(),
        })
    })
    .collect()
}

/// Replaces code spans by blanks: file names, keys and flags are not prose.
fn without_code(line: &str) -> String {
    line.split('`')
        .enumerate()
        .map(|(position, part)| if position % 2 == 0 { part } else { " " })
        .collect()
}

fn contains_phrase(line: &str, phrase: &str) -> bool {
    let is_word = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-');
    line.match_indices(phrase).any(|(start, found)| {
        let before = line[..start].chars().next_back();
        let after = line[start + found.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// Returns a line for each unused word: place, line, word and replacement.
fn check(place: &str, first_line: usize, text: &str, unused: &[Unused]) -> Vec<String> {
    let mut uses = Vec::new();
    for (offset, line) in text.lines().enumerate() {
        let prose = without_code(line).to_lowercase();
        for Unused {
            phrase,
            replacement,
        } in unused
        {
            if contains_phrase(&prose, phrase) {
                let line = first_line + offset;
                uses.push(format!(
                    "{place}:{line}: do not write \"{phrase}\"; write \"{replacement}\""
                ));
            }
        }
    }
    uses
}

#[track_caller]
fn assert_none(uses: &[String]) {
    assert!(
        uses.is_empty(),
        "docs/glossary.md rules out these words:\n{}",
        uses.join("\n")
    );
}

/// Blanks out fenced code blocks and the table of unused words, and keeps the numbers of lines.
fn prose_of_document(text: &str) -> String {
    let mut is_code = false;
    let mut is_table = false;
    let mut prose = String::new();
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        is_table = line.starts_with("| not used |") || (is_table && line.starts_with('|'));
        if !is_code && !is_fence && !is_table {
            prose.push_str(line);
        }
        prose.push('\n');
    }
    prose
}

#[test]
fn no_document_contains_an_unused_word() {
    let unused = unused_words();
    let mut uses = Vec::new();
    for path in documents() {
        let name = path.file_name().unwrap().to_str().unwrap();
        // These pages quote what should not be written, or what was written earlier.
        if ["STYLE.md", "CHANGELOG.md"].contains(&name) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        uses.extend(check(name, 1, &prose_of_document(&text), &unused));
    }
    assert_none(&uses);
}

/// Returns the names in the section `Commands:` of a help text.
fn subcommands(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let entries = lines.take_while(|line| !line.trim().is_empty());
    // Continuations of a long description are indented further.
    let entries = entries.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = entries.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn no_help_text_contains_an_unused_word() {
    let folder = tempfile::tempdir().unwrap();
    let unused = unused_words();
    let mut uses = Vec::new();
    let mut pending: Vec<Vec<String>> = vec![Vec::new()];
    let mut count = 0;
    while let Some(command) = pending.pop() {
        count += 1;
        let mut arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        arguments.push("--help");
        let help = command_in(folder.path(), &arguments).run().expect_code(0);
        let place = format!("synix {}", arguments.join(" "));
        uses.extend(check(&place, 1, &help.stdout, &unused));
        pending.extend(subcommands(&help.stdout).into_iter().map(|name| {
            let mut nested = command.clone();
            nested.push(name);
            nested
        }));
    }
    assert!(count > 25, "found only {count} commands");
    assert_none(&uses);
}

/// Skips a character literal that contains a quotation mark, which would otherwise start a string.
fn after_quote_character(rest: &str) -> Option<&str> {
    ["'\"'", "'\\\"'"]
        .iter()
        .find_map(|literal| rest.strip_prefix(literal))
}

/// Returns the string literals of a Rust file with their lines, without comments.
fn literals(source: &str) -> Vec<(usize, &str)> {
    let mut literals = Vec::new();
    let mut rest = source;
    let line_of = |rest: &str| source[..source.len() - rest.len()].matches('\n').count() + 1;
    let mut is_after_word = false;
    while let Some(character) = rest.chars().next() {
        let raw = rest.strip_prefix('r').filter(|_| !is_after_word);
        let hashes = raw.map_or(0, |raw| raw.len() - raw.trim_start_matches('#').len());
        is_after_word = character.is_alphanumeric() || character == '_';
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if rest.starts_with("/*") {
            rest = rest.find("*/").map_or("", |end| &rest[end + 2..]);
        } else if let Some(text) = raw.and_then(|raw| raw[hashes..].strip_prefix('"')) {
            let quote = format!("\"{}", "#".repeat(hashes));
            let end = text.find(&quote).unwrap_or(text.len());
            literals.push((line_of(text), &text[..end]));
            rest = text[end..].strip_prefix(quote.as_str()).unwrap_or("");
        } else if let Some(text) = rest.strip_prefix('"') {
            let mut is_escaped = false;
            let is_end = |one: char| {
                let ends = one == '"' && !is_escaped;
                is_escaped = one == '\\' && !is_escaped;
                ends
            };
            let end = text.find(is_end).unwrap_or(text.len());
            literals.push((line_of(text), &text[..end]));
            rest = text.get(end + 1..).unwrap_or("");
        } else if let Some(after) = after_quote_character(rest) {
            rest = after;
        } else {
            rest = &rest[character.len_utf8()..];
        }
    }
    literals
}

/// Returns the Rust files below a folder whose messages users can see.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !["tests", "benches", "examples", "target"].contains(&name) {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "tests.rs"
        {
            found.push(path);
        }
    }
}

/// Returns the unused words in the messages of a Rust file. A literal without a blank is a name, not a message.
fn check_messages(place: &str, source: &str, unused: &[Unused]) -> Vec<String> {
    let code = source
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default();
    let messages = literals(code)
        .into_iter()
        .filter(|(_, text)| text.contains(' '));
    messages
        .flat_map(|(line, text)| check(place, line, text, unused))
        .collect()
}

#[test]
fn no_message_contains_an_unused_word() {
    let unused = unused_words();
    let mut files = Vec::new();
    sources(Path::new(&format!("{ROOT}/host")), &mut files);
    assert!(files.len() > 100, "found only {} files", files.len());
    let mut uses = Vec::new();
    for path in files {
        let place = path.strip_prefix(ROOT).unwrap().display().to_string();
        let source = fs::read_to_string(&path).unwrap();
        uses.extend(check_messages(&place, &source, &unused));
    }
    assert_none(&uses);
}

#[test]
fn an_unused_word_is_reported_with_file_line_word_and_replacement() {
    let unused = unused_words();
    assert_eq!(
        check("a.md", 1, "One.\nThe Lockfile and `lockfile`.", &unused),
        ["a.md:2: do not write \"lockfile\"; write \"lock file\""]
    );
    let none = check("a.md", 1, "The plug-ins-folder is no match.", &unused);
    assert_eq!(none, Vec::<String>::new());
    let source = concat!(
        "// \"a lockfile\" in a comment\n",
        "let quote = ('\"', b'\"', \"\\\" lockfile\");\n",
        "let raw = r#\"a \"filename\" in raw text\"#;\n",
        "let name = \"lockfile\";\n",
        "let lines = \"the first\n",
        "plug-in\";\n",
    );
    assert_eq!(
        check_messages("a.rs", source, &unused),
        [
            "a.rs:2: do not write \"lockfile\"; write \"lock file\"",
            "a.rs:3: do not write \"filename\"; write \"file name\"",
            "a.rs:6: do not write \"plug-in\"; write \"plugin\"",
        ]
    );
}

#[test]
fn code_blocks_and_the_table_of_unused_words_are_not_prose() {
    let text = "One.\n```\nlockfile\n```\n| not used | use instead |\n| lockfile | x |\n\nTwo.\n";
    let prose = prose_of_document(text);
    assert_eq!(prose, "One.\n\n\n\n\n\n\nTwo.\n");
}
