//! Opens the providers of a pipeline with their keys, and reads how their batches are processed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::keys::KeyUse;
use super::{Project, ProjectError, RunOptions};
use synix_engine::batch::BatchSettings;
use synix_engine::build::Providers;
use synix_manifest::ProviderProfile;
use synix_providers::{Endpoint, HttpSettings, Provider, Secret};
use synix_store::RetrySelection;

/// The maximum number of attempts at a request through batches in one command.
const BATCH_ATTEMPTS: u32 = 3;

impl Project {
    /// Returns the settings for batches from the pipeline file and the command.
    pub(super) fn batch_settings(&self, run: &RunOptions) -> BatchSettings {
        let providers = &self.pipeline.providers;
        BatchSettings {
            search_pauses: providers
                .iter()
                .map(|(name, profile)| (name.clone(), profile.look_again.clone()))
                .collect(),
            attempts: BATCH_ATTEMPTS,
            layers: self
                .ready
                .layers
                .iter()
                .map(|layer| layer.name.to_string())
                .collect(),
            interval: run.wait_policy.interval(),
            batch_requests: providers
                .iter()
                .filter_map(|(name, profile)| Some((name.clone(), profile.batch_requests?)))
                .collect(),
            enqueued_tokens: providers
                .iter()
                .filter_map(|(name, profile)| Some((name.clone(), profile.enqueued_tokens?)))
                .collect(),
            sync_after: run.sync_after,
            lost_create: run.lost_create.clone(),
            retry: RetrySelection::default(),
        }
    }

    /// Opens the providers with the keys that the user lets them have. Also returns the variable of each missing key, by
    /// provider.
    pub(super) fn providers(&self) -> Result<(Providers, BTreeMap<String, String>), ProjectError> {
        self.require_permissions()?;
        let dot_env = self.context.dot_env(&self.pipeline)?;
        let mut providers = Providers::new();
        let mut missing = BTreeMap::new();
        for (name, profile) in &self.pipeline.providers {
            let key_use = KeyUse::find(profile, &self.context.environment, &dot_env);
            key_use.require_encryption(name)?;
            let redirect = key_use.redirect.clone();
            let is_custom_server = redirect.is_some() || !profile.uses_default_url();
            let key = key_use.into_key();
            if key.is_none() && (!is_custom_server || profile.api_key_env.is_some()) {
                missing.insert(name.clone(), profile.key_variable().to_owned());
                continue;
            }
            providers.insert(
                name.clone(),
                Arc::new(Provider::open(endpoint(profile, redirect, key))?),
            );
        }
        Ok((providers, missing))
    }
}

fn endpoint(profile: &ProviderProfile, redirect: Option<String>, key: Option<Secret>) -> Endpoint {
    Endpoint {
        name: profile.name.clone(),
        wire: profile.api,
        batch_api: profile.batch_api.unwrap_or_default(),
        base_url: redirect.unwrap_or_else(|| profile.url().to_owned()),
        key,
        http: HttpSettings {
            retries: profile.retries,
            backoff: profile.backoff,
            timeout: profile.timeout,
        },
    }
}
