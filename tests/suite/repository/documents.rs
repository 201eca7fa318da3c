//! The documents only promise what the command does (C12).

use std::fs;
use std::path::PathBuf;

use crate::support::plugin_tools::{documented_test_command, languages};
use crate::support::test_project::command_in;

pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

pub(crate) fn documents() -> Vec<PathBuf> {
    let mut documents = Vec::new();
    for folder in [ROOT.to_owned(), format!("{ROOT}/docs")] {
        let entries = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        documents.extend(
            entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")),
        );
    }
    documents
}

/// Returns the lines of code blocks that call the command, without trailing comments.
fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
            continue;
        }
        let line = line.trim().trim_start_matches("$ ");
        if inside && line.starts_with("synix ") {
            commands.push(
                line.split(" #")
                    .next()
                    .unwrap_or_default()
                    .trim()
                    .to_owned(),
            );
        }
    }
    commands
}

/// C12: every flag exists too.
#[test]
fn every_command_in_the_documents_exists() {
    let folder = tempfile::tempdir().unwrap();
    for document in documents() {
        for line in commands(&fs::read_to_string(&document).unwrap()) {
            let arguments_and_flags: Vec<&str> = line.split_whitespace().skip(1).collect();
            let depth = if matches!(
                arguments_and_flags.first(),
                Some(&("batch-build" | "demo" | "plugin"))
            ) {
                2
            } else {
                1
            };
            let mut arguments: Vec<&str> = arguments_and_flags
                .iter()
                .copied()
                .filter(|word| !word.starts_with('-'))
                .take(depth)
                .collect();
            arguments.push("--help");
            let help = command_in(folder.path(), &arguments).run();
            assert_eq!(
                help.code,
                0,
                "{}: {line}\n{}",
                document.display(),
                help.stderr
            );
            for flag in arguments_and_flags
                .iter()
                .filter(|word| word.starts_with("--"))
            {
                let flag = flag.split(['=', ']']).next().unwrap_or_default();
                assert!(
                    help.stdout.contains(flag),
                    "{}: {line}: no {flag}",
                    document.display()
                );
            }
        }
    }
}

/// C12: a block under a comment with a file name is a part of that file, as `plugin new` fills it in.
#[test]
fn every_quoted_block_is_in_its_file() {
    let mut quoted = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for part in text.split("\n<!-- ").skip(1) {
            let Some((file, rest)) = part.split_once(" -->\n```") else {
                continue;
            };
            let (_, block) = rest.split_once('\n').unwrap();
            let (block, _) = block.split_once("\n```").unwrap();
            let source = fs::read_to_string(format!("{ROOT}/{file}")).unwrap();
            let source = source.replace("{{name}}", "my-items");
            assert!(
                source.contains(block),
                "{}: {file} has no\n{block}",
                document.display()
            );
            quoted += 1;
        }
    }
    assert!(quoted >= 7, "only {quoted} blocks name their file");
}

/// C12: the commands to install the tools and to run the tests.
#[test]
fn the_documents_list_the_commands_of_each_scaffold() {
    let document = fs::read_to_string(format!("{ROOT}/docs/plugins.md")).unwrap();
    for language in languages() {
        let readme = format!("{ROOT}/plugins/scaffolds/{language}/README.md");
        let readme = fs::read_to_string(readme).unwrap();
        let test = documented_test_command(&language);
        let new = format!("synix plugin new my-items --lang {language}\ncd my-items\n{test}\n");
        assert!(document.contains(&new), "{new}");
        let tools = readme.split('`').filter(|word| {
            word.starts_with("pip ")
                || word.starts_with("npm install -g")
                || word.starts_with("rustup ")
        });
        for tool in tools {
            assert!(document.contains(tool), "{language}: {tool}");
        }
    }
}

/// C12: the target of every link exists.
#[test]
fn every_link_between_documents_leads_somewhere() {
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let path = link.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            let target = document.parent().unwrap().join(path);
            assert!(
                target.exists(),
                "{}: {link} leads nowhere",
                document.display()
            );
        }
    }
}
