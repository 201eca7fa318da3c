//! Converts the events of the operating system to changes.

use std::path::PathBuf;

use notify::event::{AccessKind, AccessMode, CreateKind, EventKind, MetadataKind, ModifyKind};
use notify::event::{Flag, RemoveKind};

/// A change of a file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its path below the watched folder, which begins with the path of that folder.
    pub path: PathBuf,
    /// What it is or was.
    pub subject: Subject,
}

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A file, as far as is known.
    File,
    /// A folder that appeared, disappeared or got another name. Nothing may be reported about the files in it.
    Folder,
    /// Something that disappeared or got another name, and may have been either.
    Unknown,
    /// Changes were lost, so any file below the path may have changed.
    Everything,
}

/// Returns the changes that an event reports. Reading a file is not a change.
pub(crate) fn changes_of(event: notify::Event) -> Vec<Change> {
    if event.attrs.flag() == Some(Flag::Rescan) {
        return match event.paths.is_empty() {
            true => vec![lost_changes()],
            false => named(event.paths, |_| Subject::Everything),
        };
    }
    match event.kind {
        // A program that reads a file opens and closes it, as a build does with each source file.
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => named(event.paths, file),
        EventKind::Access(_)
        | EventKind::Modify(ModifyKind::Metadata(MetadataKind::AccessTime)) => Vec::new(),
        EventKind::Create(CreateKind::Folder) | EventKind::Remove(RemoveKind::Folder) => {
            named(event.paths, |_| Subject::Folder)
        }
        EventKind::Create(CreateKind::File) | EventKind::Remove(RemoveKind::File) => {
            named(event.paths, file)
        }
        EventKind::Create(_) | EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) => {
            named(event.paths, |path| match path.symlink_metadata() {
                Ok(metadata) if metadata.is_dir() => Subject::Folder,
                Ok(_) => Subject::File,
                Err(_) => Subject::Unknown,
            })
        }
        // The entries of a changed folder are reported by themselves.
        EventKind::Modify(_) | EventKind::Any | EventKind::Other => {
            let mut changes = named(event.paths, file);
            changes.retain(|change| !change.path.is_dir());
            changes
        }
    }
}

/// Returns the change that stands for all that the operating system could not report.
pub(crate) fn lost_changes() -> Change {
    Change {
        path: PathBuf::new(),
        subject: Subject::Everything,
    }
}

fn file(_: &PathBuf) -> Subject {
    Subject::File
}

fn named(paths: Vec<PathBuf>, subject: impl Fn(&PathBuf) -> Subject) -> Vec<Change> {
    let changes = paths.into_iter().map(|path| Change {
        subject: subject(&path),
        path,
    });
    changes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::RenameMode;

    fn subjects(kind: EventKind) -> Vec<Subject> {
        let event = notify::Event::new(kind).add_path("no/such/path".into());
        let changes = changes_of(event).into_iter();
        changes.map(|change| change.subject).collect()
    }

    #[test]
    fn reading_a_file_is_not_a_change() {
        for access in [
            AccessKind::Open(AccessMode::Any),
            AccessKind::Read,
            AccessKind::Close(AccessMode::Read),
        ] {
            assert!(subjects(EventKind::Access(access)).is_empty(), "{access:?}");
        }
        let written = AccessKind::Close(AccessMode::Write);
        assert_eq!(subjects(EventKind::Access(written)), [Subject::File]);
    }

    #[test]
    fn what_disappeared_may_have_been_a_folder() {
        let renamed = EventKind::Modify(ModifyKind::Name(RenameMode::From));
        assert_eq!(subjects(renamed), [Subject::Unknown]);
        let removed = EventKind::Remove(RemoveKind::Folder);
        assert_eq!(subjects(removed), [Subject::Folder]);
    }

    #[test]
    fn lost_events_are_a_change_of_everything() {
        let event = notify::Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(changes_of(event), [lost_changes()]);
    }
}
