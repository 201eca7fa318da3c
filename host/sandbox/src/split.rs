//! The units that a plugin divides its layer's inputs into.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::descriptor::Shape;
use super::values::{self, InvalidJson};
use synix_core::ids::{InvalidName, Label, UnitKey};

const CONFIG_BYTES: usize = 1 << 20;

/// A piece of work: some inputs and what to do with them.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitSpec {
    /// Unique within the layer.
    pub key: UnitKey,
    /// Positions in the list of inputs.
    pub inputs: Vec<u32>,
    /// What the unit adds to the layer's config.
    pub config: Option<Map<String, Value>>,
}

/// The rule that a list of units breaks.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSplit {
    /// A unit's key.
    #[error(transparent)]
    Key(#[from] InvalidName),
    /// Two units have the same key.
    #[error("two units have the key {0:?}")]
    DuplicateKey(String),
    /// A unit names an input that is not there.
    #[error("unit {key:?} names input {input} of {count}, counted from 0")]
    NoSuchInput {
        /// The unit.
        key: String,
        /// The input it names.
        input: u32,
        /// How many there are.
        count: usize,
    },
    /// A unit names an input twice.
    #[error("unit {key:?} names input {input} twice")]
    RepeatedInput {
        /// The unit.
        key: String,
        /// The input.
        input: u32,
    },
    /// A unit names no input.
    #[error("unit {key:?} names no input")]
    NoInput {
        /// The unit.
        key: String,
    },
    /// The additions to the config cannot be used.
    #[error("the config of unit {key:?} is unusable")]
    Config {
        /// The unit.
        key: String,
        /// What is wrong with it.
        source: InvalidJson,
    },
    /// The additions of all units hold too many values.
    #[error("the configs of its units hold more than {limit} values")]
    ConfigValues {
        /// The limit.
        limit: usize,
    },
    /// The shape `all` promises another number of units.
    #[error("the shape `all` promises one unit that takes every input")]
    NotAll,
}

/// A unit as the guest gave it.
pub(super) struct Claimed {
    pub(super) key: String,
    pub(super) inputs: Vec<u32>,
    pub(super) config: Option<String>,
}

/// Makes one unit for each input, under its label.
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

/// Checks the units that a guest gave for `count` inputs.
pub(super) fn check(
    claimed: Vec<Claimed>,
    count: usize,
    shape: Shape,
) -> Result<Vec<UnitSpec>, InvalidSplit> {
    if shape == Shape::All
        && (claimed.len() > 1
            || claimed.iter().map(|unit| unit.inputs.len()).sum::<usize>() != count)
    {
        return Err(InvalidSplit::NotAll);
    }
    let mut keys = Keys::default();
    let mut room = values::CONFIG_VALUES;
    claimed
        .into_iter()
        .map(|unit| {
            let key = keys.take(&unit.key)?;
            check_inputs(&unit, count)?;
            let values = unit.config.as_deref().map_or(0, values::count_values);
            room = room.checked_sub(values).ok_or(InvalidSplit::ConfigValues {
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

fn check_inputs(unit: &Claimed, count: usize) -> Result<(), InvalidSplit> {
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

    fn unit(key: &str, inputs: &[u32]) -> Claimed {
        Claimed {
            key: key.to_owned(),
            inputs: inputs.to_vec(),
            config: None,
        }
    }

    fn grouped(units: Vec<Claimed>) -> Result<Vec<UnitSpec>, InvalidSplit> {
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
    fn inputs_are_there_once() {
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
            grouped(vec![Claimed {
                config: Some(config.to_owned()),
                ..unit("a", &[0])
            }])
        };
        assert!(with("{\"a\": 1}").is_ok());
        assert!(matches!(with("[]"), Err(InvalidSplit::Config { .. })));
    }

    #[test]
    fn two_inputs_of_one_label_cannot_be_units_each() {
        let labels = [Label::parse("x").unwrap(), Label::parse("x").unwrap()];
        assert!(matches!(
            per_input(labels.iter()),
            Err(InvalidSplit::DuplicateKey(_))
        ));
    }
}
