//! `demo run` in a project that an attacker prepared: golden files, links and commands.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::hostile_projects::user_file::{USER_FILE_CONTENT, UserFile, assert_clear_error};
use crate::support::folders::{copy, pipe};
use crate::support::invocation::Run;
use crate::support::test_project::command_in;

const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../templates/team-report");

/// A project that an attacker could publish, with the cassette of a template.
fn cloned_template() -> (tempfile::TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let project = temp.path().join("project");
    copy(Path::new(TEMPLATE), &project);
    (temp, project)
}

/// A secret that is only in the environment.
const SECRET: &str = "the-secret-of-the-environment";

fn run_demo(project: &Path, more: &[&str]) -> Run {
    let mut command = command_in(project, &[&["demo", "run", "."], more].concat());
    command.env("MY_TOKEN", SECRET).run()
}

/// Row 10: the diff showed a golden file, whatever it linked to.
#[test]
fn golden_files_behind_links_are_not_read() {
    let user_file = UserFile::new();
    for target in [user_file.file(), PathBuf::from("/proc/self/environ")] {
        let (_temp, project) = cloned_template();
        let golden = project.join("golden/01-plan.txt");
        fs::remove_file(&golden).unwrap();
        symlink(target, golden).unwrap();
        let run = run_demo(&project, &[]);
        assert_clear_error(&run, "symbolic link");
        assert!(!run.says(SECRET), "{run:?}");
    }
    let (_temp, project) = cloned_template();
    fs::remove_dir_all(project.join("golden")).unwrap();
    symlink(user_file.folder.path(), project.join("golden")).unwrap();
    assert_clear_error(&run_demo(&project, &[]), "symbolic link");
}

/// Rows 11 and 15: the copy turned links that lead outside into plain files.
#[test]
fn a_demo_copies_nothing_from_outside_the_project() {
    let user_file = UserFile::new();
    for target in [
        Path::new("/proc/self/environ"),
        &user_file.file(),
        user_file.folder.path(),
        Path::new("../../.."),
    ] {
        let (_temp, project) = cloned_template();
        symlink(target, project.join("sources/bios/x.md")).unwrap();
        let run = run_demo(&project, &[]);
        assert_clear_error(&run, "which is not in the project");
        assert!(!run.says(SECRET), "{run:?}");
    }
}

/// A source may be a link to another file of the project.
#[test]
fn a_demo_copies_links_within_the_project() {
    let (_temp, project) = cloned_template();
    let bio = fs::read_dir(project.join("sources/bios"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    fs::create_dir(project.join("sources/texts")).unwrap();
    let moved = project.join("sources/texts").join(bio.file_name().unwrap());
    fs::rename(&bio, &moved).unwrap();
    symlink(Path::new("../texts").join(bio.file_name().unwrap()), &bio).unwrap();
    let run = run_demo(&project, &[]);
    assert_eq!(run.code, 0, "{run:?}");
}

/// Row 12: golden files were deleted and written in the folder that `golden` linked to.
#[test]
fn golden_files_are_updated_only_inside_the_project() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("notes.txt"), USER_FILE_CONTENT).unwrap();
    fs::write(outside.path().join("01-plan.txt"), USER_FILE_CONTENT).unwrap();
    let (_temp, project) = cloned_template();
    fs::remove_dir_all(project.join("golden")).unwrap();
    symlink(outside.path(), project.join("golden")).unwrap();
    assert_clear_error(&run_demo(&project, &["--update-goldens"]), "symbolic link");
    for name in ["notes.txt", "01-plan.txt"] {
        assert_eq!(
            fs::read_to_string(outside.path().join(name)).unwrap(),
            USER_FILE_CONTENT
        );
    }
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 2);
    // In a folder of the project, only files that the command would write are deleted, and a link itself is replaced.
    let (_temp, project) = cloned_template();
    let golden = project.join("golden");
    fs::write(golden.join("notes.txt"), USER_FILE_CONTENT).unwrap();
    fs::write(golden.join("99-gone.txt"), "old").unwrap();
    fs::remove_file(golden.join("01-plan.txt")).unwrap();
    symlink(outside.path().join("notes.txt"), golden.join("01-plan.txt")).unwrap();
    assert_eq!(run_demo(&project, &["--update-goldens"]).code, 0);
    assert_eq!(
        fs::read_to_string(golden.join("notes.txt")).unwrap(),
        USER_FILE_CONTENT
    );
    assert_eq!(
        fs::read_to_string(outside.path().join("notes.txt")).unwrap(),
        USER_FILE_CONTENT
    );
    assert!(!golden.join("99-gone.txt").exists());
    assert!(!golden.join("01-plan.txt").is_symlink());
    assert_eq!(run_demo(&project, &[]).code, 0);
}

/// Row 13: a pipe never ends.
#[test]
fn a_demo_names_a_pipe_in_the_project() {
    let (_temp, project) = cloned_template();
    pipe(&project.join("sources/bios/pipe"));
    assert_clear_error(
        &run_demo(&project, &[]),
        "bios/pipe is neither a file nor a folder",
    );
}

/// Row 14: with two links in each folder, every level doubled the size of the copy.
#[test]
fn a_demo_does_not_expand_links_to_folders() {
    let (_temp, project) = cloned_template();
    for level in 0..40 {
        let folder = project.join(format!("level{level}"));
        fs::create_dir(&folder).unwrap();
        if level > 0 {
            for name in ["one", "two"] {
                symlink(format!("../level{}", level - 1), folder.join(name)).unwrap();
            }
        }
    }
    let run = run_demo(&project, &[]);
    assert_eq!(run.code, 0, "{run:?}");
}

/// Row 9: a demo runs no `on_done`.
#[test]
fn a_demo_runs_no_command_of_the_project() {
    let (temp, project) = cloned_template();
    let trace = temp.path().join("trace");
    let file = project.join("synix.toml");
    let text = fs::read_to_string(&file).unwrap();
    let command = format!(
        "on_done = [\"touch\", {:?}]\non_done_in_replay = true\n",
        trace.to_str().unwrap()
    );
    let text = text.replacen("[pipeline]\n", &format!("[pipeline]\n{command}"), 1);
    assert!(text.contains("on_done"), "{text}");
    fs::write(&file, text).unwrap();
    run_demo(&project, &[]);
    assert!(!trace.exists());
}
