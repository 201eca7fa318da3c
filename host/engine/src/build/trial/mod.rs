//! Trials: builds of a part of a pipeline. This module says which part; [`sample`] applies it to a build.
//!
//! A trial has a name, and its snapshot never is the newest one of the pipeline. Its units, artifacts and answers are
//! those of every other build, so that a later build of the whole makes only the rest.

mod draw;
mod label_rule;
mod needed_units;
mod pattern;
mod sample;
mod unmatched;

use std::num::NonZero;

use serde::{Deserialize, Serialize};

use super::layers::ReadyPipeline;
use crate::view::FindError;

pub use label_rule::LabelRule;
pub use pattern::{InvalidPattern, UnitPattern};
pub(super) use sample::Sample;

/// A build of a part of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// The name of its snapshot.
    pub name: String,
    /// The units that are built.
    pub selection: Selection,
}

/// The units that a trial builds, with everything that they need upstream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// The units to build; empty: those of every layer.
    #[serde(default)]
    pub select: Vec<UnitPattern>,
    /// The number of units in the sample of each layer whose inputs are all sources.
    #[serde(default)]
    pub limit: Option<NonZero<u64>>,
}

impl Selection {
    /// Returns whether every unit is built.
    pub const fn is_everything(&self) -> bool {
        self.select.is_empty() && self.limit.is_none()
    }

    /// Returns whether a pattern means some units of a layer, and not all of them.
    pub(super) fn has_globs(&self) -> bool {
        self.select.iter().any(UnitPattern::has_glob)
    }

    /// Refuses a layer that the pipeline does not have.
    pub fn check(&self, pipeline: &ReadyPipeline) -> Result<(), FindError> {
        let names = || pipeline.layers.iter().map(|layer| layer.name.as_str());
        for pattern in &self.select {
            if !names().any(|name| name == pattern.layer()) {
                return Err(FindError::no_layer(pattern.layer(), names()));
            }
        }
        Ok(())
    }
}
