//! Which units of each layer a trial builds: those that are selected, their sample, and what they need upstream.
//!
//! [`super::draw`] draws the samples of layers over sources.

use std::collections::{HashMap, HashSet};

use super::Selection;
use super::draw::{lowest, rank};
use super::label_rule::{LabelRule, Name};
use super::pattern::UnitPattern;
use crate::build::handle::Handle;
use crate::build::layers::ReadyPipeline;
use synix_core::ids::{Label, UnitKey};
use synix_sandbox::{Shape, UnitSpec};

/// The maximum number of keys that are kept for an error.
const MAX_REJECTED: usize = 1000;

/// The units that a build makes. Without a selection, these are all.
#[derive(Debug, Default)]
pub(in crate::build) struct Sample<'a> {
    pub(super) selection: Option<&'a Selection>,
    pub(super) layers: Vec<SampleLayer<'a>>,
    /// By source layer, the artifacts that samples take; none for a source without samples.
    pub(super) used: HashMap<usize, HashSet<Label>>,
    /// Keys that match no pattern of their layer.
    pub(super) rejected: Vec<(usize, UnitKey)>,
}

#[derive(Debug)]
pub(super) struct SampleLayer<'a> {
    pub(super) name: &'a str,
    pub(super) is_built: bool,
    /// Whether it is a transform over sources only.
    is_first: bool,
    /// `None` for a source.
    pub(super) shape: Option<Shape>,
    pub(super) inputs: &'a [usize],
    downstream: Vec<usize>,
    patterns: Vec<&'a UnitPattern>,
    labels: Option<&'a LabelRule>,
    /// The units over sources in the sample of a per-input layer.
    pub(super) drawn: Option<HashSet<UnitKey>>,
}

impl<'a> Sample<'a> {
    pub(in crate::build) fn new(
        pipeline: &'a ReadyPipeline,
        selection: Option<&'a Selection>,
    ) -> Self {
        let Some(selection) = selection.filter(|selection| !selection.is_everything()) else {
            return Self::default();
        };
        let mut layers: Vec<SampleLayer<'a>> = Vec::with_capacity(pipeline.layers.len());
        for (position, layer) in pipeline.layers.iter().enumerate() {
            let transform = layer.body.transform();
            let inputs: &[usize] = transform.map_or(&[], |transform| &transform.inputs);
            for input in inputs {
                // Upstream layers come first.
                layers[*input].downstream.push(position);
            }
            let name = layer.name.as_str();
            let patterns = selection.select.iter();
            let patterns: Vec<_> = patterns.filter(|pattern| pattern.layer() == name).collect();
            layers.push(SampleLayer {
                name,
                is_built: selection.select.is_empty() || !patterns.is_empty(),
                is_first: transform.is_some()
                    && inputs.iter().all(|input| layers[*input].shape.is_none()),
                shape: transform.map(|transform| transform.plugin.descriptor().shape),
                inputs,
                downstream: Vec::new(),
                patterns,
                labels: transform.map(|transform| &transform.label_rule),
                drawn: None,
            });
        }
        for position in (0..layers.len()).rev() {
            let is_needed = |next: &usize| layers[*next].is_built;
            let is_needed = layers[position].downstream.iter().any(is_needed);
            layers[position].is_built |= is_needed;
        }
        Self {
            selection: Some(selection),
            layers,
            ..Self::default()
        }
    }

    /// Returns whether any unit of a layer may be built.
    pub(in crate::build) fn is_built(&self, layer: usize) -> bool {
        self.layers.get(layer).is_none_or(|layer| layer.is_built)
    }

    /// Returns whether a per-input layer builds the unit over this artifact.
    pub(in crate::build) fn takes_input(
        &mut self,
        layer: usize,
        key: &UnitKey,
        artifact: &Handle,
    ) -> bool {
        let Some(rules) = self.layers.get(layer) else {
            return true;
        };
        let is_source = self.layers[artifact.layer].shape.is_none();
        let is_drawn = match &rules.drawn {
            Some(drawn) if is_source => drawn.contains(key),
            _ => true,
        };
        is_drawn && self.wants_unit(layer, key, artifact.label.as_str())
    }

    /// Returns whether a unit without outputs so far, or one downstream of it, is selected. `base` is its group, or the
    /// label of its input.
    pub(super) fn wants_unit(&mut self, layer: usize, key: &UnitKey, base: &str) -> bool {
        if !self.is_built(layer) {
            return false;
        }
        let wanted = self.wants(layer, &Name::exact(key.as_str()), &Name::exact(base));
        let rules = &self.layers[layer];
        if !wanted && !rules.patterns.is_empty() && self.rejected.len() < MAX_REJECTED {
            self.rejected.push((layer, key.clone()));
        }
        wanted
    }

    fn wants(&self, layer: usize, key: &Name, base: &Name) -> bool {
        let rules = &self.layers[layer];
        if self
            .selection
            .is_none_or(|selection| selection.select.is_empty())
        {
            return rules.is_built;
        }
        if rules.patterns.iter().any(|pattern| pattern.may_match(key)) {
            return true;
        }
        let unknown = &LabelRule::UNKNOWN;
        let labels = rules.labels.unwrap_or(unknown).labels(base);
        let mut downstream = rules.downstream.iter();
        downstream.any(|next| self.needs(*next, layer, &labels))
    }

    /// Returns whether a layer may need the artifacts with these labels of another one.
    fn needs(&self, layer: usize, of: usize, labels: &Name) -> bool {
        let rules = &self.layers[layer];
        if !rules.is_built || rules.shape != Some(Shape::PerInput) {
            // A layer that groups its inputs needs all of them to find its groups.
            return rules.is_built;
        }
        let key = if rules.inputs.len() == 1 {
            labels.clone()
        } else {
            labels.after(&format!("{}/", self.layers[of].name))
        };
        self.wants(layer, &key, labels)
    }

    /// Returns whether the unit of a layer is held back because the unit `key` of an input failed.
    pub(in crate::build) fn misses(&self, layer: usize, input: usize, key: &UnitKey) -> bool {
        let (Some(rules), Some(upstream)) = (self.layers.get(layer), self.layers.get(input)) else {
            return true;
        };
        match upstream.labels {
            Some(labels) => {
                let labels = labels.labels(&Name::exact(key.as_str()));
                self.needs(layer, input, &labels)
            }
            // A file without artifacts is in no sample.
            None => rules.drawn.is_none() && self.needs(layer, input, &Name::exact(key.as_str())),
        }
    }

    /// Returns whether a layer that groups its inputs sees this one.
    pub(in crate::build) fn shows(&self, layer: usize, artifact: &Handle) -> bool {
        let is_first = self.layers.get(layer).is_none_or(|layer| layer.is_first);
        let used = self.used.get(&artifact.layer);
        is_first || used.is_none_or(|used| used.contains(&artifact.label))
    }

    /// Returns the units of a layer that are built, of those that its plugin made.
    pub(in crate::build) fn choose(
        &mut self,
        layer: usize,
        mut units: Vec<UnitSpec>,
    ) -> Vec<UnitSpec> {
        let Some(rules) = self.layers.get(layer) else {
            return units;
        };
        let is_first = rules.is_first;
        units.retain(|unit| self.wants_unit(layer, &unit.key, unit.key.as_str()));
        if let Some(limit) = self.limit().filter(|_| is_first) {
            let ranked = units
                .iter()
                .map(|unit| (rank(unit.key.as_str()), unit.key.clone()));
            let drawn = lowest(ranked.collect(), limit);
            units.retain(|unit| drawn.contains(&unit.key));
        }
        units
    }

    /// Returns whether a unit is held back with its whole layer.
    pub(in crate::build) fn takes_group(&mut self, layer: usize, key: &UnitKey) -> bool {
        self.layers.get(layer).is_none() || self.wants_unit(layer, key, key.as_str())
    }

    /// Returns whether a unit may be built whose inputs are not known yet.
    pub(in crate::build) fn predicts(&self, layer: usize, key: &str) -> bool {
        let name = Name::exact(key);
        self.layers.get(layer).is_none() || self.wants(layer, &name, &name)
    }

    /// Returns a label for the only output of a unit that never ran: without a selection the key, which is a guess.
    pub(in crate::build) fn predicted_label(&self, layer: usize, key: &str) -> Option<String> {
        let labels = self.layers.get(layer).and_then(|layer| layer.labels);
        match labels.map(|labels| labels.labels(&Name::exact(key))) {
            None => Some(key.to_owned()),
            Some(Name::Exact(label)) => Some(label),
            Some(Name::StartsWith(_)) => None,
        }
    }

    /// Returns whether a unit was asked for, and not only because another one needs it.
    pub(in crate::build) fn is_selected(&self, layer: usize, key: &UnitKey) -> bool {
        let Some(rules) = self.layers.get(layer) else {
            return true;
        };
        if self
            .selection
            .is_none_or(|selection| selection.select.is_empty())
        {
            return rules.shape.is_some();
        }
        let mut patterns = rules.patterns.iter();
        patterns.any(|pattern| pattern.is_match(key.as_str()))
    }

    /// Returns whether a part of the pipeline is built.
    pub(in crate::build) const fn is_partial(&self) -> bool {
        self.selection.is_some()
    }

    pub(super) fn limit(&self) -> Option<usize> {
        let limit = self.selection?.limit?.get();
        Some(usize::try_from(limit).unwrap_or(usize::MAX))
    }
}
