//! The error when a build would exceed a limit of units or requests.

use std::fmt;

/// What a limit applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitKind {
    /// The units of a layer.
    Units,
    /// The requests of the units of a layer, including those that were answered before.
    Requests,
}

impl LimitKind {
    const fn key(self) -> &'static str {
        match self {
            Self::Units => "max_units",
            Self::Requests => "max_requests",
        }
    }
}

impl fmt::Display for LimitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Units => "units",
            Self::Requests => "requests",
        })
    }
}

/// A layer, or all layers of a pipeline together, would exceed a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitExcess {
    /// The layer that exceeds the limit.
    pub layer: String,
    /// What a limit applies to.
    pub kind: LimitKind,
    /// The number that there would be; more may follow unless `is_exact`.
    pub count: u64,
    /// Whether the number is exact.
    pub is_exact: bool,
    /// The limit.
    pub max: u64,
    /// Whether the limit is that of all layers together.
    pub is_total: bool,
    /// Whether the pipeline file sets the limit.
    pub is_configured: bool,
}

impl LimitExcess {
    /// Returns how to raise the limit.
    pub fn hint(&self) -> String {
        let table = if self.is_total {
            "pipeline".to_owned()
        } else {
            format!("layers.{}", self.layer)
        };
        format!(
            "to allow this many, set `{} = {}` or more in [{table}]; the answers are kept, and the next run continues from there",
            self.kind.key(),
            self.count
        )
    }
}

impl fmt::Display for LimitExcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            layer,
            kind,
            count,
            max,
            ..
        } = self;
        let at_least = if self.is_exact { "" } else { "at least " };
        match (self.is_total, kind) {
            (true, _) => write!(
                f,
                "with layer `{layer}` the pipeline would have {at_least}{count} {kind}"
            )?,
            (false, LimitKind::Units) => {
                write!(f, "layer `{layer}` would have {at_least}{count} units")?;
            }
            (false, LimitKind::Requests) => write!(
                f,
                "the units of layer `{layer}` would make {at_least}{count} requests"
            )?,
        }
        let origin = if self.is_configured {
            "the pipeline file allows"
        } else {
            "its sources allow by default"
        };
        write!(
            f,
            ", more than the {max} that {origin}; nothing beyond that was created or sent"
        )
    }
}

impl std::error::Error for LimitExcess {}
