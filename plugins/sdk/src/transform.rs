//! The trait of transforms.

use serde::de::DeserializeOwned;

use crate::{Error, Header, Input, OtherError, Output, Shape, Unit};

/// A pure function from a unit and the answers to its requests to outputs.
pub trait Transform {
    /// The name: lower-case letters, digits and hyphens.
    const NAME: &'static str;
    /// The version of the plugin.
    const VERSION: &'static str;
    /// A description in one line.
    const SUMMARY: &'static str;
    /// How inputs become units.
    const SHAPE: Shape;
    /// The names of the capabilities that it uses.
    const CAPABILITIES: &'static [&'static str] = &["llm"];

    /// The config of a layer. The type should have `deny_unknown_fields`.
    type Config: DeserializeOwned;

    /// Returns the JSON Schema of [`Config`](Self::Config).
    ///
    /// A property with `"format": "file"` names a file in the project; the transform receives the text of the file.
    fn config_schema() -> String;

    /// Splits the inputs of a layer into units. Only the shape [`Shape::Grouped`] needs an implementation.
    fn split(inputs: &[Header], config: &Self::Config) -> Result<Vec<Unit>, Error> {
        let _ = config;
        let count = u32::try_from(inputs.len()).unwrap_or(u32::MAX);
        match Self::SHAPE {
            Shape::All => {
                let mut positions: Vec<(&str, u32)> = inputs
                    .iter()
                    .map(|header| header.label.as_str())
                    .zip(0..count)
                    .collect();
                positions.sort_unstable();
                Ok(vec![Unit {
                    key: "all".to_owned(),
                    inputs: positions.into_iter().map(|(_, at)| at).collect(),
                    config: None,
                }])
            }
            Shape::PerInput => Ok(inputs
                .iter()
                .zip(0..count)
                .map(|(header, position)| Unit {
                    key: header.label.clone(),
                    inputs: vec![position],
                    config: None,
                })
                .collect()),
            Shape::Grouped => Err(Error::Other(OtherError {
                code: "no-split".to_owned(),
                message: format!(
                    "the transform {} has the shape `grouped` and no `split`",
                    Self::NAME
                ),
            })),
        }
    }

    /// Makes the outputs of one unit.
    fn execute(unit: &Unit, inputs: &[Input], config: &Self::Config) -> Result<Vec<Output>, Error>;
}
