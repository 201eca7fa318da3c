//! A pointer to a folder beside it, which is switched atomically: a symbolic link, or a file with the name where the
//! system or the file system has no links that a user may create.

use std::fs;
use std::io;
use std::path::{Component, Path};

use super::write::{discard, parent, replace, sync_folder};
use super::{DiskError, EntryKind, Folder, failed};

/// The maximum length of a name in a pointer.
const MAX_NAME_BYTES: u64 = 255;

/// Makes the pointer `name` in `folder` lead to the entry `target` of the same folder. `temporary` is a name that only
/// this function uses, and that a process which was killed may leave.
pub fn point_to(folder: &Path, name: &str, target: &str, temporary: &str) -> Result<(), DiskError> {
    let (pointer, temporary) = (folder.join(name), folder.join(temporary));
    discard(&temporary);
    match create_link(target, &temporary) {
        Ok(()) => {
            fs::rename(&temporary, &pointer).map_err(failed("write", &pointer))?;
            sync_folder(parent(&pointer))
        }
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied
            ) =>
        {
            replace(&pointer, format!("{target}\n").as_bytes())
        }
        Err(error) => Err(failed("create", &temporary)(error)),
    }
}

#[cfg(unix)]
fn create_link(target: &str, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

/// Links need a right on Windows that few users have.
#[cfg(not(unix))]
fn create_link(_: &str, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

impl Folder {
    /// Returns the name in this folder that a pointer leads to, or `None` if there is no pointer.
    ///
    /// A pointer that leads anywhere else is an error.
    pub fn pointer(&self, name: &str) -> Result<Option<String>, DiskError> {
        let path = self.path().join(name);
        let text = match self.kind(name)? {
            None => return Ok(None),
            Some(EntryKind::Link) => {
                let target = fs::read_link(&path).map_err(failed("read", &path))?;
                target.to_string_lossy().into_owned()
            }
            Some(EntryKind::File) => {
                let bytes = self.read(name, MAX_NAME_BYTES + 1)?.unwrap_or_default();
                String::from_utf8_lossy(&bytes).trim_end().to_owned()
            }
            Some(EntryKind::Folder | EntryKind::Other) => {
                return Err(failed("read", &path)(io::Error::other(
                    "it is neither a link nor a file",
                )));
            }
        };
        let mut parts = Path::new(&text).components();
        match (parts.next(), parts.next()) {
            (Some(Component::Normal(part)), None) if part == text.as_str() => Ok(Some(text)),
            _ => Err(failed("follow", &path)(io::Error::other(
                "it does not lead to a folder beside it",
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SymlinkPolicy;

    #[test]
    fn a_pointer_leads_to_the_last_target_and_never_out_of_its_folder() {
        let temporary = tempfile::tempdir().unwrap();
        let open = || {
            Folder::open(temporary.path(), SymlinkPolicy::Refuse)
                .unwrap()
                .unwrap()
        };
        assert_eq!(open().pointer("current").unwrap(), None);
        for target in ["one", "two"] {
            point_to(temporary.path(), "current", target, ".new").unwrap();
            assert_eq!(open().pointer("current").unwrap().as_deref(), Some(target));
        }
        assert!(fs::symlink_metadata(temporary.path().join(".new")).is_err());
        for target in ["../x", "/etc", "a/b", "", "."] {
            discard(&temporary.path().join("current"));
            replace(&temporary.path().join("current"), target.as_bytes()).unwrap();
            assert!(open().pointer("current").is_err(), "{target}");
        }
    }
}
