//! What happens to a project later: the folder `later`, whose files are added to the copy after the first builds.
//!
//! So golden files can show what a second export, another note or a changed prompt makes stale.

use std::path::Path;

use synix_disk::CopyError;

use super::{EXCLUDED, LIMITS};

/// The folder beside the pipeline file.
const FOLDER: &str = "later";

/// The commands after the files are added, before the artifacts are shown.
pub(super) const COMMANDS: [&[&str]; 3] = [&["plan"], &["build"], &["list"]];

/// Adds what is in the folder to the project. Returns whether there is such a folder.
pub(super) fn add(project: &Path) -> Result<bool, CopyError> {
    let later = project.join(FOLDER);
    // A link is no folder of this project.
    let is_folder = later
        .symlink_metadata()
        .is_ok_and(|metadata| metadata.is_dir());
    if is_folder {
        synix_disk::copy_tree(&later, project, &EXCLUDED, &LIMITS)?;
    }
    Ok(is_folder)
}
