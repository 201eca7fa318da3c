//! The units that a plugin splits the inputs of its layer into, and their rules.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::descriptor::Shape;
use super::values::{self, InvalidJson};
use synix_core::ids::{InvalidName, Label, UnitKey};
use synix_core::json;

const CONFIG_BYTES: usize = 1 << 20;

/// The key, inputs and config of a unit.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitSpec {
    /// The key, which is unique within the layer.
    pub key: UnitKey,
    /// The positions of the inputs in the list of the layer's inputs.
    pub inputs: Vec<u32>,
    /// The members that the unit adds to the config of the layer.
    pub config: Option<Map<String, Value>>,
}

impl UnitSpec {
    /// Returns the config of a layer with the additions of the unit; `None`: there are none.
    pub fn merged_config(&self, layer: &Map<String, Value>) -> Option<String> {
        self.config.as_ref().map(|additions| {
            let mut config = layer.clone();
            config.extend(additions.clone());
            json::canonical_object(config)
        })
    }
}

/// The rule that a list of units breaks.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSplit {
    /// The key of a unit is invalid.
    #[error(transparent)]
    Key(#[from] InvalidName),
    /// Two units have the same key.
    #[error("two units have the key {0:?}")]
    DuplicateKey(String),
    /// A unit names an input that does not exist.
    #[error("unit {key:?} has the input {input}, but there are only {count}, counted from 0")]
    NoSuchInput {
        /// The unit.
        key: String,
        /// The position that it names.
        input: u32,
        /// The number of inputs.
        count: usize,
    },
    /// A unit has an input twice.
    #[error("unit {key:?} has the input {input} twice")]
    RepeatedInput {
        /// The unit.
        key: String,
        /// The position of the input.
        input: u32,
    },
    /// A unit has no input.
    #[error("unit {key:?} has no input")]
    NoInput {
        /// The unit.
        key: String,
    },
    /// The config of a unit is unusable.
    #[error("the config of unit {key:?} is unusable")]
    Config {
        /// The unit.
        key: String,
        /// What is wrong with it.
        source: InvalidJson,
    },
    /// The configs of all units have too many values.
    #[error("the configs of all units have more than {limit} values")]
    ConfigValues {
        /// The limit.
        limit: usize,
    },
    /// The units do not match the shape `all`.
    #[error("the shape `all` requires one unit with every input")]
    NotAll,
}

/// A unit as the guest returned it.
pub(super) struct RawUnit {
    pub(super) key: String,
    pub(super) inputs: Vec<u32>,
    pub(super) config: Option<String>,
}

/// Returns one unit for each input, whose key is the input's label.
pub(super) fn per_input<'a>(
    labels: impl Iterator<Item = &'a Label>,
) -> Result<Vec<UnitSpec>, InvalidSplit> {
    let mut keys = Keys::default();
    labels
        .zip(0..)
        .map(|(label, position)| {
            Ok(UnitSpec {
                key: keys.take(label.as_str())?,
                inputs: vec![position],
                config: None,
            })
        })
        .collect()
}

/// Checks the units that a guest returned for `count` inputs.
pub(super) fn check(
    raw_units: Vec<RawUnit>,
    count: usize,
    shape: Shape,
) -> Result<Vec<UnitSpec>, InvalidSplit> {
    if shape == Shape::All
        && (raw_units.len() > 1
            || raw_units
                .iter()
                .map(|unit| unit.inputs.len())
                .sum::<usize>()
                != count)
    {
        return Err(InvalidSplit::NotAll);
    }
    let mut keys = Keys::default();
    let mut values_left = values::CONFIG_VALUES;
    raw_units
        .into_iter()
        .map(|unit| {
            let key = keys.take(&unit.key)?;
            check_inputs(&unit, count)?;
            let values = unit.config.as_deref().map_or(0, values::count_values);
            values_left = values_left
                .checked_sub(values)
                .ok_or(InvalidSplit::ConfigValues {
                    limit: values::CONFIG_VALUES,
                })?;
            let config = unit
                .config
                .map(|text| values::parse_object(&text, CONFIG_BYTES))
                .transpose()
                .map_err(|source| InvalidSplit::Config {
                    key: unit.key,
                    source,
                })?;
            Ok(UnitSpec {
                key,
                inputs: unit.inputs,
                config,
            })
        })
        .collect()
}

fn check_inputs(unit: &RawUnit, count: usize) -> Result<(), InvalidSplit> {
    let key = || unit.key.clone();
    if unit.inputs.is_empty() && count > 0 {
        return Err(InvalidSplit::NoInput { key: key() });
    }
    let mut seen = HashSet::with_capacity(unit.inputs.len().min(count));
    for &input in &unit.inputs {
        if usize::try_from(input).map_or(true, |input| input >= count) {
            return Err(InvalidSplit::NoSuchInput {
                key: key(),
                input,
                count,
            });
        }
        if !seen.insert(input) {
            return Err(InvalidSplit::RepeatedInput { key: key(), input });
        }
    }
    Ok(())
}

#[derive(Default)]
struct Keys(HashSet<UnitKey>);

impl Keys {
    fn take(&mut self, text: &str) -> Result<UnitKey, InvalidSplit> {
        let key = UnitKey::parse(text)?;
        if !self.0.insert(key.clone()) {
            return Err(InvalidSplit::DuplicateKey(text.to_owned()));
        }
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(key: &str, inputs: &[u32]) -> RawUnit {
        RawUnit {
            key: key.to_owned(),
            inputs: inputs.to_vec(),
            config: None,
        }
    }

    fn grouped(units: Vec<RawUnit>) -> Result<Vec<UnitSpec>, InvalidSplit> {
        check(units, 2, Shape::Grouped)
    }

    #[test]
    fn keys_are_unique() {
        assert!(grouped(vec![unit("a", &[0]), unit("b", &[0, 1])]).is_ok());
        assert!(matches!(
            grouped(vec![unit("a", &[0]), unit("a", &[1])]),
            Err(InvalidSplit::DuplicateKey(key)) if key == "a"
        ));
    }

    #[test]
    fn inputs_exist_and_occur_once() {
        assert!(matches!(
            grouped(vec![unit("a", &[2])]),
            Err(InvalidSplit::NoSuchInput { input: 2, .. })
        ));
        assert!(matches!(
            grouped(vec![unit("a", &[1, 1])]),
            Err(InvalidSplit::RepeatedInput { input: 1, .. })
        ));
        assert!(matches!(
            grouped(vec![unit("a", &[])]),
            Err(InvalidSplit::NoInput { .. })
        ));
    }

    #[test]
    fn the_shape_all_is_one_unit_with_every_input() {
        let all = |units| check(units, 2, Shape::All);
        assert!(all(vec![unit("a", &[1, 0])]).is_ok());
        for units in [
            vec![],
            vec![unit("a", &[0])],
            vec![unit("a", &[0]), unit("b", &[1])],
        ] {
            assert!(matches!(all(units), Err(InvalidSplit::NotAll)));
        }
    }

    #[test]
    fn a_units_config_is_an_object() {
        let with = |config: &str| {
            grouped(vec![RawUnit {
                config: Some(config.to_owned()),
                ..unit("a", &[0])
            }])
        };
        assert!(with("{\"a\": 1}").is_ok());
        assert!(matches!(with("[]"), Err(InvalidSplit::Config { .. })));
    }

    #[test]
    fn two_inputs_with_the_same_label_are_not_split_per_input() {
        let labels = [Label::parse("x").unwrap(), Label::parse("x").unwrap()];
        assert!(matches!(
            per_input(labels.iter()),
            Err(InvalidSplit::DuplicateKey(_))
        ));
    }
}
