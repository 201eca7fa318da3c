#[cfg(unix)]
use std::fs;

use crate::{HiddenFiles, ProjectFolder};

fn project(paths: &[&str]) -> (tempfile::TempDir, ProjectFolder) {
    let temp = tempfile::tempdir().unwrap();
    for path in paths {
        synix_disk::replace(&temp.path().join(path), b"x").unwrap();
    }
    let folder = ProjectFolder::open(temp.path()).unwrap();
    (temp, folder)
}

fn labels(folder: &ProjectFolder, glob: &str) -> Vec<String> {
    let found = folder
        .find_sources(&[glob.to_owned()], HiddenFiles::Refuse)
        .unwrap();
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    found
        .files
        .into_iter()
        .map(|file| file.label.to_string())
        .collect()
}

/// Returns the error messages, one per line.
fn problems(folder: &ProjectFolder, glob: &str) -> String {
    match folder.find_sources(&[glob.to_owned()], HiddenFiles::Refuse) {
        Ok(found) => {
            let problems = found.problems.iter().map(ToString::to_string);
            problems.collect::<Vec<_>>().join("\n")
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_label_is_the_path_after_the_fixed_part_without_the_extension() {
    let (_temp, folder) = project(&[
        "notes/2026/jan.md",
        "notes/top.v2.md",
        "notes/x.txt",
        "other.md",
    ]);
    assert_eq!(labels(&folder, "notes/**/*.md"), ["2026/jan", "top.v2"]);
    assert_eq!(labels(&folder, "notes/*.md"), ["top.v2"]);
    assert_eq!(labels(&folder, "./notes/x.txt"), ["x"]);
    assert_eq!(labels(&folder, "*.md"), ["other"]);
    assert_eq!(
        labels(&folder, "{notes,none}/*.{md,txt}"),
        ["notes/top.v2", "notes/x"]
    );
}

#[test]
fn hidden_files_need_a_matching_dot_and_a_permission() {
    let (_temp, folder) = project(&["a/.git/x.md", "a/.hidden.md", "a/b.md", ".notes/c.md"]);
    assert_eq!(labels(&folder, "a/**/*.md"), ["b"]);
    for (glob, label, path) in [
        ("a/.*.md", ".hidden", "a/.hidden.md"),
        ("a/.git/*", "x", "a/.git"),
        ("a/**/.git/*.md", "a/.git/x", "a/.git"),
        (".notes/*", "c", ".notes"),
    ] {
        assert!(
            problems(&folder, glob).starts_with(&format!("{path}: is hidden")),
            "{glob}"
        );
        let found = folder
            .find_sources(&[glob.to_owned()], HiddenFiles::Allow)
            .unwrap();
        let found: Vec<_> = found.files.iter().map(|file| file.label.as_str()).collect();
        assert_eq!(found, [label.trim_start_matches("a/")], "{glob}");
    }
}

#[cfg(unix)]
#[test]
fn the_target_of_a_link_must_not_be_hidden() {
    let (temp, folder) = project(&["a/b.md", ".git/config"]);
    std::os::unix::fs::symlink("../.git/config", temp.path().join("a/c.md")).unwrap();
    std::os::unix::fs::symlink(".git", temp.path().join("plain")).unwrap();
    for (glob, path) in [("a/*.md", "a/c.md"), ("plain/*", "plain")] {
        let message = problems(&folder, glob);
        assert!(
            message.starts_with(&format!("{path}, which leads to .git")),
            "{message}"
        );
    }
}

/// X17: the name is only an error if it matches the glob.
#[cfg(target_os = "linux")]
#[test]
fn the_error_for_a_name_that_is_not_utf_8_shows_its_bytes() {
    use std::os::unix::ffi::OsStrExt as _;
    let (temp, folder) = project(&["a/b.md"]);
    let not_utf8 = temp
        .path()
        .join("a")
        .join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&not_utf8).unwrap();
    synix_disk::replace(&not_utf8.join("c.md"), b"x").unwrap();
    synix_disk::replace(
        &not_utf8.join(std::ffi::OsStr::from_bytes(b"\xff.md")),
        b"x",
    )
    .unwrap();
    let end = ": the name is not UTF-8, so it cannot become a label; rename it";
    assert_eq!(
        problems(&folder, "a/**/*.md"),
        format!("a/caf\\xe9/\\xff.md{end}\na/caf\\xe9/c.md{end}")
    );
    assert_eq!(labels(&folder, "a/*.md"), ["b"]);
    assert_eq!(
        problems(&folder, "a/**/*.txt"),
        "the glob `a/**/*.txt` matches no file"
    );
}

#[cfg(unix)]
#[test]
fn all_problems_are_reported_at_once() {
    let (temp, folder) = project(&["a/b.md", "a/b.txt", "a/c.md"]);
    fs::File::create(temp.path().join("a/two\nlines.md")).unwrap();
    std::os::unix::fs::symlink("nowhere", temp.path().join("a/d.md")).unwrap();
    assert_eq!(
        problems(&folder, "a/*"),
        "a/b.md and a/b.txt would both have the label `b`\na/d.md: there is no such file\na/two\nlines.md: cannot be a source"
    );
    let found = folder
        .find_sources(&["a/*".to_owned()], HiddenFiles::Refuse)
        .unwrap();
    assert_eq!(found.files.len(), 2);
}

/// C5: a source without files is an error, not an empty layer.
#[test]
fn a_glob_that_matches_nothing_is_an_error() {
    let (_temp, folder) = project(&["a/b.md"]);
    for glob in ["a/*.txt", "none/*.md", "a/b.md/*", "none.md"] {
        assert_eq!(
            problems(&folder, glob),
            format!("the glob `{glob}` matches no file")
        );
    }
}

#[test]
fn the_error_for_a_duplicate_label_names_both_files() {
    let (_temp, folder) = project(&["a/b.md", "a/b.txt"]);
    assert_eq!(
        problems(&folder, "a/*"),
        "a/b.md and a/b.txt would both have the label `b`"
    );
}

#[cfg(unix)]
#[test]
fn links_to_files_are_followed_and_links_to_folders_are_not() {
    let (temp, folder) = project(&["a/b.md"]);
    std::os::unix::fs::symlink("b.md", temp.path().join("a/c.md")).unwrap();
    std::os::unix::fs::symlink("..", temp.path().join("a/loop")).unwrap();
    assert_eq!(labels(&folder, "**/*.md"), ["a/b", "a/c"]);
}

#[cfg(unix)]
#[test]
fn the_error_names_a_link_out_of_the_folder() {
    let (temp, folder) = project(&["in/a/b.md", "c.md"]);
    std::os::unix::fs::symlink("../../c.md", temp.path().join("in/a/c.md")).unwrap();
    assert_eq!(labels(&folder, "in/a/*.md"), ["b", "c"]);
    let inner = ProjectFolder::open(&temp.path().join("in")).unwrap();
    assert_eq!(
        problems(&inner, "a/*.md"),
        "a/c.md: is outside the project folder"
    );
}

#[cfg(unix)]
#[test]
fn the_error_names_a_file_whose_name_is_not_a_label() {
    let (temp, folder) = project(&[]);
    fs::File::create(temp.path().join("a\nb.md")).unwrap();
    assert_eq!(problems(&folder, "*.md"), "a\nb.md: cannot be a source");
}

/// A build decides by the stamps of the search what it opens, so they must be those of opened files.
#[cfg(unix)]
#[test]
fn the_search_finds_the_stamps_of_files_and_none_of_links() {
    let (temp, folder) = project(&["a/one.md", "a/b/two.md"]);
    std::os::unix::fs::symlink("one.md", temp.path().join("a/link.md")).unwrap();
    let globs = ["a/**/*.md".to_owned()];
    let found = folder.find_sources(&globs, HiddenFiles::Refuse).unwrap();
    let stamps: Vec<_> = found
        .files
        .iter()
        .map(|file| (file.label.as_str(), file.stamp))
        .collect();
    let opened = |path: &str| Some(folder.open_source(path).unwrap().stamp());
    assert_eq!(
        stamps,
        [
            ("b/two", opened("a/b/two.md")),
            ("link", None),
            ("one", opened("a/one.md")),
        ]
    );
}
