//! The permissions that a project needs, and whether the user has granted them.
//!
//! It must be safe to clone a project and to run any command in it. So the user must allow, exactly and once for each
//! project, whatever acts on the user's behalf elsewhere: [`Permission`] lists it. [`store`] records the grants in the
//! user's own configuration folder, which no project can write.

#[cfg(unix)]
mod accounts;
#[cfg(unix)]
mod acl;
mod files;
mod owner;
mod permission;
mod plugin_permissions;
mod registered_states;
mod request;
mod state;
mod state_id;
mod store;

use std::collections::BTreeSet;
use std::path::PathBuf;

pub use permission::Permission;
pub use request::{TrustRequest, revoke_trust, trust_grants};
pub use store::{GrantedPermission, TrustError, TrustGrant};

pub(super) use owner::Owners;
pub(super) use permission::listed;
#[cfg(feature = "telemetry")]
pub(super) use state_id::read_id as read_state_id;

use state::StateOrigin;
use store::TrustStore;

use super::checkout;
use super::context::{CassetteMode, ProjectContext};
use super::dot_env::DotEnv;
use super::keys::KeyUse;
use super::{Project, ProjectError};
use synix_core::digest::Digest;
use synix_manifest::{DoneCommand, Layer, LayerBody, Pipeline};

impl ProjectContext {
    fn trust_store(&self) -> Result<TrustStore, TrustError> {
        match self.environment.config_folder() {
            Some(path) if checkout::contains(&self.root, &path) => {
                Err(TrustError::InCheckout { path })
            }
            folder => TrustStore::open(folder, &self.owners),
        }
    }

    /// Returns the folder that grants apply to.
    fn project_path(&self) -> PathBuf {
        self.root
            .canonicalize()
            .unwrap_or_else(|_| self.root.clone())
    }

    /// Returns the permissions that the user has not granted.
    fn missing(&self, required: &[Permission], store: Option<&TrustStore>) -> Vec<Permission> {
        if self.grants_all || required.is_empty() {
            return Vec::new();
        }
        let grants = store.map_or_else(Vec::new, |store| store.grants(&self.project_path()));
        let granted: BTreeSet<Digest> = grants
            .iter()
            .flat_map(|grant| &grant.permissions)
            .map(|permission| permission.digest)
            .collect();
        // A grant does not cover a state, because another state may have replaced it. An adopted state has its own id.
        let is_missing = |permission: &&Permission| {
            matches!(permission, Permission::State { .. })
                || !granted.contains(&permission.digest())
        };
        required.iter().filter(is_missing).cloned().collect()
    }

    /// Refuses to continue unless the user has granted all of these permissions.
    pub(super) fn require(&self, required: Vec<Permission>) -> Result<(), ProjectError> {
        if self.grants_all || required.is_empty() {
            return Ok(());
        }
        let store = self.trust_store();
        let missing = self.missing(&deduplicated(required), store.as_ref().ok());
        if missing.is_empty() {
            return Ok(());
        }
        Err(ProjectError::Untrusted {
            asked: missing,
            command: self.trust_command.clone(),
            source: store.err(),
        })
    }

    /// Returns whether the user has granted all of these permissions.
    pub(super) fn has_permissions(&self, required: &[Permission]) -> bool {
        self.missing(required, self.trust_store().ok().as_ref())
            .is_empty()
    }

    /// Returns the permissions for the command and the URL at the end of a build.
    pub(super) fn on_done_permissions(&self, pipeline: &Pipeline) -> Vec<Permission> {
        let on_done = &pipeline.on_done;
        let in_replay = on_done.in_replay;
        let command = on_done.command.as_ref().map(|command| match command {
            DoneCommand::Shell(line) => Permission::Command {
                command: vec![line.clone()],
                shell: true,
                in_replay,
            },
            DoneCommand::Program(arguments) => Permission::Command {
                command: arguments.clone(),
                shell: false,
                in_replay,
            },
        });
        let url = on_done
            .url
            .clone()
            .map(|url| Permission::Url { url, in_replay });
        command.into_iter().chain(url).collect()
    }

    /// Returns the permissions to read hidden files, such as those of git, if a third party's server could get them.
    fn hidden_file_permissions(&self, pipeline: &Pipeline, dot_env: &DotEnv) -> Vec<Permission> {
        let mut providers = pipeline.providers.values();
        let is_third_party =
            |profile| KeyUse::find(profile, &self.environment, dot_env).is_third_party();
        if !providers.any(is_third_party) {
            return Vec::new();
        }
        let hidden = |layer: &Layer| {
            let files = match &layer.body {
                LayerBody::Source(source) => source.allow_hidden.then(|| source.globs.join(", ")),
                LayerBody::Transform(transform) => transform
                    .allow_hidden
                    .then(|| "those that its config names".to_owned()),
            };
            Some(Permission::Hidden {
                layer: layer.name.to_string(),
                files: files?,
            })
        };
        pipeline.layers.iter().filter_map(hidden).collect()
    }

    /// Returns the permissions to follow files that other users own or may write.
    fn ownership_permissions(&self, dot_env: &DotEnv) -> Vec<Permission> {
        let mut required = self
            .owners
            .required_permissions(&self.root, &self.root.display().to_string());
        required.extend(
            self.owners
                .required_permissions(&self.root.join(&self.file), &self.file),
        );
        required.extend(self.owners.required_permissions(&self.state(), ".synix"));
        if dot_env.has_keys() {
            required.extend(
                self.owners
                    .required_permissions(&self.root.join(".env"), ".env"),
            );
        }
        required
    }

    fn state_permission(&self, store: Option<&TrustStore>) -> Option<Permission> {
        let path = self.state();
        (state::origin(&path, store) == StateOrigin::Foreign).then(|| Permission::State {
            path: path.display().to_string(),
        })
    }

    /// Refuses to use a state of another origin. A replay takes its answers from its cassette, so it needs no permission.
    pub(super) fn require_own_state(&self) -> Result<(), ProjectError> {
        if self.cassette_mode == CassetteMode::Replay {
            return Ok(());
        }
        let required = self.state_permission(self.trust_store().ok().as_ref());
        self.require(required.into_iter().collect())
    }

    /// Registers a state that is about to be created as this user's. If this fails, synix asks about the state later.
    pub(super) fn claim_state(&self) {
        if let Ok(store) = self.trust_store() {
            let _ = state::claim(&self.state(), &store);
        }
    }

    /// Reads the keys next to the pipeline file. A replay needs none.
    pub(super) fn dot_env(&self, pipeline: &Pipeline) -> Result<DotEnv, ProjectError> {
        if self.cassette_mode == CassetteMode::Replay {
            return Ok(DotEnv::default());
        }
        DotEnv::read(&self.root, pipeline)
    }
}

impl Project {
    /// Refuses to continue unless the user has granted everything that the project asks for. Nothing is sent before.
    pub(super) fn require_permissions(&self) -> Result<(), ProjectError> {
        if self.permitted.get().is_some() {
            return Ok(());
        }
        let dot_env = self.context.dot_env(&self.pipeline)?;
        let mut required = self.context.on_done_permissions(&self.pipeline);
        for (name, profile) in &self.pipeline.providers {
            let key = KeyUse::find(profile, &self.context.environment, &dot_env);
            key.require_encryption(name)?;
            required.extend(key.required_permission());
        }
        required.extend(
            self.context
                .hidden_file_permissions(&self.pipeline, &dot_env),
        );
        required.extend(self.context.shared_permission(&self.pipeline));
        required.extend(self.context.engine_permission(&self.pipeline)?);
        required.extend(self.context.ownership_permissions(&dot_env));
        required.extend(
            self.context
                .state_permission(self.context.trust_store().ok().as_ref()),
        );
        self.context.require(required)?;
        let _ = self.permitted.set(());
        Ok(())
    }

    /// Describes the parts of the project that have no effect, and what to do about it.
    pub fn warnings(&self) -> Vec<String> {
        let found = self.context.dot_env(&self.pipeline);
        let warning = match found {
            Ok(dot_env) => dot_env.warning(),
            Err(error) => {
                let cause = std::error::Error::source(&error)
                    .map_or_else(String::new, |cause| format!(": {cause}"));
                Some(format!(".env was not read: {error}{cause}"))
            }
        };
        warning.into_iter().collect()
    }
}

fn deduplicated(permissions: Vec<Permission>) -> Vec<Permission> {
    let mut unique: Vec<Permission> = Vec::with_capacity(permissions.len());
    for permission in permissions {
        if !unique.contains(&permission) {
            unique.push(permission);
        }
    }
    unique
}
