//! Draws samples: the units whose keys have the lowest ranks.
//!
//! The rank of a key never changes, so a larger sample contains a smaller one, and a new file takes the place of at most
//! one other.

use std::collections::{HashMap, HashSet};

use crate::build::answerer::Answerer;
use crate::build::scheduler::Scheduler;
use synix_core::digest::Digest;
use synix_core::ids::UnitKey;
use synix_sandbox::Shape;

/// What the ranks of a sample depend on beside the key.
const SEED: &str = "synix.sample.v1";

/// Returns the rank of a unit. Units of several layers over one artifact have the same.
pub(super) fn rank(label: &str) -> Digest {
    Digest::of(format!("{SEED}\n{label}").as_bytes())
}

/// Returns the keys with the lowest ranks.
pub(super) fn lowest(mut ranked: Vec<(Digest, UnitKey)>, limit: usize) -> HashSet<UnitKey> {
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
