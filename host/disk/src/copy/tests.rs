//! What is copied, what is refused, and the limits.

use std::fs;
use std::os::unix::fs::symlink;

use super::*;

const LIMITS: CopyLimits = CopyLimits {
    bytes: 100,
    entries: 10,
    depth: 3,
};

/// Creates a project and a secret next to it.
fn project_and_secret() -> (tempfile::TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let project = temp.path().join("project");
    fs::create_dir_all(project.join("notes")).unwrap();
    fs::create_dir_all(temp.path().join("copy")).unwrap();
    crate::replace(&temp.path().join("secret"), b"secret").unwrap();
    crate::replace(&project.join("notes/a.md"), b"hello").unwrap();
    (temp, project)
}

fn copy(temp: &tempfile::TempDir) -> Result<(), CopyError> {
    let path = temp.path();
    copy_tree(
        &path.join("project"),
        &path.join("copy"),
        &["golden"],
        &LIMITS,
    )
}

#[test]
fn files_are_copied_and_links_to_the_inside_stay_links() {
    let (temp, project) = project_and_secret();
    crate::replace(&project.join("golden/x.txt"), b"x").unwrap();
    symlink("a.md", project.join("notes/b.md")).unwrap();
    symlink("../notes", project.join("notes/loop")).unwrap();
    copy(&temp).unwrap();
    let copied = temp.path().join("copy");
    assert_eq!(fs::read(copied.join("notes/b.md")).unwrap(), b"hello");
    assert!(copied.join("notes/loop").is_symlink() && !copied.join("golden").exists());
}

#[test]
fn a_second_copy_adds_to_the_first_and_replaces_its_files() {
    let (temp, project) = project_and_secret();
    copy(&temp).unwrap();
    crate::replace(&project.join("notes/a.md"), b"new").unwrap();
    crate::replace(&project.join("notes/c.md"), b"more").unwrap();
    copy(&temp).unwrap();
    let copied = temp.path().join("copy/notes");
    assert_eq!(fs::read(copied.join("a.md")).unwrap(), b"new");
    assert_eq!(fs::read(copied.join("c.md")).unwrap(), b"more");
}

#[test]
fn a_folder_is_not_copied_through_a_link() {
    let (temp, project) = project_and_secret();
    fs::create_dir(temp.path().join("copy/other")).unwrap();
    symlink("other", temp.path().join("copy/notes")).unwrap();
    assert!(matches!(copy(&temp), Err(CopyError::Disk(_))));
    assert!(project.join("notes/a.md").exists());
    assert!(!temp.path().join("copy/other/a.md").exists());
}

#[test]
fn a_link_to_the_outside_is_refused() {
    let absolute = project_and_secret().1.join("notes/a.md");
    let targets = [
        "../../secret",
        "/proc/self/environ",
        "nothing",
        absolute.to_str().unwrap(),
    ];
    for target in targets {
        let (temp, project) = project_and_secret();
        symlink(target, project.join("notes/x.md")).unwrap();
        let error = copy(&temp).unwrap_err();
        assert!(
            matches!(error, CopyError::Outside { .. }),
            "{target}: {error}"
        );
    }
}

/// The text of the path alone does not show that it leaves the folder.
#[test]
fn a_link_to_the_outside_through_another_link_is_refused() {
    let (temp, project) = project_and_secret();
    fs::create_dir_all(project.join("one/two")).unwrap();
    symlink("one/two", project.join("deep")).unwrap();
    symlink("deep/../../../secret", project.join("x")).unwrap();
    assert!(matches!(copy(&temp), Err(CopyError::Outside { .. })));
}

#[test]
fn the_error_names_a_pipe() {
    let (temp, project) = project_and_secret();
    let mode = rustix::fs::Mode::RWXU;
    rustix::fs::mkfifoat(rustix::fs::CWD, project.join("notes/pipe"), mode).unwrap();
    let error = copy(&temp).unwrap_err().to_string();
    assert!(error.contains("project/notes/pipe is neither"), "{error}");
}

#[test]
fn a_copy_is_bounded() {
    let (temp, project) = project_and_secret();
    crate::replace(&project.join("large"), &[b'x'; 101]).unwrap();
    assert!(matches!(
        copy(&temp),
        Err(CopyError::TooLarge { what: "bytes", .. })
    ));
    let (temp, project) = project_and_secret();
    fs::create_dir_all(project.join("1/2/3/4")).unwrap();
    assert!(matches!(
        copy(&temp),
        Err(CopyError::TooLarge { limit: 3, .. })
    ));
    let (temp, project) = project_and_secret();
    for number in 0..10 {
        crate::replace(&project.join(number.to_string()), b"").unwrap();
    }
    assert!(matches!(
        copy(&temp),
        Err(CopyError::TooLarge { what: "files", .. })
    ));
}
