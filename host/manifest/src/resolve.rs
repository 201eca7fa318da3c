//! Makes a pipeline of a file: checks its form, then providers and model roles.
//!
//! A part of the file that is wrong does not hide what is wrong elsewhere: it
//! is left out, its name stays known, and the rest is looked at. Layers are
//! for [`super::layers`].

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize as _;
use serde_json::{Value, json};

use super::conform::Checker;
use super::document::{self, Document};
use super::error::{Finding, PipelineErrorKind, PipelineErrors};
use super::manifest::{Manifest, ModelEntry, ProviderEntry};
use super::nearest::did_you_mean;
use super::position::{Positions, Side, below, dotted, names};
use super::profile::{ModelRole, ProviderProfile};
use super::{Pipeline, layers, on_done, schema};
use synix_core::ids::check_name;
use synix_core::request::Wire;

/// The providers that need no entry.
const OWN_PROVIDERS: [(&str, Wire); 2] = [("openai", Wire::OpenAi), ("anthropic", Wire::Anthropic)];

/// Reads a pipeline file; fails with everything that is wrong with it.
pub(super) fn pipeline(text: &str) -> Result<Pipeline, PipelineErrors> {
    let Document {
        value,
        positions,
        findings,
    } = document::read(text)?;
    let mut draft = Draft {
        written: &value,
        positions: &positions,
        findings,
    };
    let manifest = draft.manifest();
    let providers = draft.providers(manifest.providers);
    let models = draft.models(manifest.models, &providers);
    let layers = layers::resolve(&mut draft, manifest.layers);
    draft.check_rule(
        "/pipeline",
        "on_done_url",
        manifest.pipeline.on_done_url.as_deref(),
        on_done::url_rule,
    );
    let mut errors: Vec<_> = draft
        .findings
        .into_iter()
        .map(|found| found.place(&positions))
        .collect();
    let pipeline = Pipeline {
        name: manifest.pipeline.name.clone(),
        prices: manifest.prices,
        budget_usd: manifest.pipeline.budget_usd,
        max_units: manifest.pipeline.max_units,
        max_requests: manifest.pipeline.max_requests,
        on_done: manifest.pipeline.into(),
        providers,
        models,
        layers,
        positions,
    };
    errors.extend(pipeline.check_batch(|_| false));
    match PipelineErrors::new(errors) {
        None => Ok(pipeline),
        Some(errors) => Err(errors),
    }
}

/// A file on its way to a pipeline.
pub(super) struct Draft<'a> {
    written: &'a Value,
    positions: &'a Positions,
    findings: Vec<Finding>,
}

impl Draft<'_> {
    /// Notes what is wrong.
    pub(super) fn note(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Returns whether the file has the key, right or wrong.
    pub(super) fn has(&self, pointer: &str) -> bool {
        self.positions.has(pointer)
    }

    /// Returns whether something is noted about this very key.
    pub(super) fn is_wrong(&self, pointer: &str) -> bool {
        self.findings.iter().any(|found| found.pointer == pointer)
    }

    /// Returns the names in a section such as `layers`, in the order of the file.
    pub(super) fn names_in(&self, section: &str) -> Vec<String> {
        let members = self.written.get(section).and_then(Value::as_object);
        let mut names: Vec<String> = members
            .into_iter()
            .flat_map(|members| members.keys().cloned())
            .collect();
        let place = |name: &String| {
            self.positions
                .find(&below(&format!("/{section}"), name), Side::Key)
        };
        names.sort_by_key(place);
        names
    }

    /// Notes a name that breaks the rule for names.
    pub(super) fn check_name(&mut self, what: &'static str, name: &str, pointer: &str) {
        if let Err(invalid) = check_name(what, name) {
            self.note(Finding::at_key(pointer, PipelineErrorKind::Name(invalid)));
        }
    }

    /// Checks the file's form and returns the manifest of what is in order.
    fn manifest(&mut self) -> Manifest {
        match Checker::trusted(&schema::STRUCTURE) {
            Ok(checker) => {
                let misfits = checker.check(self.written, "");
                // A value that has no form in JSON is null by now; that it is
                // null would be said a second time.
                let known: Vec<String> = self
                    .findings
                    .iter()
                    .map(|found| found.pointer.clone())
                    .collect();
                self.findings.extend(
                    misfits
                        .into_iter()
                        .filter(|misfit| !known.contains(&misfit.pointer)),
                );
            }
            Err(problem) => self.note(Finding::at_key(
                "",
                PipelineErrorKind::ConfigSchema(problem),
            )),
        }
        let mut sound = self.written.clone();
        for finding in &self.findings {
            leave_out(&mut sound, &finding.pointer);
        }
        if let Some(models) = sound.get_mut("models").and_then(Value::as_object_mut) {
            models.retain(|_, model| {
                ["provider", "model"]
                    .iter()
                    .all(|key| model.get(key).is_some())
            });
        }
        if !sound
            .pointer("/pipeline/name")
            .is_some_and(Value::is_string)
        {
            sound["pipeline"] = json!({ "name": "" });
        } else if let Some(name) = sound.pointer("/pipeline/name").and_then(Value::as_str) {
            self.check_name("pipeline", name, "/pipeline/name");
        }
        Manifest::deserialize(sound).unwrap_or_else(|error| {
            self.note(Finding::at_key(
                "",
                PipelineErrorKind::BadValue(format!("be a pipeline: {error}")),
            ));
            Manifest::default()
        })
    }

    fn providers(
        &mut self,
        entries: BTreeMap<String, ProviderEntry>,
    ) -> BTreeMap<String, ProviderProfile> {
        let mut profiles: BTreeMap<String, ProviderProfile> = OWN_PROVIDERS
            .map(|(name, api)| (name.to_owned(), ProviderProfile::new(name, api)))
            .into();
        for (name, entry) in entries {
            let pointer = below("/providers", &name);
            self.check_name("provider", &name, &pointer);
            let Some(api) = entry.api.or_else(|| profiles.get(&name).map(|own| own.api)) else {
                if !self.has(&below(&pointer, "api")) {
                    let kind = PipelineErrorKind::MissingKey {
                        key: "api".to_owned(),
                        table: dotted(&pointer),
                    };
                    let hint = "only `openai` and `anthropic` are known without it".to_owned();
                    self.note(Finding::at_value(&pointer, kind).hint(Some(hint)));
                }
                continue;
            };
            self.check_rule(
                &pointer,
                "base_url",
                entry.base_url.as_deref(),
                base_url_rule,
            );
            self.check_rule(
                &pointer,
                "api_key_env",
                entry.api_key_env.as_deref(),
                variable_rule,
            );
            if entry.batch_api.is_some() && api != Wire::OpenAi {
                let kind = PipelineErrorKind::Misplaced {
                    key: "batch_api".to_owned(),
                    what: "`api = \"openai\"`",
                };
                self.note(Finding::at_key(below(&pointer, "batch_api"), kind));
            }
            profiles.insert(name.clone(), profile(&name, api, entry));
        }
        profiles
    }

    fn models(
        &mut self,
        entries: BTreeMap<String, ModelEntry>,
        providers: &BTreeMap<String, ProviderProfile>,
    ) -> BTreeMap<String, ModelRole> {
        let written = self.names_in("providers");
        let known: Vec<&str> = providers
            .keys()
            .chain(&written)
            .map(String::as_str)
            .collect();
        let role = |(name, entry): (String, ModelEntry)| {
            let pointer = below("/models", &name);
            self.check_name("model role", &name, &pointer);
            if !known.contains(&entry.provider.as_str()) {
                let kind = PipelineErrorKind::UnknownProvider(entry.provider.clone());
                let hint = did_you_mean(&entry.provider, known.iter().copied());
                self.note(Finding::at_value(below(&pointer, "provider"), kind).hint(hint));
            }
            self.check_rule(&pointer, "model", Some(&entry.model), text_rule);
            let ModelEntry {
                provider,
                model,
                max_tokens,
                temperature,
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
                    batch,
                },
            )
        };
        entries.into_iter().map(role).collect()
    }

    fn check_rule(
        &mut self,
        table: &str,
        key: &str,
        value: Option<&str>,
        rule: fn(&str) -> Result<(), &'static str>,
    ) {
        if let Some(Err(broken)) = value.map(rule) {
            self.note(Finding::at_value(
                below(table, key),
                PipelineErrorKind::BadValue(broken.to_owned()),
            ));
        }
    }
}

/// Takes what a finding is about out of the value, up to a whole key of an entry.
fn leave_out(value: &mut Value, pointer: &str) {
    let path: Vec<String> = names(pointer).take(3).collect();
    let Some((last, above)) = path.split_last() else {
        return;
    };
    let mut table = Some(value);
    for name in above {
        table = table.and_then(|table| table.get_mut(name));
    }
    if let Some(members) = table.and_then(Value::as_object_mut) {
        members.remove(last);
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

fn base_url_rule(url: &str) -> Result<(), &'static str> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let rest = rest.ok_or("start with `https://` or `http://`")?;
    let host = rest.split('/').next().unwrap_or_default();
    if host.is_empty() || host.starts_with(':') {
        return Err("name a host");
    }
    if host.contains('@') {
        return Err("not hold a credential; name its variable in `api_key_env`");
    }
    if url.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#' | '\\'))
    {
        return Err("hold only a scheme, a host and a path");
    }
    Ok(())
}

/// Does not repeat the text: it may be the key itself.
fn variable_rule(name: &str) -> Result<(), &'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty()
        || !name.chars().all(allowed)
        || name.starts_with(|c: char| c.is_ascii_digit())
    {
        return Err("be the name of an environment variable, not the key itself");
    }
    Ok(())
}

fn text_rule(text: &str) -> Result<(), &'static str> {
    if text.contains(char::is_control) {
        Err("not have control characters")
    } else {
        Ok(())
    }
}
