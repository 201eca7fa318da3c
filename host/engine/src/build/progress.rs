//! The progress of a layer, counted in one place.
//!
//! The scheduler reports what happens to a layer's units; only this file
//! decides from it whether the layer is complete.

use super::answerer::Answerer;
use super::event::{Event, LayerCounts};
use super::scheduler::Scheduler;

/// Whether a layer's inputs were divided into units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Division {
    /// Upstream layers are incomplete: more units may follow.
    #[default]
    Pending,
    /// Units are being added. The first may settle before the last is known, so the layer cannot complete.
    Running,
    /// All units are known.
    Done,
}

/// Whether a new unit must run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    /// Its outputs exist.
    Fresh,
    /// It must run, or it failed before it could run.
    Stale,
}

/// The counts of a layer.
#[derive(Debug, Default)]
pub(super) struct LayerProgress {
    division: Division,
    is_complete: bool,
    /// Units that are not settled.
    open: u64,
    fresh: u64,
    stale: u64,
    done: u64,
    failed: u64,
    requested: u64,
    answered: u64,
    /// The counts that were reported last.
    reported: LayerCounts,
}

impl LayerProgress {
    /// Counts a unit, which is open until it is settled.
    pub(super) const fn unit_added(&mut self, freshness: Freshness) {
        self.open += 1;
        match freshness {
            Freshness::Fresh => self.fresh += 1,
            Freshness::Stale => self.stale += 1,
        }
    }

    /// Counts the units of a layer that is fresh as a whole. No more units follow.
    pub(super) fn layer_unchanged(&mut self, units: u64) {
        self.fresh += units;
        self.done += units;
        self.all_units_known();
    }

    /// Returns whether a unit failed or was held back.
    pub(super) const fn has_failed(&self) -> bool {
        self.failed > 0
    }

    /// Settles a unit with its outputs.
    pub(super) fn unit_done(&mut self) {
        self.done += 1;
        self.unit_settled();
    }

    /// Settles a unit that failed or was held back.
    pub(super) fn unit_failed(&mut self) {
        self.failed += 1;
        self.unit_settled();
    }

    fn unit_settled(&mut self) {
        debug_assert!(self.open > 0, "a unit was settled twice");
        self.open = self.open.saturating_sub(1);
    }

    /// Records that the layer is being divided into units.
    pub(super) fn division_started(&mut self) {
        self.division = Division::Running;
    }

    /// Records that no more units follow.
    pub(super) fn all_units_known(&mut self) {
        self.division = Division::Done;
    }

    /// Records that no unit of the layer is built.
    pub(super) fn leave_out(&mut self) {
        self.all_units_known();
        self.is_complete = true;
        // There is nothing to report.
        self.reported = self.counts();
    }

    /// Returns whether the layer was divided into units, or is being divided.
    pub(super) fn is_divided(&self) -> bool {
        self.division != Division::Pending
    }

    /// Marks the layer as complete if every unit is settled; `true` the first time.
    pub(super) fn try_complete(&mut self) -> bool {
        let is_settled = self.division == Division::Done && self.open == 0;
        let completes = is_settled && !self.is_complete;
        self.is_complete |= completes;
        completes
    }

    /// Returns whether every unit is settled and none follows.
    pub(super) const fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Counts a request that a unit waits for.
    pub(super) const fn request_added(&mut self) {
        self.requested += 1;
    }

    /// Counts a request that is settled.
    pub(super) const fn request_settled(&mut self) {
        self.answered += 1;
    }

    pub(super) const fn fresh(&self) -> u64 {
        self.fresh
    }

    pub(super) const fn stale(&self) -> u64 {
        self.stale
    }

    fn counts(&self) -> LayerCounts {
        LayerCounts {
            fresh: self.fresh,
            stale: self.stale,
            // A fresh unit fails if another unit made its label.
            done: self.done.saturating_sub(self.fresh),
            failed: self.failed,
            requested: self.requested,
            answered: self.answered,
            known: self.is_divided(),
        }
    }

    /// Returns the counts if they changed since the last call.
    fn changes(&mut self) -> Option<LayerCounts> {
        let counts = self.counts();
        (std::mem::replace(&mut self.reported, counts) != counts).then_some(counts)
    }
}

impl<A: Answerer> Scheduler<'_, A> {
    /// Reports the layers whose counts changed.
    pub(super) fn report_layers(&mut self) {
        for layer in 0..self.layers.len() {
            self.report_layer(layer);
        }
    }

    /// Reports a layer if its counts changed.
    pub(super) fn report_layer(&mut self, layer: usize) {
        if let Some(counts) = self.layers[layer].progress.changes() {
            (self.context.observer)(&Event::Layer {
                layer: self.layer_name(layer).to_owned(),
                counts,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_complete_once_all_its_known_units_are_settled() {
        let mut progress = LayerProgress::default();
        progress.unit_added(Freshness::Stale);
        progress.unit_done();
        assert!(!progress.try_complete(), "more units may follow");
        progress.division_started();
        progress.unit_added(Freshness::Fresh);
        progress.unit_done();
        assert!(!progress.try_complete(), "the division is not done");
        progress.unit_added(Freshness::Stale);
        progress.all_units_known();
        assert!(!progress.try_complete(), "a unit is open");
        progress.unit_failed();
        assert!(progress.try_complete() && progress.is_complete());
        assert!(!progress.try_complete(), "a layer completes once");
    }

    #[test]
    fn counts_are_reported_when_they_change() {
        let mut progress = LayerProgress::default();
        assert_eq!(progress.changes(), None);
        progress.unit_added(Freshness::Fresh);
        progress.unit_done();
        progress.unit_added(Freshness::Stale);
        progress.unit_done();
        progress.request_added();
        progress.request_settled();
        let counts = progress.changes().unwrap();
        assert_eq!((counts.fresh, counts.stale, counts.done), (1, 1, 1));
        assert_eq!((counts.requested, counts.answered), (1, 1));
        assert_eq!(progress.changes(), None);
    }

    /// Every layer upstream of an unsettled unit would otherwise be complete too early, or never.
    #[test]
    #[should_panic(expected = "a unit was settled twice")]
    fn a_unit_that_is_settled_twice_is_detected() {
        let mut progress = LayerProgress::default();
        progress.unit_added(Freshness::Stale);
        progress.unit_failed();
        progress.unit_failed();
    }
}
