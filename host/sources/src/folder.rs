//! The folder of a pipeline file and access to the files inside it.

use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, File};

use super::file::stamp_of;
use super::{
    HiddenFiles, MAX_FILE_BYTES, OpenFile, SourceBytes, SourceError, SourceFile, Sources, text,
    walk,
};
use synix_core::artifact::Artifact;
use synix_core::digest::Digest;
use synix_core::file_stamp::FileStamp;
use synix_core::fingerprint::SourceVersion;
use synix_core::ids::Kind;
use synix_manifest::SourceGlob;

/// The folder of a pipeline file. It gives no access to files outside the folder. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct ProjectFolder {
    dir: Arc<Dir>,
}

impl ProjectFolder {
    /// Opens the folder.
    pub fn open(root: &Path) -> Result<Self, SourceError> {
        let dir = Dir::open_ambient_dir(root, ambient_authority()).map_err(|source| {
            SourceError::Folder {
                path: root.display().to_string(),
                source,
            }
        })?;
        Ok(Self { dir: Arc::new(dir) })
    }

    /// Reads a regular file.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        // Checked before the file is opened, because opening a pipe would wait for its writer.
        let metadata = self.dir.metadata(path).map_err(io_error(path))?;
        if !metadata.is_file() {
            return Err(SourceError::NotAFile {
                path: path.to_owned(),
            });
        }
        self.read_file(path)
    }

    /// Reads a file of UTF-8 text and removes a byte order mark.
    pub fn read_text(&self, path: &str, hidden: HiddenFiles) -> Result<String, SourceError> {
        check_hidden(&self.dir, path, hidden)?;
        text::decode(path, self.read(path)?)
    }

    /// Returns the files that match any of the globs, with labels. The result contains at least one file or problem.
    pub fn find_sources(
        &self,
        globs: &[String],
        hidden: HiddenFiles,
    ) -> Result<Sources, SourceError> {
        Ok(walk::assign_labels(self.find(globs, hidden)?))
    }

    /// Returns the paths of the files that match any of the globs, in order, and the errors for entries that cannot be
    /// sources. The result contains at least one of either.
    pub fn find_paths(
        &self,
        globs: &[String],
        hidden: HiddenFiles,
    ) -> Result<(Vec<String>, Vec<SourceError>), SourceError> {
        let found = self.find(globs, hidden)?;
        Ok((found.files.into_keys().collect(), found.problems))
    }

    fn find(&self, globs: &[String], hidden: HiddenFiles) -> Result<walk::Found, SourceError> {
        let parse = |glob: &String| {
            SourceGlob::parse(glob).map_err(|source| SourceError::Glob {
                glob: glob.clone(),
                source,
            })
        };
        let parsed: Vec<SourceGlob> = globs.iter().map(parse).collect::<Result<_, _>>()?;
        walk::find_files(&self.dir, &parsed, hidden)
    }

    /// Returns what the file system says of a source file.
    pub fn stamp(&self, path: &str) -> Result<FileStamp, SourceError> {
        let metadata = self.dir.metadata(path).map_err(io_error(path))?;
        Ok(stamp_of(&metadata))
    }

    /// Opens a source file to read it in parts.
    pub fn open_source(&self, path: &str) -> Result<OpenFile, SourceError> {
        OpenFile::new(path, self.dir.open(path).map_err(io_error(path))?)
    }

    /// Reads and hashes a source file.
    pub fn read_source(&self, file: &SourceFile) -> Result<SourceBytes, SourceError> {
        let open = self.open_source(&file.path)?;
        let bytes = read_whole(&file.path, open.file())?;
        let digest = Digest::of(&bytes);
        let stamp = open.check_unchanged().is_ok().then(|| open.stamp());
        Ok(SourceBytes {
            bytes,
            digest,
            stamp,
        })
    }

    /// Returns which rules decide the artifact of a source file.
    pub fn version(&self, file: &SourceFile) -> SourceVersion {
        text::version(&file.path)
    }

    /// Converts a source file to an artifact.
    pub fn artifact(
        &self,
        file: &SourceFile,
        kind: &Kind,
        content: &SourceBytes,
    ) -> Result<Artifact, SourceError> {
        text::artifact(file, kind, content)
    }

    fn read_file(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        read_whole(path, self.open_source(path)?.file())
    }
}

fn read_whole(path: &str, mut file: &File) -> Result<Vec<u8>, SourceError> {
    let too_large = || SourceError::TooLarge {
        path: path.to_owned(),
    };
    let size = file.metadata().map_err(io_error(path))?.len();
    let length = usize::try_from(size).map_err(|_| too_large())?;
    if size > MAX_FILE_BYTES {
        return Err(too_large());
    }
    // One byte more than the length, so that reading reaches the end without growing the buffer.
    let mut bytes = Vec::with_capacity(length + 1);
    file.by_ref()
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(io_error(path))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(too_large());
    }
    Ok(bytes)
}

/// Returns an error if a path or the target of a link in it has a hidden name.
pub(super) fn check_hidden(dir: &Dir, path: &str, hidden: HiddenFiles) -> Result<(), SourceError> {
    if hidden.refuses(Path::new(path)) {
        return Err(SourceError::Hidden {
            path: path.to_owned(),
        });
    }
    if hidden == HiddenFiles::Allow || path.is_empty() {
        return Ok(());
    }
    let real = dir.canonicalize(path).map_err(io_error(path))?;
    if hidden.refuses(&real) {
        return Err(SourceError::Hidden {
            path: format!(
                "{path}, which leads to {}",
                walk::lossy_text(real.as_os_str())
            ),
        });
    }
    Ok(())
}

/// Converts an error of the operating system.
pub(super) fn io_error(path: &str) -> impl FnOnce(io::Error) -> SourceError {
    move |source| {
        let path = path.to_owned();
        let kind = source.kind();
        // Errors of the system have a code. The error for a path that leads out of
        // the folder comes from `cap-std` and has none.
        if kind == io::ErrorKind::PermissionDenied && source.raw_os_error().is_none() {
            return SourceError::Outside { path };
        }
        if matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) {
            return SourceError::Missing { path };
        }
        SourceError::Unreadable { path, source }
    }
}

#[cfg(test)]
mod tests {
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
}
