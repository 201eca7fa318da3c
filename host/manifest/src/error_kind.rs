//! The kinds of errors in a pipeline file, and their messages.

use super::glob::InvalidGlob;
use synix_core::ids::InvalidName;
use synix_core::json::UnsafeNumber;

/// The maximum number of layers of a cycle that a message lists.
const MAX_LISTED_LAYERS: usize = 100;

/// The kind of an error in a pipeline file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PipelineErrorKind {
    /// The text is not TOML.
    #[error("not TOML: {0}")]
    Syntax(String),
    /// The key is not known in its table.
    #[error("unknown key `{key}`{}", in_table(.table))]
    UnknownKey {
        /// The key.
        key: String,
        /// The table that contains it; empty for the top level.
        table: String,
    },
    /// A key that should be removed is not there.
    #[error("there is no key `{key}`{}", in_table(.table))]
    AbsentKey {
        /// The key.
        key: String,
        /// The table that lacks it; empty for the top level.
        table: String,
    },
    /// A required key is missing.
    #[error("missing key `{key}`{}", in_table(.table))]
    MissingKey {
        /// The key.
        key: String,
        /// The table that lacks it; empty for the top level.
        table: String,
    },
    /// One of several keys is required.
    #[error("missing key: {}{}", join_quoted(.keys, " or "), in_table(.table))]
    MissingOneOf {
        /// The keys.
        keys: Vec<String>,
        /// The table that lacks them.
        table: String,
    },
    /// Only one of several keys is allowed.
    #[error("{} are mutually exclusive{}", join_quoted(.keys, " and "), in_table(.table))]
    MutuallyExclusive {
        /// The keys.
        keys: Vec<String>,
        /// The table that contains them.
        table: String,
    },
    /// The key is not allowed in this kind of table.
    #[error("`{key}` is only allowed in {what}")]
    Misplaced {
        /// The key.
        key: String,
        /// Where it is allowed, such as `sources`.
        what: &'static str,
    },
    /// The value has the wrong type.
    #[error("must be {expected}, not {found}")]
    WrongType {
        /// The allowed types, such as `a whole number`.
        expected: String,
        /// The type of the value.
        found: &'static str,
    },
    /// A setting names an element of a list.
    #[error("is a list, whose elements cannot be set one by one")]
    ListElement,
    /// The value is not one of the allowed ones.
    #[error("must be {}", .0.join(" or "))]
    NotOneOf(Vec<String>),
    /// The value violates a rule.
    #[error("must {0}")]
    BadValue(String),
    /// The value cannot be represented in JSON.
    #[error("is {0}, which JSON does not support; write it in quotes")]
    NotJson(&'static str),
    /// The number cannot be represented in canonical JSON.
    #[error("cannot be used: {0}")]
    Number(UnsafeNumber),
    /// A text or key contains the character U+0000.
    #[error("contains a NUL character")]
    Nul,
    /// Tables or lists are nested too deeply.
    #[error("is nested too deeply")]
    TooDeep,
    /// A name violates the rule for names.
    #[error("{0}")]
    Name(InvalidName),
    /// The file has no layers.
    #[error("the pipeline has no layers")]
    NoLayers,
    /// The glob of a source is invalid.
    #[error("{0}")]
    Glob(InvalidGlob),
    /// An input is not the name of a layer.
    #[error("unknown input `{input}` of layer `{layer}`")]
    UnknownInput {
        /// The layer.
        layer: String,
        /// The input.
        input: String,
    },
    /// A layer is its own input.
    #[error("layer `{0}` is its own input")]
    OwnInput(String),
    /// An input is listed more than once.
    #[error("input `{input}` of layer `{layer}` is listed twice")]
    DuplicateInput {
        /// The layer.
        layer: String,
        /// The input.
        input: String,
    },
    /// An output names a layer that does not exist.
    #[error("unknown layer `{layer}` of output `{output}`")]
    UnknownLayer {
        /// The output.
        output: String,
        /// The layer.
        layer: String,
    },
    /// An output lists a layer more than once.
    #[error("layer `{layer}` of output `{output}` is listed twice")]
    DuplicateLayer {
        /// The output.
        output: String,
        /// The layer.
        layer: String,
    },
    /// Layers depend on each other in a cycle.
    #[error("layers form a cycle: {}", cycle(.0))]
    Cycle(Vec<String>),
    /// A layer names an unknown model role.
    #[error("unknown model role `{0}`")]
    UnknownRole(String),
    /// A layer without `model` needs the default role, which does not exist.
    #[error("layer `{layer}` uses a model, but there is no model role `{role}`")]
    MissingRole {
        /// The layer.
        layer: String,
        /// The role.
        role: String,
    },
    /// A layer requests embeddings from a provider that has none.
    #[error(
        "layer `{layer}` requests embeddings, but the provider of model role `{role}` uses Anthropic's API, which has none"
    )]
    NoEmbeddings {
        /// The layer.
        layer: String,
        /// The role.
        role: String,
    },
    /// A plugin declares a capability that its layer does not grant.
    #[error(
        "the plugin of layer `{layer}` declares the capability `{capability}`, which the layer does not grant"
    )]
    NotGranted {
        /// The layer.
        layer: String,
        /// The capability.
        capability: &'static str,
    },
    /// A model role names an unknown provider.
    #[error("unknown provider `{0}`")]
    UnknownProvider(String),
    /// A layer requires batches that its model does not support.
    #[error("layer `{layer}` says `batch = true`, but {reason}")]
    NoBatch {
        /// The layer.
        layer: String,
        /// The reason.
        reason: NoBatchReason,
    },
    /// A layer names an unknown transform or reader.
    #[error("unknown {what} `{name}`")]
    UnknownPlugin {
        /// `transform` or `reader`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The config schema of a plugin is unusable.
    #[error("the plugin's config schema cannot be used: {0}")]
    ConfigSchema(String),
    /// A file that the pipeline names is unusable.
    #[error("cannot use the file: {0}")]
    File(String),
}

impl PipelineErrorKind {
    /// Returns whether the message is a sentence about a value and needs the key as its subject.
    pub(super) fn is_about_a_value(&self) -> bool {
        match self {
            Self::WrongType { .. }
            | Self::ListElement
            | Self::NotOneOf(_)
            | Self::BadValue(_)
            | Self::NotJson(_)
            | Self::Number(_)
            | Self::Nul
            | Self::TooDeep
            | Self::Glob(_) => true,
            Self::Syntax(_)
            | Self::UnknownKey { .. }
            | Self::AbsentKey { .. }
            | Self::MissingKey { .. }
            | Self::MissingOneOf { .. }
            | Self::MutuallyExclusive { .. }
            | Self::Misplaced { .. }
            | Self::Name(_)
            | Self::NoLayers
            | Self::UnknownInput { .. }
            | Self::OwnInput(_)
            | Self::DuplicateInput { .. }
            | Self::UnknownLayer { .. }
            | Self::DuplicateLayer { .. }
            | Self::Cycle(_)
            | Self::UnknownRole(_)
            | Self::MissingRole { .. }
            | Self::NoEmbeddings { .. }
            | Self::NotGranted { .. }
            | Self::UnknownProvider(_)
            | Self::NoBatch { .. }
            | Self::UnknownPlugin { .. }
            | Self::ConfigSchema(_)
            | Self::File(_) => false,
        }
    }
}

/// Why a model does not support batches.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoBatchReason {
    /// The model role says so.
    #[error("the model role `{0}` says `batch = false`")]
    Model(String),
    /// The provider says so.
    #[error("the provider `{0}` says `batch = false`")]
    Provider(String),
    /// The provider has a custom URL and no setting for the Batch API.
    #[error("it is unknown whether the provider `{0}` has the Batch API at this URL")]
    NotDeclared(String),
}

fn in_table(table: &str) -> String {
    if table.is_empty() {
        String::new()
    } else {
        format!(" in [{table}]")
    }
}

fn join_quoted(keys: &[String], separator: &str) -> String {
    let quoted: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    quoted.join(separator)
}

fn cycle(layers: &[String]) -> String {
    let mut names: Vec<&str> = layers
        .iter()
        .take(MAX_LISTED_LAYERS)
        .map(String::as_str)
        .collect();
    let more = match layers.len().saturating_sub(MAX_LISTED_LAYERS) {
        0 => String::new(),
        more => format!("{more} more"),
    };
    if !more.is_empty() {
        names.push(&more);
    }
    names.extend(layers.first().map(String::as_str));
    names.join(" -> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_about_a_long_cycle_is_bounded() {
        let names: Vec<String> = (0..5000).map(|at| format!("l{at}")).collect();
        assert!(cycle(&names).ends_with("l99 -> 4900 more -> l0"));
        assert_eq!(cycle(&names[..2]), "l0 -> l1 -> l0");
    }
}
