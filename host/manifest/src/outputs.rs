//! Converts the outputs of a pipeline file: what a release hands over.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::error::Finding;
use super::error_kind::PipelineErrorKind;
use super::nearest::did_you_mean;
use super::output_format::OutputFormat;
use super::position::child;
use super::resolve::Draft;
use synix_core::device_name::is_device_name;

/// The file that every release has, so that no output can have its name.
pub const RECEIPT: &str = "receipt.json";

/// The maximum length of a path in bytes. It leaves room for the release folder within the 260 of Windows.
const MAX_PATH_BYTES: usize = 100;

/// The formats with each of the keys that not all of them have.
const KEYS: [(&str, &[OutputFormat], &str); 4] = [
    (
        "title",
        &[OutputFormat::Document, OutputFormat::Croissant],
        "outputs with the format `document` or `croissant`",
    ),
    (
        "max_bytes",
        &[OutputFormat::Document],
        "outputs with the format `document`",
    ),
    (
        "description",
        &[OutputFormat::Croissant],
        "outputs with the format `croissant`",
    ),
    (
        "license",
        &[OutputFormat::Croissant],
        "outputs with the format `croissant`",
    ),
];

/// An output: the artifacts of some layers in one format.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OutputEntry {
    /// The layers, in the order of the output.
    #[schemars(length(min = 1))]
    pub(super) layers: Vec<String>,
    /// The format.
    pub(super) format: OutputFormat,
    /// The file, or the folder of `files` and `croissant`, relative to the folder of the release.
    pub(super) path: String,
    /// The title of a document or dataset; the name of the pipeline by default.
    #[schemars(length(min = 1, max = 200))]
    pub(super) title: Option<String>,
    /// The maximum size of a document in bytes. Artifacts that do not fit are left out, and the document says so.
    #[schemars(range(min = 1000, max = 9_007_199_254_740_991_u64))]
    pub(super) max_bytes: Option<u64>,
    /// What a dataset is about.
    #[schemars(length(min = 1, max = 10_000))]
    pub(super) description: Option<String>,
    /// The licence of a dataset: a URL, or an identifier such as `CC-BY-4.0`.
    #[schemars(length(min = 1, max = 1000))]
    pub(super) license: Option<String>,
}

/// A part of a release: the artifacts of some layers in one format.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// The name in the pipeline file.
    pub name: String,
    /// The layers, in order.
    pub layers: Vec<String>,
    /// The format.
    pub format: OutputFormat,
    /// The file, or the folder of some formats, relative to the folder of the release. It is safe on every file system.
    pub path: String,
    /// The settings of the format.
    pub settings: OutputSettings,
}

/// The settings of an output that only some formats have.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OutputSettings {
    /// The title of a document or dataset; `None`: the name of the pipeline.
    pub title: Option<String>,
    /// The maximum size of a document in bytes.
    pub max_bytes: Option<u64>,
    /// What a dataset is about.
    pub description: Option<String>,
    /// The licence of a dataset: a URL, or an identifier such as `CC-BY-4.0`.
    pub license: Option<String>,
}

/// Returns the outputs in the order of the file. If the draft has findings afterwards, invalid ones may be missing.
pub(super) fn resolve(
    draft: &mut Draft<'_>,
    mut entries: BTreeMap<String, OutputEntry>,
) -> Vec<Output> {
    let layers = draft.names_in("layers");
    let mut outputs: Vec<Output> = Vec::new();
    for name in draft.names_in("outputs") {
        let pointer = child("/outputs", &name);
        draft.check_name("output", &name, &pointer);
        let Some(entry) = entries.remove(&name) else {
            continue;
        };
        check_keys(draft, &pointer, entry.format);
        check_layers(draft, &pointer, &name, &entry.layers, &layers);
        check_path(draft, &pointer, &entry.path, &outputs);
        outputs.push(Output {
            name,
            layers: entry.layers,
            format: entry.format,
            path: entry.path,
            settings: OutputSettings {
                title: entry.title,
                max_bytes: entry.max_bytes,
                description: entry.description,
                license: entry.license,
            },
        });
    }
    outputs
}

fn check_keys(draft: &mut Draft<'_>, pointer: &str, format: OutputFormat) {
    for (key, formats, what) in KEYS {
        let key_pointer = child(pointer, key);
        if draft.has(&key_pointer) && !formats.contains(&format) {
            let kind = PipelineErrorKind::Misplaced {
                key: key.to_owned(),
                what,
            };
            draft.report(Finding::at_key(key_pointer, kind));
        }
    }
}

fn check_layers(
    draft: &mut Draft<'_>,
    pointer: &str,
    output: &str,
    layers: &[String],
    known: &[String],
) {
    let list = child(pointer, "layers");
    for (position, layer) in layers.iter().enumerate() {
        let kind = if !known.contains(layer) {
            PipelineErrorKind::UnknownLayer {
                output: output.to_owned(),
                layer: layer.clone(),
            }
        } else if layers[..position].contains(layer) {
            PipelineErrorKind::DuplicateLayer {
                output: output.to_owned(),
                layer: layer.clone(),
            }
        } else {
            continue;
        };
        let hint = did_you_mean(layer, known.iter().map(String::as_str));
        let hint = hint.filter(|_| !known.contains(layer));
        let place = child(&list, &position.to_string());
        draft.report(Finding::at_value(place, kind).hint(hint));
    }
}

fn check_path(draft: &mut Draft<'_>, pointer: &str, path: &str, others: &[Output]) {
    let rule = match path_rule(path) {
        Err(rule) => Some(rule.to_owned()),
        Ok(()) => others
            .iter()
            .find(|other| overlap(path, &other.path))
            .map(|other| {
                let Output { name, path, .. } = other;
                format!("be neither `{path}`, which is the path of output `{name}`, nor inside or around it")
            }),
    };
    if let Some(rule) = rule {
        let kind = PipelineErrorKind::BadValue(rule);
        draft.report(Finding::at_value(child(pointer, "path"), kind));
    }
}

/// Only plain names: any others are spelled differently by some file system, or cannot be created there.
fn path_rule(path: &str) -> Result<(), &'static str> {
    if path.is_empty() {
        return Err("not be empty");
    }
    if path.len() > MAX_PATH_BYTES {
        return Err("have at most 100 characters");
    }
    if path.starts_with('/') {
        return Err("be relative to the folder of the release");
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    for name in path.split('/') {
        if name == ".." {
            return Err("not leave the folder of the release");
        }
        if name.is_empty() || !name.chars().all(is_plain) {
            return Err(
                "consist of names of letters, digits, '-', '_' and '.', separated by single `/`",
            );
        }
        if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || name.ends_with('.') {
            return Err("have names that start with a letter or digit and do not end with a dot");
        }
        if is_device_name(name) {
            return Err("not contain the name of a device of Windows");
        }
    }
    let first = path.split('/').next().unwrap_or_default();
    if first.eq_ignore_ascii_case(RECEIPT) {
        return Err("not be `receipt.json`, which every release has");
    }
    Ok(())
}

/// Returns whether two paths are the same or one contains the other, also where case does not count.
fn overlap(one: &str, other: &str) -> bool {
    let names =
        |path: &str| -> Vec<String> { path.split('/').map(str::to_ascii_lowercase).collect() };
    let (one, other) = (names(one), names(other));
    one.starts_with(&other) || other.starts_with(&one)
}
