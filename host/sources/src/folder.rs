//! The folder of a pipeline file, and reading below it.

use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::{Hidden, MAX_FILE_BYTES, SourceBytes, SourceError, SourceFile, Sources, text, walk};
use synix_core::artifact::Artifact;
use synix_core::digest::Digest;
use synix_core::ids::Kind;
use synix_manifest::SourceGlob;

/// The folder of a pipeline file; nothing outside it is read through this. Cheap to clone.
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

    /// Reads a whole file.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        // Looked at before it is opened, because opening a pipe waits for its writer.
        let metadata = self.dir.metadata(path).map_err(refused(path))?;
        if !metadata.is_file() {
            return Err(SourceError::NotAFile {
                path: path.to_owned(),
            });
        }
        self.read_file(path)
    }

    /// Reads a whole file of UTF-8 text, without a byte order mark.
    pub fn read_text(&self, path: &str, hidden: Hidden) -> Result<String, SourceError> {
        refuse_hidden(&self.dir, path, hidden)?;
        text::utf8(path, self.read(path)?)
    }

    /// Returns the files that a glob takes; there is at least one, or a problem.
    pub fn sources(&self, glob: &str, hidden: Hidden) -> Result<Sources, SourceError> {
        let parsed = SourceGlob::parse(glob).map_err(|source| SourceError::Glob {
            glob: glob.to_owned(),
            source,
        })?;
        walk::files(&self.dir, &parsed, hidden)
    }

    /// Reads and hashes a source file.
    pub fn read_source(&self, file: &SourceFile) -> Result<SourceBytes, SourceError> {
        let bytes = self.read_file(&file.path)?;
        let digest = Digest::of(&bytes);
        Ok(SourceBytes { bytes, digest })
    }

    /// Makes the artifact of a source file.
    pub fn artifact(
        &self,
        file: &SourceFile,
        kind: &Kind,
        content: &SourceBytes,
    ) -> Result<Artifact, SourceError> {
        text::artifact(file, kind, content)
    }

    fn read_file(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        let mut file = self.dir.open(path).map_err(refused(path))?;
        let metadata = file.metadata().map_err(refused(path))?;
        if !metadata.is_file() {
            return Err(SourceError::NotAFile {
                path: path.to_owned(),
            });
        }
        let too_large = || SourceError::TooLarge {
            path: path.to_owned(),
        };
        let length = usize::try_from(metadata.len()).map_err(|_| too_large())?;
        if metadata.len() > MAX_FILE_BYTES {
            return Err(too_large());
        }
        // One byte more than the length, so that the end is seen without growing.
        let mut bytes = Vec::with_capacity(length + 1);
        file.by_ref()
            .take(MAX_FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(refused(path))?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(too_large());
        }
        Ok(bytes)
    }
}

/// Refuses a path with a hidden name in it, or behind a link on it.
pub(super) fn refuse_hidden(dir: &Dir, path: &str, hidden: Hidden) -> Result<(), SourceError> {
    if hidden.refuses(Path::new(path)) {
        return Err(SourceError::Hidden {
            path: path.to_owned(),
        });
    }
    if hidden == Hidden::Allowed || path.is_empty() {
        return Ok(());
    }
    let real = dir.canonicalize(path).map_err(refused(path))?;
    if hidden.refuses(&real) {
        return Err(SourceError::Hidden {
            path: format!(
                "{path}, which leads to {}",
                walk::printable(real.as_os_str())
            ),
        });
    }
    Ok(())
}

/// Names what the system refused.
pub(super) fn refused(path: &str) -> impl FnOnce(io::Error) -> SourceError {
    move |source| {
        let path = path.to_owned();
        let kind = source.kind();
        // The system's own refusals have a code; that of a path that leads
        // out is made by `cap-std`.
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
        folder.read_text(path, Hidden::Refused)
    }

    /// The byte order mark of an editor is no part of a question; line ends are.
    #[test]
    fn a_text_is_read_without_a_byte_order_mark() {
        let (temp, folder) = project();
        let root = temp.path().join("project");
        synix_disk::replace(&root.join("mark.md"), b"\xef\xbb\xbfone\r\ntwo\r\n").unwrap();
        assert_eq!(read_text(&folder, "mark.md").unwrap(), "one\r\ntwo\r\n");
        synix_disk::replace(&root.join("wide.md"), b"\xff\xfeo\0").unwrap();
        assert_eq!(
            read_text(&folder, "wide.md").unwrap_err().to_string(),
            "wide.md: is not UTF-8 text from byte 0 on; it looks like UTF-16: save it as UTF-8"
        );
    }

    #[test]
    fn a_hidden_file_is_refused_by_its_name_before_it_is_looked_for() {
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
        let allowed = folder.read_text(".git/config", Hidden::Allowed);
        assert_eq!(allowed.unwrap(), "token");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_hidden_file_is_refused_with_what_it_leads_to() {
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
    fn a_file_is_read_below_the_folder() {
        let (_temp, folder) = project();
        assert_eq!(read_text(&folder, "prompts/a.md").unwrap(), "hello");
        assert_eq!(
            read_text(&folder, "./prompts/../prompts/a.md").unwrap(),
            "hello"
        );
    }

    #[test]
    fn a_path_that_leads_out_is_refused() {
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
    fn a_link_that_leads_out_is_refused() {
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
    fn what_is_not_a_file_is_named() {
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
    fn a_file_that_is_not_text_is_named_with_the_byte() {
        let (temp, folder) = project();
        synix_disk::replace(&temp.path().join("project/x.txt"), b"abc\xff").unwrap();
        let message = read_text(&folder, "x.txt").unwrap_err().to_string();
        assert_eq!(message, "x.txt: is not UTF-8 text from byte 3 on");
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
