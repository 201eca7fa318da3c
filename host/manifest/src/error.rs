//! What can be wrong with a pipeline file.

use std::fmt;

use super::glob::InvalidGlob;
use super::position::{Position, Positions, Side, dotted};
use synix_core::ids::InvalidName;
use synix_core::json::UnsafeNumber;

/// Errors that are shown, and layers of a cycle: whoever corrects these sees the rest.
const SHOWN: usize = 100;

/// Everything that is wrong with a pipeline file, in the order of the file; at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineErrors(Vec<PipelineError>);

impl PipelineErrors {
    /// Sorts the errors by position; `None` where there are none.
    pub fn new(mut errors: Vec<PipelineError>) -> Option<Self> {
        errors.sort_by_key(PipelineError::position);
        errors.dedup();
        (!errors.is_empty()).then_some(Self(errors))
    }

    /// Returns the errors in the order of the file.
    pub fn as_slice(&self) -> &[PipelineError] {
        &self.0
    }

    /// Shows one error to a line, each after the file's name.
    pub fn in_file<'a>(&'a self, file: &'a str) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| {
            write_lines(f, &self.0, |error, f| write!(f, "{}", error.in_file(file)))
        })
    }
}

impl fmt::Display for PipelineErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_lines(f, &self.0, fmt::Display::fmt)
    }
}

impl std::error::Error for PipelineErrors {}

fn write_lines(
    f: &mut fmt::Formatter<'_>,
    errors: &[PipelineError],
    write: impl Fn(&PipelineError, &mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    for (number, error) in errors.iter().take(SHOWN).enumerate() {
        if number > 0 {
            f.write_str("\n")?;
        }
        write(error, f)?;
    }
    match errors.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => write!(f, "\nand {more} more like these"),
    }
}

/// One thing that is wrong with a pipeline file.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineError {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What it is about, as in `layers.x.model`; empty for the whole file.
    pub key: String,
    /// What is wrong.
    pub kind: PipelineErrorKind,
    /// What to do about it.
    pub hint: Option<String>,
}

impl PipelineError {
    /// Returns the place in the file.
    pub fn position(&self) -> Position {
        Position {
            line: self.line,
            column: self.column,
        }
    }

    /// Shows the error after the file's name: `synix.toml:12:1: unknown key …`.
    pub fn in_file<'a>(&'a self, file: &'a str) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| write!(f, "{file}:{self}"))
    }
}

impl fmt::Display for PipelineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.position())?;
        if self.kind.is_about_a_value() {
            write!(f, "`{}` ", self.key)?;
        }
        write!(f, "{}", self.kind)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for PipelineError {}

/// Something wrong at a key or value that is named by JSON pointer.
#[derive(Debug, PartialEq)]
pub(super) struct Finding {
    pub(super) pointer: String,
    side: Side,
    pub(super) kind: PipelineErrorKind,
    hint: Option<String>,
}

impl Finding {
    pub(super) fn at_key(pointer: impl Into<String>, kind: PipelineErrorKind) -> Self {
        Self {
            pointer: pointer.into(),
            side: Side::Key,
            kind,
            hint: None,
        }
    }

    pub(super) fn at_value(pointer: impl Into<String>, kind: PipelineErrorKind) -> Self {
        Self {
            side: Side::Value,
            ..Self::at_key(pointer, kind)
        }
    }

    pub(super) fn hint(self, hint: Option<String>) -> Self {
        Self { hint, ..self }
    }

    /// Looks up where it stands.
    pub(super) fn place(self, positions: &Positions) -> PipelineError {
        let Position { line, column } = positions.find(&self.pointer, self.side);
        PipelineError {
            line,
            column,
            key: dotted(&self.pointer),
            kind: self.kind,
            hint: self.hint,
        }
    }
}

/// The kinds of error in a pipeline file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PipelineErrorKind {
    /// The text is not TOML.
    #[error("not TOML: {0}")]
    Syntax(String),
    /// A key means nothing here.
    #[error("unknown key `{key}`{}", in_table(.table))]
    UnknownKey {
        /// The key.
        key: String,
        /// The table it stands in; empty for the file.
        table: String,
    },
    /// A key must be there.
    #[error("missing key `{key}`{}", in_table(.table))]
    MissingKey {
        /// The key.
        key: String,
        /// The table that lacks it; empty for the file.
        table: String,
    },
    /// One of several keys must be there.
    #[error("missing key: one of {}{}", quoted(.keys), in_table(.table))]
    MissingOneOf {
        /// The keys.
        keys: Vec<String>,
        /// The table that lacks them.
        table: String,
    },
    /// Only one of several keys may be there.
    #[error("only one of {} may stand{}", quoted(.keys), in_table(.table))]
    OnlyOneOf {
        /// The keys.
        keys: Vec<String>,
        /// The table that has them.
        table: String,
    },
    /// A key is there that its neighbour rules out.
    #[error("`{key}` is for {what} only")]
    Misplaced {
        /// The key.
        key: String,
        /// What takes it, such as `sources`.
        what: &'static str,
    },
    /// The value has another type.
    #[error("must be {expected}, not {found}")]
    WrongType {
        /// What it may be, such as `a whole number`.
        expected: String,
        /// What it is.
        found: &'static str,
    },
    /// The value is none of those allowed.
    #[error("must be {}", .0.join(" or "))]
    NotOneOf(Vec<String>),
    /// The value breaks a rule.
    #[error("must {0}")]
    BadValue(String),
    /// The value cannot be passed on as JSON.
    #[error("is {0}, which JSON does not have; write it in quotes")]
    NotJson(&'static str),
    /// A number that canonical JSON cannot hold.
    #[error("cannot be used: {0}")]
    Number(UnsafeNumber),
    /// A text or key holds the character U+0000.
    #[error("holds a NUL character")]
    Nul,
    /// Tables or lists are nested too deep.
    #[error("is nested too deep")]
    TooDeep,
    /// A name breaks the rule for names.
    #[error("{0}")]
    Name(InvalidName),
    /// No layer is written.
    #[error("the pipeline has no layers")]
    NoLayers,
    /// The glob of a source cannot be used.
    #[error("{0}")]
    Glob(InvalidGlob),
    /// An input is no layer.
    #[error("unknown input `{input}` of layer `{layer}`")]
    UnknownInput {
        /// The layer.
        layer: String,
        /// What it names.
        input: String,
    },
    /// A layer takes itself in.
    #[error("layer `{0}` is its own input")]
    OwnInput(String),
    /// An input is named more than once.
    #[error("input `{input}` of layer `{layer}` is named twice")]
    InputTwice {
        /// The layer.
        layer: String,
        /// What it names.
        input: String,
    },
    /// Layers feed each other.
    #[error("layers form a cycle: {}", cycle(.0))]
    Cycle(Vec<String>),
    /// A layer names a model role that is not there.
    #[error("unknown model role `{0}`")]
    UnknownRole(String),
    /// A layer without `model` needs the default role.
    #[error("layer `{layer}` asks a model, but there is no model role `{role}`")]
    MissingRole {
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
    /// A model role names a provider that is not there.
    #[error("unknown provider `{0}`")]
    UnknownProvider(String),
    /// A layer insists on batches where there are none.
    #[error("layer `{layer}` says `batch = true`, but {why}")]
    NoBatch {
        /// The layer.
        layer: String,
        /// The reason.
        why: NoBatchReason,
    },
    /// A layer names a transform that is not there.
    #[error("unknown transform `{0}`")]
    UnknownTransform(String),
    /// The transform's own schema cannot be used.
    #[error("the transform's config schema cannot be used: {0}")]
    ConfigSchema(String),
    /// A file that the pipeline names cannot be used.
    #[error("cannot use the file: {0}")]
    File(String),
}

impl PipelineErrorKind {
    /// Returns whether the text continues a sentence that starts with the key.
    fn is_about_a_value(&self) -> bool {
        match self {
            Self::WrongType { .. }
            | Self::NotOneOf(_)
            | Self::BadValue(_)
            | Self::NotJson(_)
            | Self::Number(_)
            | Self::Nul
            | Self::TooDeep
            | Self::Glob(_) => true,
            Self::Syntax(_)
            | Self::UnknownKey { .. }
            | Self::MissingKey { .. }
            | Self::MissingOneOf { .. }
            | Self::OnlyOneOf { .. }
            | Self::Misplaced { .. }
            | Self::Name(_)
            | Self::NoLayers
            | Self::UnknownInput { .. }
            | Self::OwnInput(_)
            | Self::InputTwice { .. }
            | Self::Cycle(_)
            | Self::UnknownRole(_)
            | Self::MissingRole { .. }
            | Self::NotGranted { .. }
            | Self::UnknownProvider(_)
            | Self::NoBatch { .. }
            | Self::UnknownTransform(_)
            | Self::ConfigSchema(_)
            | Self::File(_) => false,
        }
    }
}

/// Why a model has no Batch API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoBatchReason {
    /// The model role says so.
    #[error("the model role `{0}` says `batch = false`")]
    Model(String),
    /// The provider profile says so.
    #[error("the provider `{0}` says `batch = false`")]
    Provider(String),
    /// The provider is at a URL of its own and does not say that it has one.
    #[error("nothing says that the provider `{0}` has the Batch API at this URL")]
    NotDeclared(String),
}

fn in_table(table: &str) -> String {
    if table.is_empty() {
        String::new()
    } else {
        format!(" in [{table}]")
    }
}

fn quoted(keys: &[String]) -> String {
    let quoted: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    quoted.join(", ")
}

fn cycle(layers: &[String]) -> String {
    let mut round: Vec<&str> = layers.iter().take(SHOWN).map(String::as_str).collect();
    let more = match layers.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!("{more} more"),
    };
    if !more.is_empty() {
        round.push(&more);
    }
    round.extend(layers.first().map(String::as_str));
    round.join(" -> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_a_thousand_times_is_shown_a_hundred_times() {
        let errors = (1..=1000).map(|line| PipelineError {
            line,
            column: 1,
            key: "k".to_owned(),
            kind: PipelineErrorKind::UnknownKey {
                key: "k".to_owned(),
                table: String::new(),
            },
            hint: None,
        });
        let shown = PipelineErrors::new(errors.collect()).unwrap().to_string();
        assert_eq!(shown.lines().count(), 101);
        assert!(shown.ends_with("\nand 900 more like these"), "{shown}");
        let names: Vec<String> = (0..5000).map(|at| format!("l{at}")).collect();
        assert!(cycle(&names).ends_with("l99 -> 4900 more -> l0"));
        assert_eq!(cycle(&names[..2]), "l0 -> l1 -> l0");
    }

    #[test]
    fn an_error_names_file_line_column_and_hint() {
        let error = PipelineError {
            line: 12,
            column: 1,
            key: "layers.x.modle".to_owned(),
            kind: PipelineErrorKind::UnknownKey {
                key: "modle".to_owned(),
                table: "layers.x".to_owned(),
            },
            hint: Some("did you mean `model`?".to_owned()),
        };
        assert_eq!(
            error.in_file("synix.toml").to_string(),
            "synix.toml:12:1: unknown key `modle` in [layers.x] (did you mean `model`?)"
        );
    }
}
