//! Why a unit is stale.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::change::{self, Change};
use super::parts::{
    AskingParts, FilePart, InputPart, LayerParts, LimitParts, ModelParts, StoredParts, UnitParts,
    VERSION,
};
use crate::digest::Digest;

/// The most inputs that are named for one unit; a unit may have millions.
const NAMED_INPUTS: usize = 100;

/// Why a unit must be made again. Digests are cut to twelve digits for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum StaleReason {
    /// There is none yet.
    New,
    /// It failed the last time, or was held back.
    NotMade,
    /// The bytes of a source file changed.
    Source {
        /// Its label.
        label: String,
        /// Before.
        old: String,
        /// Now.
        new: String,
    },
    /// The plugin's component changed.
    Component {
        /// Before.
        old: String,
        /// Now.
        new: String,
    },
    /// The config changed.
    Config {
        /// Its settings that differ.
        changes: Vec<Change>,
    },
    /// A file that the config names changed.
    File {
        /// Its path.
        path: String,
        /// Before; `none` where the config named no file.
        old: String,
        /// Now; likewise.
        new: String,
    },
    /// An input changed.
    Input {
        /// `layer/label`.
        input: String,
        /// Before.
        old: String,
        /// Now.
        new: String,
    },
    /// There is an input that was not there.
    InputAdded {
        /// `layer/label`.
        input: String,
    },
    /// An input is gone.
    InputRemoved {
        /// `layer/label`.
        input: String,
    },
    /// An input is about to be made again.
    InputStale {
        /// `layer/label`, or the layer where the label is not known yet.
        input: String,
    },
    /// The same inputs stand in another order.
    InputOrder,
    /// As for the inputs that are named, so for more of them.
    MoreInputs {
        /// How many.
        count: u64,
    },
    /// The settings of a model role, `revision` or `accept` changed.
    Model {
        /// The settings that differ.
        changes: Vec<Change>,
    },
    /// The limits changed.
    Limits {
        /// The limits that differ.
        changes: Vec<Change>,
    },
    /// The host's contract version changed.
    Contract {
        /// Before.
        old: String,
        /// Now.
        new: String,
    },
    /// It was made with an input missing, or would be now.
    Partial,
    /// Its answers came from another place: a cassette, another cassette, or providers.
    Answers,
    /// A version of synix made it that kept fingerprints of another form.
    Version,
}

impl StaleReason {
    /// Returns the reason in words that hold for many units: without labels and digests of single inputs.
    pub fn in_general(&self) -> String {
        match self {
            Self::Source { .. } => "source file changed".to_owned(),
            Self::Component { .. } => "plugin changed".to_owned(),
            Self::File { path, .. } => format!("file {path} changed"),
            Self::Input { .. } => "inputs changed".to_owned(),
            Self::InputAdded { .. } => "inputs added".to_owned(),
            Self::InputRemoved { .. } => "inputs removed".to_owned(),
            Self::InputStale { .. } => "inputs are stale".to_owned(),
            Self::MoreInputs { .. } => String::new(),
            Self::New
            | Self::NotMade
            | Self::Config { .. }
            | Self::Model { .. }
            | Self::Limits { .. }
            | Self::Contract { .. }
            | Self::InputOrder
            | Self::Partial
            | Self::Answers
            | Self::Version => self.to_string(),
        }
    }
}

impl fmt::Display for StaleReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.write_str("new"),
            Self::NotMade => f.write_str("not made in the last build"),
            Self::Source { label, .. } => write!(f, "source file of {label} changed"),
            Self::Component { old, new } => write!(f, "plugin changed ({old} -> {new})"),
            Self::Config { changes } | Self::Model { changes } => {
                f.write_str(&change::list(changes))
            }
            Self::File { path, old, new } => write!(f, "file {path} changed ({old} -> {new})"),
            Self::Input { input, .. } => write!(f, "input {input} changed"),
            Self::InputAdded { input } => write!(f, "input {input} added"),
            Self::InputRemoved { input } => write!(f, "input {input} removed"),
            Self::InputStale { input } => write!(f, "input {input} is stale"),
            Self::InputOrder => f.write_str("order of inputs changed"),
            Self::MoreInputs { count } => write!(f, "and {count} more inputs"),
            Self::Limits { changes } => write!(f, "limits: {}", change::list(changes)),
            Self::Contract { old, new } => write!(f, "plugin contract changed ({old} -> {new})"),
            Self::Partial => f.write_str("made from partial input"),
            Self::Answers => f.write_str("answers come from elsewhere now"),
            Self::Version => f.write_str("made by an earlier version of synix"),
        }
    }
}

/// Returns what differs between two units of one key; empty where nothing does.
pub fn compare(old: &StoredParts, new: &StoredParts) -> Vec<StaleReason> {
    let mut reasons = Vec::new();
    if old.version != VERSION {
        reasons.push(StaleReason::Version);
    }
    let (before, now) = (&old.layer, &new.layer);
    if before.contract != now.contract {
        reasons.push(StaleReason::Contract {
            old: before.contract.clone(),
            new: now.contract.clone(),
        });
    }
    reasons.extend(between_configs(
        (before, old.unit.config.as_deref()),
        (now, new.unit.config.as_deref()),
    ));
    if old.unit.partial || new.unit.partial {
        reasons.push(StaleReason::Partial);
    }
    compare_inputs(&old.unit, &new.unit, &mut reasons);
    reasons
}

/// Returns what differs between two layers, but for their names and the host's contract.
pub(super) fn between_layers(old: &LayerParts, new: &LayerParts) -> Vec<StaleReason> {
    between_configs((old, None), (new, None))
}

/// Compares layers, each with a unit's additions to the config.
fn between_configs(
    (before, old_additions): (&LayerParts, Option<&str>),
    (now, new_additions): (&LayerParts, Option<&str>),
) -> Vec<StaleReason> {
    let mut reasons = Vec::new();
    if before.component != now.component {
        reasons.push(StaleReason::Component {
            old: before.component.short(),
            new: now.component.short(),
        });
    }
    let mut changes = Vec::new();
    if before.config != now.config || old_additions != new_additions {
        let old = whole_config(&before.config, old_additions);
        let new = whole_config(&now.config, new_additions);
        changes = change::tables(&old, &new);
    }
    let files = between_files(before, now, &changes);
    if !changes.is_empty() {
        reasons.push(StaleReason::Config { changes });
    }
    reasons.extend(files);
    let mut changes = between_models(before.model.as_ref(), now.model.as_ref());
    changes.extend(between_askings(&before.asking, &now.asking));
    if !changes.is_empty() {
        reasons.push(StaleReason::Model { changes });
    }
    let changes = between_limits(&before.limits, &now.limits);
    if !changes.is_empty() {
        reasons.push(StaleReason::Limits { changes });
    }
    reasons
}

fn whole_config(config: &str, additions: Option<&str>) -> Map<String, Value> {
    let read = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default();
    let mut whole = read(config);
    whole.extend(additions.map(read).unwrap_or_default());
    whole
}

/// Returns the files that differ, without those whose setting itself came or went: that is said already.
fn between_files(before: &LayerParts, now: &LayerParts, said: &[Change]) -> Vec<StaleReason> {
    let is_said = |place: &str| {
        let key = place.trim_start_matches('/').replace('/', ".");
        said.iter()
            .any(|change| key == change.key || key.starts_with(&format!("{}.", change.key)))
    };
    let mut places: Vec<&String> = before.files.keys().chain(now.files.keys()).collect();
    places.sort();
    places.dedup();
    let differing = places.into_iter().filter_map(|place| {
        let (old, new) = (before.files.get(place), now.files.get(place));
        let digest = |file: Option<&FilePart>| file.map(|file| file.digest);
        if digest(old) == digest(new) || (old.is_some() != new.is_some() && is_said(place)) {
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

/// Returns the settings of a model role that differ.
pub fn between_models(old: Option<&ModelParts>, new: Option<&ModelParts>) -> Vec<Change> {
    let field =
        |key: &str, of: fn(&ModelParts) -> &String| Change::of(key, old.map(of), new.map(of));
    let max_tokens = |model: &ModelParts| model.max_tokens;
    let temperature = |model: &ModelParts| model.temperature;
    let changes = [
        field("api", |model| &model.api),
        field("provider", |model| &model.provider),
        field("model", |model| &model.model),
        Change::of(
            "max_tokens",
            old.and_then(max_tokens).as_ref(),
            new.and_then(max_tokens).as_ref(),
        ),
        Change::of(
            "temperature",
            old.and_then(temperature).as_ref(),
            new.and_then(temperature).as_ref(),
        ),
    ];
    changes.into_iter().flatten().collect()
}

fn between_askings(old: &AskingParts, new: &AskingParts) -> Vec<Change> {
    fn written(revision: &String) -> Option<&String> {
        Some(revision).filter(|revision| !revision.is_empty())
    }
    let accepts = |asking: &AskingParts| asking.accept_truncated.then_some("truncated");
    let options = |asking: &AskingParts| {
        let names = asking.options_allowed.join(", ");
        Some(names).filter(|names| !names.is_empty())
    };
    let changes = [
        Change::of(
            "options_allowed",
            options(old).as_ref(),
            options(new).as_ref(),
        ),
        Change::of("revision", written(&old.revision), written(&new.revision)),
        Change::of("accept", accepts(old).as_ref(), accepts(new).as_ref()),
    ];
    changes.into_iter().flatten().collect()
}

fn between_limits(old: &LimitParts, new: &LimitParts) -> Vec<Change> {
    let field = |key: &str, old: u64, new: u64| Change::of(key, Some(&old), Some(&new));
    let changes = [
        field("fuel", old.fuel, new.fuel),
        field("memory", old.memory_bytes, new.memory_bytes),
        field("stack", old.stack_bytes, new.stack_bytes),
        field("handed over", old.hostcall_bytes, new.hostcall_bytes),
        field("output", old.output_bytes, new.output_bytes),
        field("requests", old.requests, new.requests),
        Change::of("tokens", old.tokens.as_ref(), new.tokens.as_ref()),
    ];
    changes.into_iter().flatten().collect()
}

fn compare_inputs(old: &UnitParts, new: &UnitParts, reasons: &mut Vec<StaleReason>) {
    let by_name = |parts: &UnitParts| -> BTreeMap<String, Digest> {
        let named = |input: &InputPart| (input.name.clone(), input.digest);
        parts.inputs.iter().map(named).collect()
    };
    let (before, now) = (by_name(old), by_name(new));
    let changed = now.iter().filter_map(|(name, digest)| {
        let input = name.clone();
        match before.get(name) {
            Some(earlier) if earlier == digest => None,
            Some(earlier) => Some(StaleReason::Input {
                input,
                old: earlier.short(),
                new: digest.short(),
            }),
            None => Some(StaleReason::InputAdded { input }),
        }
    });
    let removed = before
        .keys()
        .filter(|name| !now.contains_key(*name))
        .map(|name| StaleReason::InputRemoved {
            input: name.clone(),
        });
    let mut all = changed.chain(removed);
    let named: Vec<_> = all.by_ref().take(NAMED_INPUTS).collect();
    let more = all.count() as u64;
    let digests = |parts: &UnitParts| -> Vec<Digest> {
        parts.inputs.iter().map(|input| input.digest).collect()
    };
    if named.is_empty() && digests(old) != digests(new) {
        reasons.push(StaleReason::InputOrder);
    }
    reasons.extend(named);
    if more > 0 {
        reasons.push(StaleReason::MoreInputs { count: more });
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::parts;
    use super::*;

    fn reasons(change: impl FnOnce(&mut StoredParts)) -> Vec<String> {
        let old = parts();
        let mut new = parts();
        change(&mut new);
        let reasons = compare(&old, &new);
        reasons.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_did_not_change_is_no_reason() {
        assert_eq!(reasons(|_| {}), Vec::<String>::new());
    }

    /// Whole configs say nothing to a person: the names of what changed do.
    #[test]
    fn a_config_is_told_by_its_changed_keys() {
        let told = reasons(|parts| {
            parts.layer.config = r#"{"prompt_file":"","tags":{"enum":["a"]}}"#.to_owned();
        });
        assert_eq!(told, ["label removed, tags added"]);
    }

    /// A setting that names a file is told once.
    #[test]
    fn a_file_is_told_by_its_path_or_by_its_setting() {
        let told = reasons(|parts| {
            for file in parts.layer.files.values_mut() {
                file.digest = Digest::of(b"other");
            }
        });
        assert_eq!(told.len(), 1);
        assert!(
            told[0].starts_with("file prompts/style.md changed ("),
            "{told:?}"
        );
        let told = reasons(|parts| {
            parts.layer.files.clear();
            parts.layer.config = r#"{"label":"{{ label }}","prompt":"q"}"#.to_owned();
        });
        assert_eq!(told, ["prompt added, prompt_file removed"]);
    }

    #[test]
    fn model_settings_are_told_one_by_one() {
        let told = reasons(|parts| {
            if let Some(model) = &mut parts.layer.model {
                model.model = "gpt-4.1-nano".to_owned();
                model.max_tokens = None;
            }
            parts.layer.asking.revision.clear();
        });
        assert_eq!(
            told,
            ["model changed (gpt-4o-mini -> gpt-4.1-nano), max_tokens removed, revision removed"]
        );
        let told = reasons(|parts| parts.layer.limits.fuel = 9);
        assert_eq!(told, ["limits: fuel changed (1 -> 9)"]);
    }

    #[test]
    fn a_unit_of_an_earlier_version_says_so() {
        let old = StoredParts {
            version: 1,
            ..parts()
        };
        assert_eq!(compare(&old, &parts()), [StaleReason::Version]);
    }

    #[test]
    fn inputs_are_named_up_to_a_number() {
        let told = reasons(|parts| {
            parts.unit.inputs = (0..1000)
                .map(|number: u32| InputPart {
                    name: format!("bios/{number:04}"),
                    digest: Digest::of(&number.to_le_bytes()),
                })
                .collect();
        });
        assert_eq!(told.len(), NAMED_INPUTS + 1);
        // One of them is the input that is gone.
        assert_eq!(told.last().map(String::as_str), Some("and 901 more inputs"));
    }

    #[test]
    fn another_order_of_the_same_inputs_is_told() {
        let input = |name: &str| InputPart {
            name: name.to_owned(),
            digest: Digest::of(name.as_bytes()),
        };
        let with = |names: [&str; 2]| {
            let mut parts = parts();
            parts.unit.inputs = names.map(input).to_vec();
            parts
        };
        assert_eq!(
            compare(&with(["a", "b"]), &with(["b", "a"])),
            [StaleReason::InputOrder]
        );
    }
}
