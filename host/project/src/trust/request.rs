//! The permissions that a project asks for, and the user's answer to them.

use std::path::{Path, PathBuf};

use super::store::{TrustGrant, TrustStore};
use super::{Owners, Permission, TrustError, deduplicated, state};
use crate::ProjectError;
use crate::context::{Options, ProjectContext};
use crate::dot_env::DotEnv;
use crate::environment::Environment;
use crate::keys::KeyUse;

/// The permissions that a project asks for.
pub struct TrustRequest {
    context: ProjectContext,
    project: PathBuf,
    asked: Vec<Permission>,
    missing: Vec<Permission>,
}

impl TrustRequest {
    /// Finds the permissions that the current project asks for. Runs and sends nothing.
    pub fn of(options: &Options) -> Result<Self, ProjectError> {
        let context = ProjectContext::find(options)?;
        let pipeline = context.pipeline()?;
        let dot_env = DotEnv::read(&context.root, &pipeline)?;
        let mut asked = context.on_done_permissions(&pipeline);
        let providers = pipeline.providers.values();
        asked.extend(providers.filter_map(|profile| {
            KeyUse::find(profile, &context.environment, &dot_env).potential_permission()
        }));
        asked.extend(context.hidden_file_permissions(&pipeline, &dot_env));
        asked.extend(context.fetch_permissions(&pipeline));
        asked.extend(context.shared_permission(&pipeline));
        asked.extend(context.engine_permission(&pipeline)?);
        asked.extend(context.ownership_permissions(&dot_env));
        let store = context.trust_store();
        asked.extend(context.state_permission(store.as_ref().ok()));
        let asked = deduplicated(asked);
        Ok(Self {
            project: context.project_path(),
            missing: context.missing(&asked, store.as_ref().ok()),
            asked,
            context,
        })
    }

    /// Returns the project folder, which grants apply to.
    pub fn project(&self) -> &Path {
        &self.project
    }

    /// Returns all permissions that the project asks for.
    pub fn asked(&self) -> &[Permission] {
        &self.asked
    }

    /// Returns the permissions that the user has not granted yet.
    pub fn missing(&self) -> &[Permission] {
        &self.missing
    }

    /// Grants all missing permissions.
    pub fn grant(&self) -> Result<(), ProjectError> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let store = self.context.trust_store()?;
        let (states, others): (Vec<Permission>, Vec<Permission>) = self
            .missing
            .iter()
            .cloned()
            .partition(|permission| matches!(permission, Permission::State { .. }));
        if !states.is_empty() {
            state::adopt(&self.context.state(), &store)?;
        }
        if !others.is_empty() {
            store.record_grant(&self.project, &others, self.context.clock.now())?;
        }
        Ok(())
    }
}

/// Returns everything that the user has granted, the oldest grant of each project first.
pub fn trust_grants(environment: &Environment) -> Result<Vec<TrustGrant>, ProjectError> {
    Ok(trust_store(environment)?.all())
}

/// Revokes all grants of a project, and returns whether there were any. The project may have been deleted.
pub fn revoke_trust(environment: &Environment, project: &Path) -> Result<bool, ProjectError> {
    let project = &environment.resolve(project);
    let project = match project.canonicalize() {
        Ok(found) if found.is_file() => found.parent().unwrap_or(&found).to_owned(),
        Ok(found) => found,
        Err(_) => std::path::absolute(project).map_err(|source| ProjectError::System { source })?,
    };
    Ok(trust_store(environment)?.revoke(&project)?)
}

fn trust_store(environment: &Environment) -> Result<TrustStore, TrustError> {
    let owners = Owners::of_this_process(environment.sudo_user());
    TrustStore::open(environment.config_folder(), &owners)
}
