//! The folder of a pipeline file and access to the files inside it.

use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::file::stamp_of;
use super::{
    HiddenFiles, MAX_FILE_BYTES, OpenFile, ReaderFile, SourceBytes, SourceError, SourceFile,
    Sources, text, walk,
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

    /// Returns the files that match any of the globs, in the order of their paths, and the errors for entries that cannot
    /// be sources. The result contains at least one of either.
    pub fn find_files(
        &self,
        globs: &[String],
        hidden: HiddenFiles,
    ) -> Result<(Vec<ReaderFile>, Vec<SourceError>), SourceError> {
        let found = self.find(globs, hidden)?;
        let files = found.files.into_iter();
        let files = files.map(|walk::FoundFile { path, stamp, .. }| ReaderFile { path, stamp });
        Ok((files.collect(), found.problems))
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
        let bytes = read_whole(&open)?;
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
        read_whole(&self.open_source(path)?)
    }
}

fn read_whole(open: &OpenFile) -> Result<Vec<u8>, SourceError> {
    let (path, size) = (open.path(), open.stamp().size);
    let too_large = || SourceError::TooLarge {
        path: path.to_owned(),
    };
    let length = usize::try_from(size).map_err(|_| too_large())?;
    if size > MAX_FILE_BYTES {
        return Err(too_large());
    }
    // One byte more than the length, so that reading reaches the end without growing the buffer.
    let mut bytes = Vec::with_capacity(length + 1);
    let mut file = open.file();
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
mod tests;
