//! Converts the text of a pipeline file to a pipeline.
//!
//! An invalid part of the file does not hide errors in other parts: it is removed, its name remains known, and the rest is
//! checked. [`super::providers`] and [`super::layers`] convert the sections.

use serde::Deserialize as _;
use serde_json::{Value, json};

use super::document::{self, Document};
use super::engine::check_engine_url;
use super::error::{Finding, PipelineErrors};
use super::error_kind::PipelineErrorKind;
use super::manifest::Manifest;
use super::overrides::{self, Overrides};
use super::position::{KeyOrValue, Positions, child, segments};
use super::shared::check_shared_url;
use super::validate::Validator;
use super::{Pipeline, layers, on_done, outputs, schema};
use synix_core::ids::check_name;

/// Parses a pipeline file and changes it. On failure, returns all errors in it.
pub(super) fn parse(text: &str, changes: &Overrides) -> Result<Pipeline, PipelineErrors> {
    let mut document = document::read(text)?;
    let prompt_files = overrides::apply(&mut document, changes);
    let Document {
        value,
        positions,
        findings,
    } = document;
    let mut draft = Draft {
        document: &value,
        positions: &positions,
        findings,
    };
    let manifest = draft.manifest();
    let providers = draft.providers(manifest.providers);
    let models = draft.models(manifest.models, &providers);
    let layers = layers::resolve(&mut draft, manifest.layers);
    let outputs = outputs::resolve(&mut draft, manifest.outputs);
    draft.check_rule(
        "/pipeline",
        "on_done_url",
        manifest.pipeline.on_done_url.as_deref(),
        on_done::check_url,
    );
    let shared_url = manifest.shared.url.as_deref();
    draft.check_rule("/shared", "url", shared_url, check_shared_url);
    let engine_url = manifest.engine.restate.as_deref();
    draft.check_rule("/engine", "restate", engine_url, check_engine_url);
    let content_url = manifest.engine.content.as_deref();
    draft.check_rule("/engine", "content", content_url, check_shared_url);
    let mut errors: Vec<_> = draft
        .findings
        .into_iter()
        .map(|found| found.locate(&positions))
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
        outputs,
        shared: manifest.shared.into(),
        engine: manifest.engine.into(),
        prompt_files,
        positions,
    };
    errors.extend(pipeline.check_batch(|_| false));
    match PipelineErrors::new(errors) {
        None => Ok(pipeline),
        Some(errors) => Err(errors),
    }
}

/// A file that is being converted.
pub(super) struct Draft<'a> {
    document: &'a Value,
    positions: &'a Positions,
    findings: Vec<Finding>,
}

impl Draft<'_> {
    /// Records an error.
    pub(super) fn report(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Returns whether the file contains the key, valid or not.
    pub(super) fn has(&self, pointer: &str) -> bool {
        self.positions.has(pointer)
    }

    /// Returns whether an error is recorded for exactly this key.
    pub(super) fn has_finding(&self, pointer: &str) -> bool {
        self.findings.iter().any(|found| found.pointer == pointer)
    }

    /// Returns the names in a section such as `layers`, in the order of the file.
    pub(super) fn names_in(&self, section: &str) -> Vec<String> {
        let members = self.document.get(section).and_then(Value::as_object);
        let mut names: Vec<String> = members
            .into_iter()
            .flat_map(|members| members.keys().cloned())
            .collect();
        let position = |name: &String| {
            self.positions
                .find(&child(&format!("/{section}"), name), KeyOrValue::Key)
        };
        names.sort_by_key(position);
        names
    }

    /// Records an error if a name violates the rule for names.
    pub(super) fn check_name(&mut self, what: &'static str, name: &str, pointer: &str) {
        if let Err(invalid) = check_name(what, name) {
            self.report(Finding::at_key(pointer, PipelineErrorKind::Name(invalid)));
        }
    }

    /// Validates the structure of the file, and returns its valid parts.
    fn manifest(&mut self) -> Manifest {
        match Validator::trusted(&schema::STRUCTURE) {
            Ok(validator) => {
                let findings = validator.validate(self.document, "");
                // A value that JSON cannot represent is null here and has a finding already.
                let known: Vec<String> = self
                    .findings
                    .iter()
                    .map(|found| found.pointer.clone())
                    .collect();
                self.findings.extend(
                    findings
                        .into_iter()
                        .filter(|finding| !known.contains(&finding.pointer)),
                );
            }
            Err(problem) => self.report(Finding::at_key(
                "",
                PipelineErrorKind::ConfigSchema(problem),
            )),
        }
        let mut valid = self.document.clone();
        for finding in &self.findings {
            remove_part(&mut valid, &finding.pointer);
        }
        for (section, required) in [
            ("models", &["provider", "model"][..]),
            ("outputs", &["layers", "format", "path"]),
        ] {
            if let Some(entries) = valid.get_mut(section).and_then(Value::as_object_mut) {
                entries.retain(|_, entry| required.iter().all(|key| entry.get(key).is_some()));
            }
        }
        if !valid
            .pointer("/pipeline/name")
            .is_some_and(Value::is_string)
        {
            valid["pipeline"] = json!({ "name": "" });
        } else if let Some(name) = valid.pointer("/pipeline/name").and_then(Value::as_str) {
            self.check_name("pipeline", name, "/pipeline/name");
        }
        Manifest::deserialize(valid).unwrap_or_else(|error| {
            self.report(Finding::at_key(
                "",
                PipelineErrorKind::BadValue(format!("be a pipeline: {error}")),
            ));
            Manifest::default()
        })
    }

    pub(super) fn check_rule(
        &mut self,
        table: &str,
        key: &str,
        value: Option<&str>,
        rule: fn(&str) -> Result<(), &'static str>,
    ) {
        if let Some(Err(rule)) = value.map(rule) {
            self.report(Finding::at_value(
                child(table, key),
                PipelineErrorKind::BadValue(rule.to_owned()),
            ));
        }
    }
}

/// Removes the part with an error from the value: at most a complete key of an entry.
fn remove_part(value: &mut Value, pointer: &str) {
    let path: Vec<String> = segments(pointer).take(3).collect();
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    let mut table = Some(value);
    for name in parents {
        table = table.and_then(|table| table.get_mut(name));
    }
    if let Some(members) = table.and_then(Value::as_object_mut) {
        members.remove(last);
    }
}
