//! The permissions that the user has granted, in the user's own configuration folder.
//!
//! ```text
//! trust/PROJECT/GRANT.json   one grant: the project's path, and its permissions
//! states/ID.json             a state that synix created for this user, or that the user adopted
//! ```
//!
//! Each grant is a file that is written once and never changed, so two commands cannot overwrite each other's. Its name
//! is the digest of its content: a damaged or moved file grants nothing, and does not affect the others.

#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Permission;
use super::files::{failed, file_names, read, to_json, write};
use super::owner::Owners;
use synix_core::clock::Timestamp;
use synix_core::digest::Digest;

/// Why the configuration folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The user has none.
    #[error(
        "you have no configuration folder for granted permissions; set HOME, XDG_CONFIG_HOME or SYNIX_CONFIG_DIR"
    )]
    NoFolder,
    /// Another user could grant permissions there.
    #[error("{} cannot store granted permissions, because other users can write it or own it", .path.display())]
    Unsafe {
        /// The folder.
        path: PathBuf,
    },
    /// The folder is in a checkout, so a clone could contain forged grants.
    #[error("{} is part of the project or its repository, so it cannot store granted permissions; set SYNIX_CONFIG_DIR to a folder outside", .path.display())]
    InCheckout {
        /// The folder.
        path: PathBuf,
    },
    /// An operation of the file system failed.
    #[error("cannot {action} {}", .path.display())]
    Disk {
        /// The operation, such as `write`.
        action: &'static str,
        /// The path that it was applied to.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// The permissions that the user granted to a project at one time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrustGrant {
    schema: u32,
    /// The project folder.
    pub project: PathBuf,
    /// When the user granted them.
    #[serde(rename = "given")]
    pub granted_at: String,
    /// The permissions.
    #[serde(rename = "asked")]
    pub permissions: Vec<GrantedPermission>,
}

/// A granted permission.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GrantedPermission {
    /// The digest of the permission.
    pub digest: Digest,
    /// The description without possible secrets.
    #[serde(rename = "what")]
    pub description: String,
}

/// The part of the configuration folder that stores the user's decisions.
pub(super) struct TrustStore {
    pub(super) folder: PathBuf,
}

impl TrustStore {
    /// Opens the folder. It does not have to exist yet.
    pub(super) fn open(folder: Option<PathBuf>, owners: &Owners) -> Result<Self, TrustError> {
        let folder = folder.ok_or(TrustError::NoFolder)?;
        for path in [folder.clone(), folder.join("trust"), folder.join("states")] {
            if !owners.is_private(&path) {
                return Err(TrustError::Unsafe { path });
            }
        }
        Ok(Self { folder })
    }

    fn project_folder(&self, project: &Path) -> PathBuf {
        let name = Digest::of(project.as_os_str().as_encoded_bytes());
        self.folder.join("trust").join(name.to_string())
    }

    /// Returns all grants for a project.
    pub(super) fn grants(&self, project: &Path) -> Vec<TrustGrant> {
        let mut grants = read_grants(&self.project_folder(project));
        grants.retain(|grant| grant.project == project);
        grants
    }

    /// Returns all grants, the oldest of each project first.
    pub(super) fn all(&self) -> Vec<TrustGrant> {
        let folder = self.folder.join("trust");
        let mut grants: Vec<TrustGrant> = file_names(&folder)
            .into_iter()
            .flat_map(|name| read_grants(&folder.join(name)))
            .collect();
        grants.sort_by(|one, other| {
            (&one.project, &one.granted_at).cmp(&(&other.project, &other.granted_at))
        });
        grants
    }

    /// Records that the user grants permissions to a project.
    pub(super) fn record_grant(
        &self,
        project: &Path,
        permissions: &[Permission],
        granted_at: Timestamp,
    ) -> Result<(), TrustError> {
        let grant = TrustGrant {
            schema: 1,
            project: project.to_owned(),
            granted_at: granted_at.to_string(),
            permissions: permissions
                .iter()
                .map(|permission| GrantedPermission {
                    digest: permission.digest(),
                    description: permission.redacted_description(),
                })
                .collect(),
        };
        let bytes = to_json(&grant);
        let name = format!("{}.json", Digest::of(&bytes));
        write(&self.project_folder(project).join(name), &bytes)
    }

    /// Revokes all grants and adopted states of a project, and returns whether there were any.
    pub(super) fn revoke(&self, project: &Path) -> Result<bool, TrustError> {
        let folder = self.project_folder(project);
        let mut any = false;
        for name in file_names(&folder) {
            let path = folder.join(&name);
            fs::remove_file(&path).map_err(failed("remove", &path))?;
            any = true;
        }
        // This fails if another command has just written a grant into it.
        let _ = fs::remove_dir(&folder);
        for (id, state) in self.states("") {
            if state.adopted && state.path.parent() == Some(project) {
                let path = self.state_path(&id);
                fs::remove_file(&path).map_err(failed("remove", &path))?;
                any = true;
            }
        }
        Ok(any)
    }
}

/// Returns the grants in a folder, without files whose content does not match their name.
fn read_grants(folder: &Path) -> Vec<TrustGrant> {
    let names = file_names(folder).into_iter();
    names
        .filter_map(|name| {
            let bytes = read(&folder.join(&name))?;
            let digest: Digest = name.strip_suffix(".json")?.parse().ok()?;
            let grant: TrustGrant = serde_json::from_slice(&bytes).ok()?;
            (Digest::of(&bytes) == digest && grant.schema == 1).then_some(grant)
        })
        .collect()
}
