//! A plugin's description of itself, and its rules.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::model::Grants;
use super::values::{self, InvalidJson};
use synix_core::ids::{self, InvalidName};
use synix_schema::{Schema, SchemaError};

/// The capability to send requests to a model.
pub(super) const LLM: &str = "llm";

/// The capability to request embeddings.
pub(super) const EMBED: &str = "embed";

/// The capabilities that this host can grant.
const CAPABILITIES: &[&str] = &[LLM, EMBED];
const SCHEMA_BYTES: usize = 1 << 20;
const SUMMARY_CHARS: usize = 512;

/// How a plugin turns its inputs into units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// One unit for each input, under the input's label.
    PerInput,
    /// Units that each have some of the inputs.
    Grouped,
    /// One unit with every input.
    All,
}

/// A plugin's description of itself, checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Descriptor {
    /// Lower-case letters, digits and hyphens.
    pub name: String,
    /// The plugin's own version.
    pub version: String,
    /// One line that describes the plugin.
    pub summary: String,
    /// The JSON Schema of the layer's config.
    pub config_schema: Value,
    /// The capabilities that the plugin declares.
    pub capabilities: BTreeSet<String>,
    /// How inputs become units.
    pub shape: Shape,
}

/// The rule that a descriptor breaks.
#[derive(Debug, thiserror::Error)]
pub enum InvalidDescriptor {
    /// The name or version has a forbidden character.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The name has other characters than lower-case letters, digits and hyphens.
    #[error("the name {0:?} must consist of lower-case letters, digits and hyphens")]
    NotLowerCase(String),
    /// The summary is not one line.
    #[error("the summary is not one line of at most {SUMMARY_CHARS} characters")]
    Summary,
    /// The config schema is not usable JSON.
    #[error("the config schema is unusable")]
    SchemaJson(#[source] InvalidJson),
    /// The config schema is not a JSON Schema, or is too expensive to validate against.
    #[error("the config schema is invalid")]
    Schema(#[source] SchemaError),
    /// The plugin declares a capability that this host does not have.
    #[error("it declares the capability {0:?}, which this host does not have")]
    UnknownCapability(String),
}

/// A descriptor as the guest returned it.
pub(super) struct RawDescriptor {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) summary: String,
    pub(super) config_schema: String,
    pub(super) capabilities: Vec<String>,
    pub(super) shape: Shape,
}

impl RawDescriptor {
    /// Checks every rule.
    pub(super) fn check(self) -> Result<Descriptor, InvalidDescriptor> {
        ids::check_name("plugin name", &self.name)?;
        if !self
            .name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        {
            return Err(InvalidDescriptor::NotLowerCase(self.name));
        }
        // A version may have build metadata after `+`.
        ids::check_name("plugin version", &self.version.replace('+', "-"))?;
        if self.summary.chars().any(char::is_control)
            || self.summary.chars().nth(SUMMARY_CHARS).is_some()
        {
            return Err(InvalidDescriptor::Summary);
        }
        let members = values::parse_object(&self.config_schema, SCHEMA_BYTES)
            .map_err(InvalidDescriptor::SchemaJson)?;
        let config_schema = Value::Object(members);
        // The schema must compile, because every config is validated against it.
        Schema::compile(&config_schema).map_err(InvalidDescriptor::Schema)?;
        for capability in &self.capabilities {
            if !CAPABILITIES.contains(&capability.as_str()) {
                return Err(InvalidDescriptor::UnknownCapability(
                    capability.chars().take(80).collect(),
                ));
            }
        }
        Ok(Descriptor {
            name: self.name,
            version: self.version,
            summary: self.summary,
            config_schema,
            capabilities: self.capabilities.into_iter().collect(),
            shape: self.shape,
        })
    }
}

impl Descriptor {
    /// Returns whether the plugin declares the capability `llm`.
    pub fn declares_llm(&self) -> bool {
        self.capabilities.contains(LLM)
    }

    /// Returns whether the plugin declares the capability `embed`.
    pub fn declares_embed(&self) -> bool {
        self.capabilities.contains(EMBED)
    }

    /// Returns the capabilities that a call has: those that are declared and granted.
    pub(super) fn allowed(&self, grants: Grants) -> Grants {
        Grants {
            llm: grants.llm && self.declares_llm(),
            embed: grants.embed && self.declares_embed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw_descriptor() -> RawDescriptor {
        RawDescriptor {
            name: "map".to_owned(),
            version: "1.0.0+1".to_owned(),
            summary: "One line.".to_owned(),
            config_schema: r#"{"type": "object"}"#.to_owned(),
            capabilities: vec!["llm".to_owned()],
            shape: Shape::All,
        }
    }

    #[test]
    fn a_name_is_lower_case() {
        assert!(raw_descriptor().check().is_ok());
        for bad in ["", "Map", "a b", "a_b", "-a"] {
            assert!(
                RawDescriptor {
                    name: bad.to_owned(),
                    ..raw_descriptor()
                }
                .check()
                .is_err(),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn a_config_schema_is_a_json_schema() {
        for bad in [
            "",
            "[]",
            r#"{"type": "thing"}"#,
            r#"{"$ref": "http://127.0.0.1:9/x.json"}"#,
        ] {
            assert!(
                RawDescriptor {
                    config_schema: bad.to_owned(),
                    ..raw_descriptor()
                }
                .check()
                .is_err(),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn an_unknown_capability_is_named() {
        let error = RawDescriptor {
            capabilities: vec!["search".to_owned()],
            ..raw_descriptor()
        }
        .check()
        .unwrap_err();
        assert!(matches!(error, InvalidDescriptor::UnknownCapability(name) if name == "search"));
    }
}
