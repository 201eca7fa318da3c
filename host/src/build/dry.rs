//! Takes notes and answers nothing: what a plan runs against.

use std::collections::BTreeMap;

use super::BuildError;
use super::answerer::{Answerer, Asked, Settled};
use super::modes::Modes;
use crate::store::{LayerMode, Reader};

/// Counts the requests that would be sent, by layer.
#[derive(Debug)]
pub(super) struct DryRun<'a> {
    reader: Option<&'a Reader>,
    modes: Modes,
    pub(super) requests: BTreeMap<usize, u64>,
}

impl<'a> DryRun<'a> {
    pub(super) const fn new(reader: Option<&'a Reader>, modes: Modes) -> Self {
        Self {
            reader,
            modes,
            requests: BTreeMap::new(),
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
            if !in_flight {
                *self.requests.entry(asked.layer).or_default() += 1;
            }
        }
        Ok(())
    }

    async fn settled(&mut self, idle: bool) -> Result<Option<Vec<Settled>>, BuildError> {
        if !idle {
            std::future::pending::<()>().await;
        }
        for (layer, requests) in &self.requests {
            self.modes.decide(*layer, *requests);
        }
        Ok(None)
    }

    fn mode(&self, layer: usize) -> Option<LayerMode> {
        self.modes.decided(layer)
    }
}
