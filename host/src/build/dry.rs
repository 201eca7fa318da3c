//! Takes notes and answers nothing: what a plan runs against.

use std::collections::BTreeMap;

use super::BuildError;
use super::answerer::{Answerer, Asked, Settled};
use super::modes::Modes;
use crate::price::{Estimate, Forecast, Prices, Rate};
use crate::store::{LayerMode, Reader};

/// The requests of a layer that have no answer.
#[derive(Debug, Default)]
pub(super) struct Asking {
    /// Those that would be sent.
    pub(super) requests: u64,
    /// Those that are under way.
    pub(super) in_flight: u64,
    /// Those that only `--retry-failed` would send.
    pub(super) retry: u64,
    sync: Forecast,
    /// A layer's mode may be decided only when all its requests are known.
    batch: Forecast,
}

impl Asking {
    pub(super) fn forecast(&self, mode: Option<LayerMode>) -> &Forecast {
        match mode {
            Some(LayerMode::Batch) => &self.batch,
            Some(LayerMode::Sync) | None => &self.sync,
        }
    }
}

/// Counts and prices the requests that would be sent, by layer.
#[derive(Debug)]
pub(super) struct DryRun<'a> {
    reader: Option<&'a Reader>,
    modes: Modes,
    prices: &'a Prices,
    pub(super) asking: BTreeMap<usize, Asking>,
}

impl<'a> DryRun<'a> {
    pub(super) const fn new(reader: Option<&'a Reader>, modes: Modes, prices: &'a Prices) -> Self {
        Self {
            reader,
            modes,
            prices,
            asking: BTreeMap::new(),
        }
    }
}

impl Answerer for DryRun<'_> {
    fn ask(&mut self, asked: Vec<Asked>) -> Result<(), BuildError> {
        for asked in asked {
            let in_flight = match self.reader {
                Some(reader) => match reader.request_id(asked.key)? {
                    Some(id) => reader.in_flight(id)?.is_some(),
                    None => false,
                },
                None => false,
            };
            let asking = self.asking.entry(asked.layer).or_default();
            if in_flight {
                asking.in_flight += 1;
            } else {
                let estimate = Estimate::of(&asked.request);
                let model = &asked.request.model;
                asking.requests += 1;
                asking.sync.add(self.prices, model, &estimate, Rate::Sync);
                asking.batch.add(self.prices, model, &estimate, Rate::Batch);
            }
        }
        Ok(())
    }

    async fn settled(&mut self, idle: bool) -> Result<Option<Vec<Settled>>, BuildError> {
        if !idle {
            std::future::pending::<()>().await;
        }
        for (layer, asking) in &self.asking {
            self.modes.decide(*layer, asking.requests);
        }
        Ok(None)
    }

    fn mode(&self, layer: usize) -> Option<LayerMode> {
        self.modes.decided(layer)
    }
}
