//! Writes the settings of a trial into the pipeline file and its prompt files.
//!
//! Nothing is written unless every setting still applies: a value that somebody changed since the trial is a conflict.
//! What is already there counts as done, so an interrupted command can be repeated.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::promote_error::PromoteError;
use super::record::TrialRecord;
use crate::context::{CassetteMode, Options, ProjectContext};
use crate::{Project, ProjectError};
use synix_core::digest::Digest;
use synix_engine::view::FindError;
use synix_manifest::{PromptFile, ResolvedOverrides, current_values, edit, nearest};
use synix_store::{Reader, Snapshot};

/// What was written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Promotion {
    /// The name of the trial.
    pub trial: String,
    /// The pipeline file, relative to the project.
    pub pipeline: String,
    /// What changed in the files.
    pub changes: Vec<PromotedChange>,
    /// How many settings were there already.
    pub unchanged: usize,
}

/// A change in a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PromotedChange {
    /// The file, relative to the project.
    pub file: String,
    /// The key in the pipeline file; `None` for a prompt file.
    pub key: Option<String>,
    /// The value before; null if there was none.
    pub old: Value,
    /// The value now; null if the key was removed.
    pub new: Value,
}

/// Writes the settings of a trial into the pipeline file and its prompt files.
pub fn promote(options: &Options, name: &str) -> Result<Promotion, ProjectError> {
    // What is written comes from the state, and may be the command that a build runs at its end. So the state must be
    // the user's own, also in a project that is otherwise only replayed.
    let options = &Options {
        cassette_mode: Some(CassetteMode::Off),
        ..options.clone()
    };
    let context = ProjectContext::with_state(options)?;
    context.require_own_state()?;
    let reader = Reader::open(&context.state())?;
    // Two commands that write the same file would each undo what the other writes.
    let _lock = reader.lock_promotion()?.ok_or(PromoteError::Busy)?;
    let record = find(&context, &reader, name)?;
    let text = context.pipeline_text()?;
    let resolved = record
        .overrides
        .resolve(&text)
        .map_err(|errors| context.pipeline_error(errors))?;
    let mut promotion = Promotion {
        trial: record.name.clone(),
        pipeline: context.file.clone(),
        changes: Vec::new(),
        unchanged: 0,
    };
    context.compare_values(&text, &resolved, &record, &mut promotion)?;
    let files = context.compare_files(&resolved, &record, &mut promotion)?;
    if promotion.changes.is_empty() {
        return Ok(promotion);
    }
    let edited = edit(&text, &record.overrides).map_err(|error| PromoteError::Edit {
        file: context.pipeline_name(),
        error,
    })?;
    // The configs are checked by the plugins as they are now, before anything is written.
    Project::open(&Options {
        pipeline: Some(context.root.join(&context.file)),
        trial: Some(record.options()),
        offline: true,
        ..options.clone()
    })?;
    for (path, text) in files {
        write(&path, &text)?;
    }
    if edited.0 != text {
        // A link that the user named leads to the file.
        let path = context.root.join(&context.file);
        let path = path.canonicalize().unwrap_or(path);
        write(&path, &edited.0)?;
    }
    Ok(promotion)
}

/// Finds the trial that made the snapshot of this name. If it has none, finds the newest one.
fn find(
    context: &ProjectContext,
    reader: &Reader,
    name: &str,
) -> Result<TrialRecord, ProjectError> {
    context.refuse_running_trial(reader, name, None)?;
    let mut trials = context.trials(reader, name)?;
    let snapshot = reader.trial_snapshot(&context.file, name)?;
    let made_by = |snapshot: Snapshot| {
        let mut builds = trials.iter();
        builds.position(|(build, _)| build.id == snapshot.build)
    };
    let position = snapshot.and_then(made_by).unwrap_or(0);
    let Some((chosen, record)) = trials.get(position) else {
        return Err(unknown(context, reader, name)?.into());
    };
    // The user may mean either one: what was tried last, or what the snapshot shows.
    let mut later = trials.iter().take(position);
    let unfinished = later.find(|(build, other)| {
        build.closed.is_none() && !build.cancelled && other.overrides != record.overrides
    });
    if let Some((build, _)) = unfinished {
        return Err(PromoteError::Unfinished {
            name: name.to_owned(),
            build: build.id,
            complete: chosen.id,
        }
        .into());
    }
    Ok(trials.swap_remove(position).1)
}

fn unknown(
    context: &ProjectContext,
    reader: &Reader,
    name: &str,
) -> Result<FindError, ProjectError> {
    let mut known = Vec::new();
    for build in reader.builds(None)? {
        if build.pipeline != context.file {
            continue;
        }
        if let Some(record) = TrialRecord::of(&build)?
            && !known.contains(&record.name)
        {
            known.push(record.name);
        }
    }
    Ok(FindError::NoTrial {
        name: name.to_owned(),
        nearest: nearest(name, known.iter().map(String::as_str)).map(str::to_owned),
        known,
    })
}

impl ProjectContext {
    /// Compares the values of the pipeline file with those before the trial.
    fn compare_values(
        &self,
        text: &str,
        resolved: &ResolvedOverrides,
        record: &TrialRecord,
        promotion: &mut Promotion,
    ) -> Result<(), ProjectError> {
        let values = current_values(text, &resolved.settings)
            .map_err(|errors| self.pipeline_error(errors))?;
        for (setting, now) in resolved.settings.iter().zip(values) {
            let now = now.unwrap_or_default();
            if now == setting.value {
                promotion.unchanged += 1;
                continue;
            }
            let key = setting.to_string();
            let before = record.values.get(&key).unwrap_or(&Value::Null);
            if now != *before {
                return Err(PromoteError::Changed {
                    file: self.pipeline_name(),
                    before: shown(before),
                    now: shown(&now),
                    key,
                }
                .into());
            }
            promotion.changes.push(PromotedChange {
                file: self.file.clone(),
                key: Some(key),
                old: now,
                new: setting.value.clone(),
            });
        }
        Ok(())
    }

    /// Compares the prompt files with what they were before the trial. Returns those to write.
    fn compare_files(
        &self,
        resolved: &ResolvedOverrides,
        record: &TrialRecord,
        promotion: &mut Promotion,
    ) -> Result<Vec<(PathBuf, String)>, ProjectError> {
        let folder = self.folder()?;
        let mut files = Vec::new();
        for (layer, PromptFile { path, text }) in &resolved.files {
            let now = self.prompt_digest(&folder, layer, path)?;
            if now == Some(Digest::of(text.as_bytes())) {
                promotion.unchanged += 1;
                continue;
            }
            if now.as_ref() != record.files.get(path) {
                return Err(PromoteError::FileChanged { file: path.clone() }.into());
            }
            if let Some(other) = self.other_layer_with(layer, path, resolved, text)? {
                let file = path.clone();
                return Err(PromoteError::SharedFile { file, other }.into());
            }
            let target = self.root.join(path).canonicalize();
            let root = self.root.canonicalize();
            let (Ok(target), Ok(root)) = (target, root) else {
                return Err(PromoteError::FileChanged { file: path.clone() }.into());
            };
            if !target.starts_with(&root) {
                return Err(PromoteError::Outside { file: path.clone() }.into());
            }
            let old = String::from_utf8_lossy(&synix_disk::read_limited(&target, MAX_OLD_BYTES)?)
                .into_owned();
            promotion.changes.push(PromotedChange {
                file: path.clone(),
                key: None,
                old: Value::String(old),
                new: Value::String(text.clone()),
            });
            files.push((target, text.clone()));
        }
        Ok(files)
    }

    /// Returns another layer that uses a prompt file and does not get the same text.
    fn other_layer_with(
        &self,
        layer: &str,
        path: &str,
        resolved: &ResolvedOverrides,
        text: &str,
    ) -> Result<Option<String>, ProjectError> {
        let pipeline = self.pipeline()?;
        let others = pipeline.layers.iter().filter(|other| {
            let config = other.config();
            let file = config.and_then(|config| config.get("prompt_file")?.as_str());
            other.name.as_str() != layer && file == Some(path)
        });
        let mut names = others.map(|other| other.name.to_string());
        let differs = |name: &String| {
            let file = resolved.files.get(name);
            file.is_none_or(|file| file.text != text)
        };
        Ok(names.find(differs))
    }
}

/// The maximum size of a prompt file that is replaced.
const MAX_OLD_BYTES: u64 = 64 << 20;

/// The maximum number of characters of a value in a message.
const MAX_SHOWN: usize = 80;

fn shown(value: &Value) -> String {
    if value.is_null() {
        return "absent".to_owned();
    }
    let text = value.to_string();
    if text.chars().nth(MAX_SHOWN).is_none() {
        return text;
    }
    let start: String = text.chars().take(MAX_SHOWN).collect();
    format!("{start}…")
}

/// Replaces a file, and keeps who may read it.
fn write(path: &Path, text: &str) -> Result<(), ProjectError> {
    let permissions = path.metadata().ok().map(|metadata| metadata.permissions());
    synix_disk::replace(path, text.as_bytes())?;
    if let Some(permissions) = permissions {
        // The new file is complete; its permissions are a detail that may be refused.
        let _ = std::fs::set_permissions(path, permissions);
    }
    Ok(())
}
