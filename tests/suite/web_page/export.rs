//! `view --export`: pages as files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::{built, exported};
use crate::support::test_project::{TestProject, text};

/// Returns the files of an export by name. It has no folders.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).expect("the exported folder");
    let files = entries.map(|entry| {
        let entry = entry.expect("a file");
        assert!(entry.file_type().expect("its type").is_file());
        let name = entry.file_name().into_string().expect("a name in UTF-8");
        let bytes = fs::read(entry.path()).expect("its content");
        (name, String::from_utf8_lossy(&bytes).into_owned())
    });
    files.collect()
}

/// Returns the values of an attribute in a page.
fn values(html: &str, attribute: &str) -> Vec<String> {
    let begin = format!(" {attribute}=\"");
    let values = html.split(&begin).skip(1);
    let values = values.filter_map(|rest| rest.split('"').next());
    values.map(|value| value.replace("&amp;", "&")).collect()
}

/// Fails if a page names anything that is not a file of the folder.
#[track_caller]
fn check_links(files: &BTreeMap<String, String>) {
    let pages = files.iter().filter(|(name, _)| name.ends_with(".html"));
    for (name, html) in pages {
        for attribute in ["href", "src", "action", "data"] {
            for value in values(html, attribute) {
                let (file, mark) = value.split_once('#').unwrap_or((&value, ""));
                let is_here = file.is_empty() || files.contains_key(file);
                assert!(is_here, "{name}: {attribute} {value:?} leads to nothing");
                let target = if file.is_empty() { html } else { &files[file] };
                let has_mark = mark.is_empty() || values(target, "id").iter().any(|id| id == mark);
                assert!(has_mark, "{name}: {value:?} has no such place");
            }
        }
    }
}

#[test]
fn every_link_of_an_export_leads_to_a_file_of_it() {
    let (project, _server) = built();
    project.write("bios/bela.md", "I am bela and I draw.");
    project.ok(&["build"]);
    let files = files(&exported(&project));
    check_links(&files);
    // Every page can be reached from the first one.
    let mut reached: BTreeSet<String> = BTreeSet::from(["index.html".to_owned()]);
    let mut open = vec!["index.html".to_owned()];
    while let Some(name) = open.pop() {
        for attribute in ["href", "src"] {
            for link in values(&files[&name], attribute) {
                let file = link.split('#').next().unwrap_or_default().to_owned();
                if files.contains_key(&file) && reached.insert(file.clone()) {
                    open.push(file);
                }
            }
        }
    }
    let all: BTreeSet<String> = files.keys().cloned().collect();
    assert_eq!(reached, all);
    for label in ["amara", "bela", "chitra", "ws-amara", "summary"] {
        assert!(files["artifacts.js"].contains(label), "{label}");
    }
}

#[test]
fn a_large_layer_has_pages_that_are_linked() {
    let project = TestProject::with_layers("[layers.notes]\nsource = \"notes/*.md\"\n");
    for number in 0..250 {
        project.write(&format!("notes/note-{number:03}.md"), "A note.");
    }
    project.ok(&["build"]);
    let files = files(&exported(&project));
    check_links(&files);
    let pages = files.keys().filter(|name| name.starts_with("layer-"));
    assert_eq!(pages.count(), 3);
    let artifacts = files.keys().filter(|name| name.starts_with("artifact-"));
    assert_eq!(artifacts.count(), 250);
}

/// Names of artifacts become names of files and text of pages.
#[test]
fn hostile_labels_and_contents_stay_in_the_folder() {
    let project = TestProject::with_layers("[layers.notes]\nsource = \"notes/**/*.md\"\n");
    let labels = [
        "a\"'><img src=x onerror=alert(2)>&amp;",
        "CON",
        "..%2f..%2fetc",
        "</script><script>alert(1)</script>",
        "Ünïcode",
        "A",
        "a",
        "`${alert(1)}`",
    ];
    for label in labels {
        let label = label.replace('/', "_");
        let content =
            format!("{label} \u{202e}\u{1b}[31m \u{2028} </script><script>alert(3)</script>");
        project.write(&format!("notes/{label}.md"), &content);
    }
    project.write("notes/deep/../deep/x.md", "x");
    project.ok(&["build"]);
    let folder = exported(&project);
    let files = files(&folder);
    check_links(&files);
    let lower: BTreeSet<String> = files.keys().map(|name| name.to_lowercase()).collect();
    assert_eq!(lower.len(), files.len());
    for (name, text) in &files {
        let is_plain = |one: char| one.is_ascii_alphanumeric() || "-._~".contains(one);
        assert!(name.chars().all(is_plain), "{name}");
        if name.ends_with(".html") {
            assert!(!text.contains("<script>alert"), "{name}");
            assert!(!text.contains("<img"), "{name}");
            assert!(
                !text.contains('\u{202e}') && !text.contains('\u{1b}'),
                "{name}"
            );
        }
    }
    // The script shows what it has as text alone.
    assert!(!files["search.js"].contains("innerHTML"));
}

#[test]
fn an_export_appears_only_when_it_is_complete() {
    let (project, _server) = built();
    // An artifact that was changed has no page.
    let change = "UPDATE artifact_body SET content = 'evil' WHERE artifact = 2";
    project.database().execute_batch(change).expect("a change");
    let folder = project.path("pages");
    let run = project.run(&["view", "--export", "pages"]).expect_code(1);
    assert!(
        run.says("cannot be made") || run.says("was changed"),
        "{run:?}"
    );
    assert!(!folder.exists());
    let left = fs::read_dir(project.path("")).expect("the project");
    for entry in left {
        let name = entry
            .expect("a file")
            .file_name()
            .into_string()
            .expect("a name");
        assert!(!name.contains("partial"), "{name}");
    }
}

#[test]
fn an_export_replaces_nothing() {
    let (project, _server) = built();
    project.write("pages/mine.txt", "mine");
    let run = project.run(&["view", "--export", "pages"]).expect_code(1);
    assert!(run.says("exists already"), "{run:?}");
    assert_eq!(
        fs::read_to_string(project.path("pages/mine.txt")).expect("a file"),
        "mine"
    );
}

#[test]
fn an_export_says_what_it_has() {
    let (project, _server) = built();
    let document = project.json(&["view", "--export", "pages"]);
    let files = files(&project.path("pages"));
    assert_eq!(document["files"], files.len());
    assert_eq!(
        (&document["artifacts"], &document["total"]),
        (&7.into(), &7.into())
    );
    assert!(text(&document["path"]).ends_with("pages"));
    // The same project has the same files again.
    project.ok(&["view", "--export", "again"]);
    let again = self::files(&project.path("again"));
    assert!(again.keys().eq(files.keys()));
}

#[test]
fn a_project_without_a_state_has_nothing_to_export() {
    let project = TestProject::team();
    project.run(&["view", "--export", "pages"]).expect_code(1);
    assert!(!project.path("pages").exists());
}
