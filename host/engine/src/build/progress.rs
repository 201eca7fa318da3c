//! Tells how far each layer is: when that changed, not for each unit.

use super::answerer::Answerer;
use super::event::{Event, LayerCounts};
use super::scheduler::{LayerRun, Scheduler};

impl<A: Answerer> Scheduler<'_, A> {
    /// Tells of the layers that are elsewhere than when they were last told of.
    pub(super) fn tell_layers(&mut self) {
        for layer in 0..self.layers.len() {
            self.tell_layer(layer);
        }
    }

    /// Tells where a layer is, if that has changed.
    pub(super) fn tell_layer(&mut self, layer: usize) {
        let counts = self.layers[layer].counts();
        if self.layers[layer].told == counts {
            return;
        }
        self.layers[layer].told = counts;
        (self.site.observer)(&Event::Layer {
            layer: self.layer_name(layer).to_owned(),
            counts,
        });
    }
}

impl LayerRun {
    fn counts(&self) -> LayerCounts {
        LayerCounts {
            fresh: self.fresh,
            stale: self.stale,
            done: (self.made.len() as u64).saturating_sub(self.fresh),
            failed: self.failed.len() as u64,
            asked: self.asked,
            answered: self.answered,
            known: self.spawned,
        }
    }
}
