//! Finds the patterns of a trial that no unit matches. Most of them are mistakes.

use crate::build::BuildError;
use crate::build::answerer::Answerer;
use crate::build::scheduler::Scheduler;

impl<A: Answerer> Scheduler<'_, A> {
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
