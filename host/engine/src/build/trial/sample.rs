//! Which units of each layer a trial builds: those that are selected, their sample, and what they need upstream.
//!
//! A sample has the units whose keys have the lowest ranks. The rank of a key never changes, so a larger sample contains
//! a smaller one, and a new file takes the place of at most one other.

use std::collections::{HashMap, HashSet};

use super::Selection;
use super::label_rule::{LabelRule, Name};
use super::pattern::UnitPattern;
use crate::build::BuildError;
use crate::build::answerer::Answerer;
use crate::build::handle::Handle;
use crate::build::layers::ReadyPipeline;
use crate::build::scheduler::Scheduler;
use synix_core::digest::Digest;
use synix_core::ids::{Label, UnitKey};
use synix_sandbox::{Shape, UnitSpec};

/// What the ranks of a sample depend on beside the key.
const SEED: &str = "synix.sample.v1";

/// The maximum number of keys that are kept for an error.
const MAX_REJECTED: usize = 1000;

/// The units that a build makes. Without a selection, these are all.
#[derive(Debug, Default)]
pub(in crate::build) struct Sample<'a> {
    selection: Option<&'a Selection>,
    layers: Vec<SampleLayer<'a>>,
    /// By source layer, the artifacts that samples take; none for a source without samples.
    used: HashMap<usize, HashSet<Label>>,
    /// Keys that match no pattern of their layer.
    rejected: Vec<(usize, UnitKey)>,
}

#[derive(Debug)]
struct SampleLayer<'a> {
    name: &'a str,
    is_built: bool,
    /// Whether it is a transform over sources only.
    is_first: bool,
    /// `None` for a source.
    shape: Option<Shape>,
    inputs: &'a [usize],
    downstream: Vec<usize>,
    patterns: Vec<&'a UnitPattern>,
    labels: Option<&'a LabelRule>,
    /// The units over sources in the sample of a per-input layer.
    drawn: Option<HashSet<UnitKey>>,
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
    fn wants_unit(&mut self, layer: usize, key: &UnitKey, base: &str) -> bool {
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

    fn limit(&self) -> Option<usize> {
        let limit = self.selection?.limit?.get();
        Some(usize::try_from(limit).unwrap_or(usize::MAX))
    }
}

/// Returns the rank of a unit. Units of several layers over one artifact have the same.
fn rank(label: &str) -> Digest {
    Digest::of(format!("{SEED}\n{label}").as_bytes())
}

/// Returns the keys with the lowest ranks.
fn lowest(mut ranked: Vec<(Digest, UnitKey)>, limit: usize) -> HashSet<UnitKey> {
    if limit > 0 && limit < ranked.len() {
        ranked.select_nth_unstable(limit - 1);
        ranked.truncate(limit);
    }
    ranked.into_iter().map(|(_, key)| key).collect()
}

impl<A: Answerer> Scheduler<'_, A> {
    /// Draws the samples of the per-input layers over sources. The sources were read.
    pub(in crate::build) fn draw_samples(&mut self) {
        let Some(limit) = self.sample.limit() else {
            return;
        };
        for position in 0..self.sample.layers.len() {
            let rules = &self.sample.layers[position];
            if !rules.is_built || rules.shape != Some(Shape::PerInput) {
                continue;
            }
            let inputs = rules.inputs;
            let is_source = |input: &&usize| self.sample.layers[**input].shape.is_none();
            let sources: Vec<usize> = inputs.iter().filter(is_source).copied().collect();
            if sources.is_empty() {
                continue;
            }
            let mut ranked = Vec::new();
            let mut artifacts = HashMap::new();
            for source in sources {
                for artifact in self.layers[source].artifacts.clone() {
                    // A key that is too long fails the layer when its units are made.
                    let Ok(key) = self.per_input_key(position, &artifact) else {
                        continue;
                    };
                    let label = artifact.label.as_str();
                    if self.sample.wants_unit(position, &key, label) {
                        ranked.push((rank(label), key.clone()));
                        artifacts.insert(key, (source, artifact.label));
                    }
                }
                self.sample.used.entry(source).or_default();
            }
            let drawn = lowest(ranked, limit);
            for (source, label) in drawn.iter().filter_map(|key| artifacts.remove(key)) {
                self.sample.used.entry(source).or_default().insert(label);
            }
            self.sample.layers[position].drawn = Some(drawn);
        }
    }

    /// Refuses a pattern that no unit of its layer matches, as far as the units are known.
    pub(in crate::build) fn check_selection(&self) -> Result<(), BuildError> {
        let patterns = self
            .sample
            .selection
            .map_or(&[][..], |selection| &selection.select);
        for pattern in patterns {
            let mut layers = self.sample.layers.iter();
            let Some(position) = layers.position(|layer| layer.name == pattern.layer()) else {
                continue;
            };
            let run = &self.layers[position];
            if !run.progress.is_divided() {
                continue;
            }
            let done = run.done_units.iter().map(|(key, _)| key);
            let open = self.units.iter().flatten();
            let open = open.filter(|unit| unit.layer == position);
            let mut keys = done
                .chain(&run.failed_units)
                .chain(open.map(|unit| &unit.spec.key));
            // A layer that cannot be made fails under its own name.
            if keys.any(|key| pattern.is_match(key.as_str()) || key.as_str() == pattern.layer()) {
                continue;
            }
            let rejected = self.sample.rejected.iter();
            let rejected = rejected
                .filter(|(layer, _)| *layer == position)
                .map(|(_, key)| format!("{}/{key}", pattern.layer()));
            let known: Vec<String> = rejected.collect();
            let wanted = pattern.to_string();
            let nearest = synix_manifest::nearest(&wanted, known.iter().map(String::as_str));
            return Err(BuildError::NothingSelected {
                nearest: nearest.map(str::to_owned),
                example: known.first().cloned(),
                pattern: wanted,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(keys: &[String], limit: usize) -> HashSet<UnitKey> {
        let ranked = keys
            .iter()
            .map(|key| (rank(key), UnitKey::parse(key).unwrap()));
        lowest(ranked.collect(), limit)
    }

    fn notes(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("note-{number}")).collect()
    }

    #[test]
    fn a_larger_sample_contains_a_smaller_one() {
        let keys = notes(300);
        let mut smaller = HashSet::new();
        for limit in [1, 2, 17, 150, 299, 300, 1000] {
            let larger = drawn(&keys, limit);
            assert_eq!(larger.len(), limit.min(300));
            assert!(larger.is_superset(&smaller), "{limit}");
            smaller = larger;
        }
    }

    #[test]
    fn a_new_file_takes_the_place_of_at_most_one_other() {
        let mut keys = notes(100);
        for number in 100..200 {
            let before = drawn(&keys, 20);
            keys.push(format!("note-{number}"));
            let after = drawn(&keys, 20);
            assert!(before.difference(&after).count() <= 1, "{number}");
        }
    }

    /// The ranks are part of what users see: the same sample after an update of synix.
    #[test]
    fn the_sample_of_a_seed_never_changes() {
        let mut keys: Vec<String> = drawn(&notes(20), 3)
            .iter()
            .map(UnitKey::to_string)
            .collect();
        keys.sort();
        assert_eq!(keys, ["note-1", "note-16", "note-19"]);
    }
}
