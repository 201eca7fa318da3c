use std::fs;

use super::*;

fn project() -> (tempfile::TempDir, ProjectFolder) {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().join("project");
    fs::create_dir_all(root.join("prompts")).unwrap();
    synix_disk::replace(&root.join("prompts/a.md"), b"hello").unwrap();
    synix_disk::replace(&temp.path().join("secret"), b"secret").unwrap();
    let folder = ProjectFolder::open(&root).unwrap();
    (temp, folder)
}

fn read_text(folder: &ProjectFolder, path: &str) -> Result<String, SourceError> {
    folder.read_text(path, HiddenFiles::Refuse)
}

/// A byte order mark is not part of a prompt, but line endings are.
#[test]
fn a_byte_order_mark_is_removed() {
    let (temp, folder) = project();
    let root = temp.path().join("project");
    synix_disk::replace(&root.join("mark.md"), b"\xef\xbb\xbfone\r\ntwo\r\n").unwrap();
    assert_eq!(read_text(&folder, "mark.md").unwrap(), "one\r\ntwo\r\n");
    synix_disk::replace(&root.join("wide.md"), b"ab\xff").unwrap();
    assert_eq!(
        read_text(&folder, "wide.md").unwrap_err().to_string(),
        "wide.md: is not UTF-8 text: byte 2 is invalid; save it as UTF-8, or leave it out of the layer's source"
    );
}

#[test]
fn a_hidden_file_is_refused_by_its_name_alone() {
    let (temp, folder) = project();
    let root = temp.path().join("project");
    synix_disk::replace(&root.join(".git/config"), b"token").unwrap();
    for path in [
        ".git/config",
        "./prompts/../.git/config",
        ".env",
        ".GIT/config",
    ] {
        let refused = read_text(&folder, path);
        assert!(matches!(refused, Err(SourceError::Hidden { .. })), "{path}");
    }
    let allowed = folder.read_text(".git/config", HiddenFiles::Allow);
    assert_eq!(allowed.unwrap(), "token");
}

#[cfg(unix)]
#[test]
fn a_link_to_a_hidden_file_is_refused_with_its_target() {
    let (temp, folder) = project();
    let root = temp.path().join("project");
    synix_disk::replace(&root.join(".git/config"), b"token").unwrap();
    std::os::unix::fs::symlink("../.git/config", root.join("prompts/b.md")).unwrap();
    std::os::unix::fs::symlink(".git", root.join("plain")).unwrap();
    for path in ["prompts/b.md", "plain/config"] {
        let refused = read_text(&folder, path).unwrap_err().to_string();
        assert!(
            refused.starts_with(&format!("{path}, which leads to .git/config: is hidden")),
            "{refused}"
        );
    }
}

#[test]
fn a_file_inside_the_folder_is_read() {
    let (_temp, folder) = project();
    assert_eq!(read_text(&folder, "prompts/a.md").unwrap(), "hello");
    assert_eq!(
        read_text(&folder, "./prompts/../prompts/a.md").unwrap(),
        "hello"
    );
}

#[test]
fn a_path_out_of_the_folder_is_refused() {
    let (temp, folder) = project();
    let absolute = temp.path().join("secret");
    for path in [
        "../secret",
        "prompts/../../secret",
        absolute.to_str().unwrap(),
    ] {
        assert!(
            matches!(folder.read(path), Err(SourceError::Outside { .. })),
            "{path}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_folder_is_refused() {
    let (temp, folder) = project();
    std::os::unix::fs::symlink("../secret", temp.path().join("project/relative")).unwrap();
    std::os::unix::fs::symlink(
        temp.path().join("secret"),
        temp.path().join("project/absolute"),
    )
    .unwrap();
    std::os::unix::fs::symlink("prompts/a.md", temp.path().join("project/inside")).unwrap();
    for path in ["relative", "absolute"] {
        assert!(
            matches!(folder.read(path), Err(SourceError::Outside { .. })),
            "{path}"
        );
    }
    assert_eq!(read_text(&folder, "inside").unwrap(), "hello");
}

#[test]
fn the_error_names_a_path_that_is_not_a_file() {
    let (_temp, folder) = project();
    let message = |path| folder.read(path).unwrap_err().to_string();
    assert_eq!(message("nothing.md"), "nothing.md: there is no such file");
    assert_eq!(
        message("prompts/a.md/b"),
        "prompts/a.md/b: there is no such file"
    );
    assert_eq!(message("prompts"), "prompts: is not a file");
}

#[test]
fn the_error_names_the_first_byte_that_is_not_text() {
    let (temp, folder) = project();
    synix_disk::replace(&temp.path().join("project/x.txt"), b"abc\xff").unwrap();
    let message = read_text(&folder, "x.txt").unwrap_err().to_string();
    assert!(
        message.starts_with("x.txt: is not UTF-8 text: byte 3 is invalid; "),
        "{message}"
    );
}

#[test]
fn a_file_over_the_limit_is_not_read() {
    let (temp, folder) = project();
    let file = fs::File::create(temp.path().join("project/large")).unwrap();
    file.set_len(MAX_FILE_BYTES + 1).unwrap();
    assert_eq!(
        folder.read("large").unwrap_err().to_string(),
        "large: is larger than 64 MiB"
    );
}
