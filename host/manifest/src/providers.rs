//! Converts the providers and model roles of a pipeline file.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::Finding;
use super::error_kind::PipelineErrorKind;
use super::manifest::{ModelEntry, ProviderEntry};
use super::nearest::did_you_mean;
use super::position::{child, dotted};
use super::profile::{ModelRole, ProviderProfile};
use super::resolve::Draft;
use synix_core::request::Wire;

/// The providers that need no entry.
const BUILT_IN_PROVIDERS: [(&str, Wire); 2] =
    [("openai", Wire::OpenAi), ("anthropic", Wire::Anthropic)];

impl Draft<'_> {
    pub(super) fn providers(
        &mut self,
        entries: BTreeMap<String, ProviderEntry>,
    ) -> BTreeMap<String, ProviderProfile> {
        let mut profiles: BTreeMap<String, ProviderProfile> = BUILT_IN_PROVIDERS
            .map(|(name, api)| (name.to_owned(), ProviderProfile::new(name, api)))
            .into();
        for (name, entry) in entries {
            let pointer = child("/providers", &name);
            self.check_name("provider", &name, &pointer);
            let Some(api) = entry.api.or_else(|| profiles.get(&name).map(|own| own.api)) else {
                if !self.has(&child(&pointer, "api")) {
                    let kind = PipelineErrorKind::MissingKey {
                        key: "api".to_owned(),
                        table: dotted(&pointer),
                    };
                    let hint = "only `openai` and `anthropic` have a default".to_owned();
                    self.report(Finding::at_value(&pointer, kind).hint(Some(hint)));
                }
                continue;
            };
            self.check_rule(
                &pointer,
                "base_url",
                entry.base_url.as_deref(),
                check_base_url,
            );
            self.check_rule(
                &pointer,
                "api_key_env",
                entry.api_key_env.as_deref(),
                check_variable_name,
            );
            if entry.batch_api.is_some() && api != Wire::OpenAi {
                let kind = PipelineErrorKind::Misplaced {
                    key: "batch_api".to_owned(),
                    what: "providers with `api = \"openai\"`",
                };
                self.report(Finding::at_key(child(&pointer, "batch_api"), kind));
            }
            profiles.insert(name.clone(), profile(&name, api, entry));
        }
        profiles
    }

    pub(super) fn models(
        &mut self,
        entries: BTreeMap<String, ModelEntry>,
        providers: &BTreeMap<String, ProviderProfile>,
    ) -> BTreeMap<String, ModelRole> {
        let in_file = self.names_in("providers");
        let known: Vec<&str> = providers
            .keys()
            .chain(&in_file)
            .map(String::as_str)
            .collect();
        let role = |(name, entry): (String, ModelEntry)| {
            let pointer = child("/models", &name);
            self.check_name("model role", &name, &pointer);
            if !known.contains(&entry.provider.as_str()) {
                let kind = PipelineErrorKind::UnknownProvider(entry.provider.clone());
                let hint = did_you_mean(&entry.provider, known.iter().copied());
                self.report(Finding::at_value(child(&pointer, "provider"), kind).hint(hint));
            }
            self.check_rule(&pointer, "model", Some(&entry.model), check_printable);
            let ModelEntry {
                provider,
                model,
                max_tokens,
                temperature,
                dimensions,
                context_window,
                batch,
            } = entry;
            (
                name.clone(),
                ModelRole {
                    name,
                    provider,
                    model,
                    max_tokens,
                    temperature,
                    dimensions,
                    context_window,
                    batch,
                },
            )
        };
        entries.into_iter().map(role).collect()
    }
}

fn profile(name: &str, api: Wire, entry: ProviderEntry) -> ProviderProfile {
    let default = ProviderProfile::new(name, api);
    let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).ok();
    ProviderProfile {
        base_url: entry.base_url,
        api_key_env: entry.api_key_env,
        batch: entry.batch,
        batch_api: entry.batch_api,
        retries: entry.retries.unwrap_or(default.retries),
        backoff: entry.backoff.and_then(seconds).unwrap_or(default.backoff),
        timeout: entry.timeout.and_then(seconds).unwrap_or(default.timeout),
        look_again: entry.look_again.map_or(default.look_again, |waits| {
            waits.into_iter().filter_map(seconds).collect()
        }),
        batch_requests: entry.batch_requests,
        enqueued_tokens: entry.enqueued_tokens,
        name: default.name,
        api: default.api,
    }
}

fn check_base_url(url: &str) -> Result<(), &'static str> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let rest = rest.ok_or("start with `https://` or `http://`")?;
    let host = rest.split('/').next().unwrap_or_default();
    if host.is_empty() || host.starts_with(':') {
        return Err("name a host");
    }
    if host.contains('@') {
        return Err("not contain a credential; name its variable in `api_key_env`");
    }
    if url.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#' | '\\'))
    {
        return Err("consist of a scheme, a host and a path");
    }
    Ok(())
}

/// The message does not contain the text, because it may be the key itself.
fn check_variable_name(name: &str) -> Result<(), &'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty()
        || !name.chars().all(allowed)
        || name.starts_with(|c: char| c.is_ascii_digit())
    {
        return Err("be the name of an environment variable, not the key itself");
    }
    Ok(())
}

fn check_printable(text: &str) -> Result<(), &'static str> {
    if text.contains(char::is_control) {
        Err("not contain control characters")
    } else {
        Ok(())
    }
}
