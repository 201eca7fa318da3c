//! Compares the parts of two fingerprints and says what changed.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::change::{self, Change};
use super::parts::{
    FilePart, InputPart, LayerParts, LimitParts, ModelParts, RequestParts, StoredParts, UnitParts,
    VERSION,
};
use super::stale_reason::StaleReason;
use crate::digest::Digest;

/// The maximum number of inputs that are listed for a unit, because a unit may have millions.
const MAX_LISTED_INPUTS: usize = 100;

/// Returns what differs between two units with the same key.
pub fn stale_reasons(old: &StoredParts, new: &StoredParts) -> Vec<StaleReason> {
    let mut reasons = Vec::new();
    if old.version != VERSION {
        reasons.push(StaleReason::Version);
    }
    let (old_layer, new_layer) = (&old.layer, &new.layer);
    if old_layer.contract != new_layer.contract {
        reasons.push(StaleReason::Contract {
            old: old_layer.contract.clone(),
            new: new_layer.contract.clone(),
        });
    }
    reasons.extend(compare_settings(
        (old_layer, old.unit.config.as_deref()),
        (new_layer, new.unit.config.as_deref()),
    ));
    if old.unit.partial || new.unit.partial {
        reasons.push(StaleReason::Partial);
    }
    compare_inputs(&old.unit, &new.unit, &mut reasons);
    reasons
}

/// Returns what differs between two layers, apart from their names and the contract version.
pub(super) fn stale_reasons_of_layers(old: &LayerParts, new: &LayerParts) -> Vec<StaleReason> {
    compare_settings((old, None), (new, None))
}

/// Compares two layers, each with the additions of a unit to the config.
fn compare_settings(
    (old_layer, old_additions): (&LayerParts, Option<&str>),
    (new_layer, new_additions): (&LayerParts, Option<&str>),
) -> Vec<StaleReason> {
    let mut reasons = Vec::new();
    if old_layer.component != new_layer.component {
        reasons.push(StaleReason::Component {
            old: old_layer.component.short(),
            new: new_layer.component.short(),
        });
    }
    let mut changes = Vec::new();
    if old_layer.config != new_layer.config || old_additions != new_additions {
        let old = merged_config(&old_layer.config, old_additions);
        let new = merged_config(&new_layer.config, new_additions);
        changes = change::between_tables(&old, &new);
    }
    let files = compare_files(old_layer, new_layer, &changes);
    if !changes.is_empty() {
        reasons.push(StaleReason::Config { changes });
    }
    reasons.extend(files);
    let mut changes = model_changes(old_layer.model.as_ref(), new_layer.model.as_ref());
    changes.extend(request_changes(&old_layer.requests, &new_layer.requests));
    if !changes.is_empty() {
        reasons.push(StaleReason::Model { changes });
    }
    let changes = limit_changes(&old_layer.limits, &new_layer.limits);
    if !changes.is_empty() {
        reasons.push(StaleReason::Limits { changes });
    }
    reasons
}

fn merged_config(config: &str, additions: Option<&str>) -> Map<String, Value> {
    let read = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default();
    let mut merged = read(config);
    merged.extend(additions.map(read).unwrap_or_default());
    merged
}

/// Returns the files that differ. A file whose setting was added or removed is omitted, because `reported` has it.
fn compare_files(
    old_layer: &LayerParts,
    new_layer: &LayerParts,
    reported: &[Change],
) -> Vec<StaleReason> {
    let is_reported = |pointer: &str| {
        let key = pointer.trim_start_matches('/').replace('/', ".");
        reported
            .iter()
            .any(|change| key == change.key || key.starts_with(&format!("{}.", change.key)))
    };
    let old_pointers = old_layer.files.keys();
    let mut pointers: Vec<&String> = old_pointers.chain(new_layer.files.keys()).collect();
    pointers.sort();
    pointers.dedup();
    let differing = pointers.into_iter().filter_map(|pointer| {
        let (old, new) = (old_layer.files.get(pointer), new_layer.files.get(pointer));
        let digest = |file: Option<&FilePart>| file.map(|file| file.digest);
        if digest(old) == digest(new) || (old.is_some() != new.is_some() && is_reported(pointer)) {
            return None;
        }
        let short = |file: Option<&FilePart>| {
            file.map_or_else(|| "none".to_owned(), |file| file.digest.short())
        };
        Some(StaleReason::File {
            path: new.or(old)?.path.clone(),
            old: short(old),
            new: short(new),
        })
    });
    differing.collect()
}

/// Returns the settings that differ between two model roles.
pub fn model_changes(old: Option<&ModelParts>, new: Option<&ModelParts>) -> Vec<Change> {
    let field =
        |key: &str, of: fn(&ModelParts) -> &String| Change::between(key, old.map(of), new.map(of));
    let max_tokens = |model: &ModelParts| model.max_tokens;
    let temperature = |model: &ModelParts| model.temperature;
    let dimensions = |model: &ModelParts| model.dimensions;
    let window = |model: &ModelParts| model.context_window;
    let changes = [
        field("api", |model| &model.api),
        field("provider", |model| &model.provider),
        field("model", |model| &model.model),
        Change::between(
            "max_tokens",
            old.and_then(max_tokens).as_ref(),
            new.and_then(max_tokens).as_ref(),
        ),
        Change::between(
            "temperature",
            old.and_then(temperature).as_ref(),
            new.and_then(temperature).as_ref(),
        ),
        Change::between(
            "dimensions",
            old.and_then(dimensions).as_ref(),
            new.and_then(dimensions).as_ref(),
        ),
        Change::between(
            "context_window",
            old.and_then(window).as_ref(),
            new.and_then(window).as_ref(),
        ),
    ];
    changes.into_iter().flatten().collect()
}

fn request_changes(old: &RequestParts, new: &RequestParts) -> Vec<Change> {
    fn if_set(revision: &String) -> Option<&String> {
        Some(revision).filter(|revision| !revision.is_empty())
    }
    let accepts = |parts: &RequestParts| parts.accept_truncated.then_some("truncated");
    let options = |parts: &RequestParts| {
        let names = parts.options_allowed.join(", ");
        Some(names).filter(|names| !names.is_empty())
    };
    let changes = [
        Change::between(
            "options_allowed",
            options(old).as_ref(),
            options(new).as_ref(),
        ),
        Change::between("revision", if_set(&old.revision), if_set(&new.revision)),
        Change::between("accept", accepts(old).as_ref(), accepts(new).as_ref()),
    ];
    changes.into_iter().flatten().collect()
}

fn limit_changes(old: &LimitParts, new: &LimitParts) -> Vec<Change> {
    let field = |key: &str, old: u64, new: u64| Change::between(key, Some(&old), Some(&new));
    let changes = [
        field("fuel", old.fuel, new.fuel),
        field("memory", old.memory_bytes, new.memory_bytes),
        field("stack", old.stack_bytes, new.stack_bytes),
        field(
            "bytes passed to the host",
            old.hostcall_bytes,
            new.hostcall_bytes,
        ),
        field("output", old.output_bytes, new.output_bytes),
        field("requests", old.requests, new.requests),
        Change::between("tokens", old.tokens.as_ref(), new.tokens.as_ref()),
    ];
    changes.into_iter().flatten().collect()
}

fn compare_inputs(old: &UnitParts, new: &UnitParts, reasons: &mut Vec<StaleReason>) {
    let by_name = |parts: &UnitParts| -> BTreeMap<String, Digest> {
        let named = |input: &InputPart| (input.name.clone(), input.digest);
        parts.inputs.iter().map(named).collect()
    };
    let (old_inputs, new_inputs) = (by_name(old), by_name(new));
    let changed = new_inputs.iter().filter_map(|(name, digest)| {
        let input = name.clone();
        match old_inputs.get(name) {
            Some(earlier) if earlier == digest => None,
            Some(earlier) => Some(StaleReason::Input {
                input,
                old: earlier.short(),
                new: digest.short(),
            }),
            None => Some(StaleReason::InputAdded { input }),
        }
    });
    let removed = old_inputs
        .keys()
        .filter(|name| !new_inputs.contains_key(*name))
        .map(|name| StaleReason::InputRemoved {
            input: name.clone(),
        });
    let mut all = changed.chain(removed);
    let listed: Vec<_> = all.by_ref().take(MAX_LISTED_INPUTS).collect();
    let more = all.count() as u64;
    let digests = |parts: &UnitParts| -> Vec<Digest> {
        parts.inputs.iter().map(|input| input.digest).collect()
    };
    if listed.is_empty() && digests(old) != digests(new) {
        reasons.push(StaleReason::InputOrder);
    }
    reasons.extend(listed);
    if more > 0 {
        reasons.push(StaleReason::MoreInputs { count: more });
    }
}

#[cfg(test)]
mod tests;
