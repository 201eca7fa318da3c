//! The units of a trial's snapshot: those that were asked for, and everything upstream of them.
//!
//! Some units are made only to find out what the selected ones need, such as all inputs of a layer that groups them.

use std::collections::{HashMap, HashSet};

use crate::build::answerer::Answerer;
use crate::build::scheduler::Scheduler;
use synix_store::{StoreError, UnitId};

impl<A: Answerer> Scheduler<'_, A> {
    /// Returns the units that the snapshot of a trial has; `None`: all.
    pub(in crate::build) fn needed_units(&self) -> Result<Option<HashSet<UnitId>>, StoreError> {
        let (true, Some(reader)) = (self.sample.is_partial(), self.context.reader) else {
            return Ok(None);
        };
        let mut open = Vec::new();
        let mut made = HashSet::new();
        let mut by_key = HashMap::new();
        for (position, run) in self.layers.iter().enumerate() {
            for (key, unit) in &run.done_units {
                let Some(unit) = *unit else { continue };
                made.insert(unit);
                by_key.insert((self.layer_name(position), key.as_str()), unit);
                if self.sample.is_selected(position, key) {
                    open.push(unit);
                }
            }
        }
        let mut needed: HashSet<UnitId> = open.iter().copied().collect();
        while let Some(unit) = open.pop() {
            for input in reader.inputs(unit)? {
                let upstream = if made.contains(&input.unit) {
                    Some(input.unit)
                } else {
                    // A fresh unit may have an input of an earlier run of the same unit.
                    let earlier = reader.unit(input.unit)?;
                    let key = (earlier.layer.as_str(), earlier.key.as_str());
                    by_key.get(&key).copied()
                };
                if let Some(upstream) = upstream.filter(|upstream| needed.insert(*upstream)) {
                    open.push(upstream);
                }
            }
        }
        Ok(Some(needed))
    }
}
