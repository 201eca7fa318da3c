//! What a project needs the user's yes for, and whether it has it.
//!
//! Cloning a project and running anything in it must be safe, whatever is in the folder. So what would act on the user's
//! behalf elsewhere is asked for, once for a project and exactly: [`Permission`] lists it. [`kept`] holds what was said in the
//! user's own configuration folder, which no project can write.

#[cfg(unix)]
mod acl;
mod kept;
mod owner;
mod permission;
mod state;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub use kept::{GrantedPermission, TrustError, TrustGrant};
pub use permission::Permission;

pub(super) use owner::Owners;
pub(super) use permission::listed;

use kept::Kept;
use state::StateOrigin;

use super::checkout;
use super::context::{CassetteMode, Options, ProjectContext};
use super::dot_env::DotEnv;
use super::environment::Environment;
use super::keys::KeyUse;
use super::plugins::references;
use super::server::Server;
use super::{Project, ProjectError};
use synix_core::digest::Digest;
use synix_core::loopback::is_loopback;
use synix_fetch::{AddressPolicy, FetchError, FetchErrorKind};
use synix_manifest::{DoneCommand, Layer, LayerBody, Pipeline, TransformRef};

/// What a project asks for, for the user to answer.
pub struct TrustQuestion {
    context: ProjectContext,
    project: PathBuf,
    asked: Vec<Permission>,
    missing: Vec<Permission>,
}

impl TrustQuestion {
    /// Finds out what the project at hand asks for. Runs and sends nothing.
    pub fn of(options: &Options) -> Result<Self, ProjectError> {
        let context = ProjectContext::find(options)?;
        let pipeline = context.pipeline()?;
        let dot_env = DotEnv::read(&context.root, &pipeline)?;
        let mut asked = context.asked_at_the_end(&pipeline);
        let providers = pipeline.providers.values();
        asked.extend(
            providers.filter_map(|profile| {
                KeyUse::of(profile, &context.environment, &dot_env).would_ask()
            }),
        );
        asked.extend(context.asked_to_read_hidden(&pipeline, &dot_env));
        asked.extend(context.asked_to_fetch(&pipeline));
        asked.extend(context.asked_by_files(&dot_env));
        let kept = context.kept();
        asked.extend(context.asked_by_state(kept.as_ref().ok()));
        let asked = without_repetitions(asked);
        Ok(Self {
            project: context.project(),
            missing: context.missing(&asked, kept.as_ref().ok()),
            asked,
            context,
        })
    }

    /// Returns the project's folder, for which a yes holds.
    pub fn project(&self) -> &Path {
        &self.project
    }

    /// Returns everything that is asked.
    pub fn asked(&self) -> &[Permission] {
        &self.asked
    }

    /// Returns what of it nobody said yes to so far.
    pub fn missing(&self) -> &[Permission] {
        &self.missing
    }

    /// Keeps the user's yes to everything that is asked now.
    pub fn say_yes(&self) -> Result<(), ProjectError> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let kept = self.context.kept()?;
        let (states, others): (Vec<Permission>, Vec<Permission>) = self
            .missing
            .iter()
            .cloned()
            .partition(|ask| matches!(ask, Permission::State { .. }));
        if !states.is_empty() {
            state::adopt(&self.context.state(), &kept)?;
        }
        if !others.is_empty() {
            kept.say(&self.project, &others, self.context.clock.now())?;
        }
        Ok(())
    }
}

/// Returns everything the user ever said yes to, the oldest of each project first.
pub fn trusted(environment: &Environment) -> Result<Vec<TrustGrant>, ProjectError> {
    Ok(kept(environment)?.all())
}

/// Takes back every yes for a project, and says whether there was one. The project need not be there any more.
pub fn revoke_trust(environment: &Environment, project: &Path) -> Result<bool, ProjectError> {
    let project = &environment.at(project);
    let project = match project.canonicalize() {
        Ok(found) if found.is_file() => found.parent().unwrap_or(&found).to_owned(),
        Ok(found) => found,
        Err(_) => std::path::absolute(project).map_err(|source| ProjectError::Here { source })?,
    };
    Ok(kept(environment)?.revoke(&project)?)
}

fn kept(environment: &Environment) -> Result<Kept, TrustError> {
    let owners = Owners::of_this_process(environment.sudo_user());
    Kept::open(environment.config_folder(), &owners)
}

impl ProjectContext {
    fn kept(&self) -> Result<Kept, TrustError> {
        match self.environment.config_folder() {
            Some(path) if checkout::holds(&self.root, &path) => {
                Err(TrustError::InCheckout { path })
            }
            folder => Kept::open(folder, &self.owners),
        }
    }

    /// Returns the folder for which a yes holds.
    fn project(&self) -> PathBuf {
        self.root
            .canonicalize()
            .unwrap_or_else(|_| self.root.clone())
    }

    /// Returns what of `asked` the user has not admitted.
    fn missing(&self, asked: &[Permission], kept: Option<&Kept>) -> Vec<Permission> {
        if self.trusted || asked.is_empty() {
            return Vec::new();
        }
        let yeses = kept.map_or_else(Vec::new, |kept| kept.yeses(&self.project()));
        let admitted: BTreeSet<Digest> = yeses
            .iter()
            .flat_map(|yes| &yes.asked)
            .map(|asked| asked.digest)
            .collect();
        // A state is not admitted by what was said of another: it carries its own mark.
        let is_missing = |ask: &&Permission| {
            matches!(ask, Permission::State { .. }) || !admitted.contains(&ask.digest())
        };
        asked.iter().filter(is_missing).cloned().collect()
    }

    /// Refuses to go on unless the user has admitted everything that is asked.
    pub(super) fn need(&self, asked: Vec<Permission>) -> Result<(), ProjectError> {
        if self.trusted || asked.is_empty() {
            return Ok(());
        }
        let kept = self.kept();
        let missing = self.missing(&without_repetitions(asked), kept.as_ref().ok());
        if missing.is_empty() {
            return Ok(());
        }
        Err(ProjectError::Untrusted {
            asked: missing,
            command: self.trust_command.clone(),
            source: kept.err(),
        })
    }

    /// Says whether the user has admitted all of it.
    pub(super) fn admits(&self, asked: &[Permission]) -> bool {
        self.missing(asked, self.kept().ok().as_ref()).is_empty()
    }

    /// Returns what is asked about the end of a build.
    pub(super) fn asked_at_the_end(&self, pipeline: &Pipeline) -> Vec<Permission> {
        let on_done = &pipeline.on_done;
        let in_replay = on_done.in_replay;
        let command = on_done.command.as_ref().map(|command| match command {
            DoneCommand::Shell(line) => Permission::Command {
                command: vec![line.clone()],
                shell: true,
                in_replay,
            },
            DoneCommand::Program(words) => Permission::Command {
                command: words.clone(),
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

    /// Returns what is asked to read hidden files, such as those of git, where a server of strangers could get them.
    fn asked_to_read_hidden(&self, pipeline: &Pipeline, dot_env: &DotEnv) -> Vec<Permission> {
        let mut providers = pipeline.providers.values();
        let is_strange = |profile| KeyUse::of(profile, &self.environment, dot_env).is_strange();
        if !providers.any(is_strange) {
            return Vec::new();
        }
        let hidden = |layer: &Layer| {
            let files = match &layer.body {
                LayerBody::Source {
                    glob, allow_hidden, ..
                } => allow_hidden.then(|| glob.clone()),
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

    /// Returns what is asked about files that decide what is done.
    fn asked_by_files(&self, dot_env: &DotEnv) -> Vec<Permission> {
        let mut asked = self
            .owners
            .look(&self.root, &self.root.display().to_string());
        asked.extend(self.owners.look(&self.root.join(&self.file), &self.file));
        asked.extend(self.owners.look(&self.state(), ".synix"));
        if dot_env.has_keys() {
            asked.extend(self.owners.look(&self.root.join(".env"), ".env"));
        }
        asked
    }

    fn asked_by_state(&self, kept: Option<&Kept>) -> Option<Permission> {
        let path = self.state();
        (state::whose(&path, kept) == StateOrigin::Foreign).then(|| Permission::State {
            path: path.display().to_string(),
        })
    }

    /// Refuses to go on from a state that is not this user's. A replay stands on its cassette.
    pub(super) fn need_own_state(&self) -> Result<(), ProjectError> {
        if self.cassette_mode == CassetteMode::Replay {
            return Ok(());
        }
        let asked = self.asked_by_state(self.kept().ok().as_ref());
        self.need(asked.into_iter().collect())
    }

    /// Returns what is asked to fetch plugins, those included whose names lead into the user's own network today.
    fn asked_to_fetch(&self, pipeline: &Pipeline) -> Vec<Permission> {
        let leads_near = |reference: &TransformRef| {
            plugin_server(reference)
                .is_some_and(|server| server.is_private() || server.resolves_to_private())
        };
        references(pipeline)
            .into_iter()
            .filter(|(_, reference)| leads_near(reference))
            .filter_map(|(_, reference)| fetching(reference))
            .collect()
    }

    /// Says how far a fetch may lead; an error where the reference itself leads to this machine or its network, and the
    /// user has not admitted it.
    pub(super) fn reach(&self, reference: &TransformRef) -> Result<AddressPolicy, ProjectError> {
        let Some(ask) = fetching(reference) else {
            return Ok(AddressPolicy::PublicOnly);
        };
        if plugin_server(reference).is_some_and(|server| server.is_private()) {
            self.need(vec![ask])?;
            return Ok(AddressPolicy::Any);
        }
        Ok(if self.admits(&[ask]) {
            AddressPolicy::Any
        } else {
            AddressPolicy::PublicOnly
        })
    }

    /// Returns the error of a fetch; where a name led to this machine or its network, it is what the user has to admit.
    pub(super) fn fetch_failed(&self, reference: &TransformRef, error: FetchError) -> ProjectError {
        // One that a server redirects to is none that the user was asked about.
        let is_named = |host: &str| {
            plugin_server(reference)
                .is_some_and(|server| server.origin().to_string().ends_with(&format!("//{host}")))
        };
        match (&error.source, fetching(reference)) {
            (FetchErrorKind::NotPublic { host, .. }, Some(ask)) if is_named(host) => {
                self.need(vec![ask]).err().unwrap_or_else(|| error.into())
            }
            _ => error.into(),
        }
    }

    /// Marks a state that is about to be made as this user's. Where that cannot be kept, it will be asked about.
    pub(super) fn claim_state(&self) {
        if let Ok(kept) = self.kept() {
            let _ = state::claim(&self.state(), &kept);
        }
    }

    /// Reads the keys beside the pipeline file. A replay needs none.
    pub(super) fn dot_env(&self, pipeline: &Pipeline) -> Result<DotEnv, ProjectError> {
        if self.cassette_mode == CassetteMode::Replay {
            return Ok(DotEnv::default());
        }
        DotEnv::read(&self.root, pipeline)
    }
}

impl Project {
    /// Refuses to act for the user unless everything that the project asks for was admitted. Nothing is sent before.
    pub(super) fn admit(&self) -> Result<(), ProjectError> {
        if self.admitted.get().is_some() {
            return Ok(());
        }
        let dot_env = self.context.dot_env(&self.pipeline)?;
        let mut asked = self.context.asked_at_the_end(&self.pipeline);
        for (name, profile) in &self.pipeline.providers {
            let key = KeyUse::of(profile, &self.context.environment, &dot_env);
            key.check(name)?;
            asked.extend(key.asks());
        }
        asked.extend(self.context.asked_to_read_hidden(&self.pipeline, &dot_env));
        asked.extend(self.context.asked_by_files(&dot_env));
        asked.extend(
            self.context
                .asked_by_state(self.context.kept().ok().as_ref()),
        );
        self.context.need(asked)?;
        let _ = self.admitted.set(());
        Ok(())
    }

    /// Says what about the project has no effect, and what to do about it.
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

/// Returns the server that a plugin comes from.
fn plugin_server(reference: &TransformRef) -> Option<Server> {
    match reference {
        TransformRef::Url { url, .. } => Server::of(url),
        TransformRef::Oci { image, .. } => {
            let registry = image.address();
            // As it is asked: on this machine in the open.
            let scheme = if is_loopback(registry) {
                "http"
            } else {
                "https"
            };
            Server::of(&format!("{scheme}://{registry}"))
        }
        TransformRef::FirstParty(_) | TransformRef::File(_) => None,
    }
}

/// Returns what is asked to fetch a plugin: the whole URL counts, for a service on this machine acts by path.
fn fetching(reference: &TransformRef) -> Option<Permission> {
    let from = match reference {
        TransformRef::Url { url, .. } => url.clone(),
        TransformRef::Oci { image, .. } => {
            format!("oci://{}/{}", image.registry(), image.repository())
        }
        TransformRef::FirstParty(_) | TransformRef::File(_) => return None,
    };
    Some(Permission::Fetch { from })
}

fn without_repetitions(asked: Vec<Permission>) -> Vec<Permission> {
    let mut once: Vec<Permission> = Vec::with_capacity(asked.len());
    for ask in asked {
        if !once.contains(&ask) {
            once.push(ask);
        }
    }
    once
}
