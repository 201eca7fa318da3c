//! The answerer of a replay: requests that the runs did not find in the cassette fail.

use std::sync::Arc;

use super::BuildError;
use super::answerer::{Answerer, PoolState};
use super::store_recorder::StoreRecorder;
use super::unit_model::excerpt;
use crate::pending::{PendingRequest, SettledRequest};
use synix_core::request::{Failure, FailureKind, Request, RequestKey, Usage};
use synix_providers::Cassette;
use synix_store::{LayerMode, RequestId, Store};

/// It opens no socket and reads no key.
#[derive(Debug)]
pub(super) struct Replay<'a> {
    store: &'a Store,
    misses: CassetteMisses,
    modes: super::modes::Modes,
}

/// Requests that are not in a cassette; the plan of a replay counts them, too.
#[derive(Debug)]
pub(super) struct CassetteMisses {
    cassette: Arc<Cassette>,
    missed: Vec<SettledRequest>,
    /// The number of misses that were compared with the whole cassette.
    compared: usize,
}

/// The maximum number of misses that are compared with the cassette. A changed prompt misses all recordings, and each
/// comparison reads the whole cassette.
const MAX_COMPARED: usize = 10;

impl<'a> Replay<'a> {
    pub(super) const fn new(
        store: &'a Store,
        cassette: Arc<Cassette>,
        modes: super::modes::Modes,
    ) -> Self {
        Self {
            store,
            misses: CassetteMisses::new(cassette),
            modes,
        }
    }
}

impl CassetteMisses {
    pub(super) const fn new(cassette: Arc<Cassette>) -> Self {
        Self {
            cassette,
            missed: Vec::new(),
            compared: 0,
        }
    }

    /// Returns the end of the message about a miss.
    fn describe_nearest(&mut self, request: &Request) -> String {
        if self.compared == MAX_COMPARED {
            return "; the first misses are shown with their nearest recordings".to_owned();
        }
        self.compared += 1;
        match self.cassette.nearest(request) {
            Some((key, _, difference)) => format!(
                "; the nearest recording {} differs: {difference}",
                key.0.short()
            ),
            None => "; the cassette is empty".to_owned(),
        }
    }

    /// Adds a request that the runs did not find.
    pub(super) fn add(&mut self, key: RequestKey, request: &Request) {
        let message = format!(
            "no recording of request {} ({}){}",
            key.0.short(),
            excerpt(request),
            self.describe_nearest(request)
        );
        let failure = Failure {
            kind: FailureKind::Missing,
            message,
            transient: false,
            usage: Usage::default(),
        };
        self.missed.push((key, Err(failure)));
    }

    /// Returns the misses since the last call.
    pub(super) fn take(&mut self) -> Option<Vec<SettledRequest>> {
        (!self.missed.is_empty()).then(|| std::mem::take(&mut self.missed))
    }
}

impl<'a> Answerer for Replay<'a> {
    type Recorder = StoreRecorder<'a>;

    fn enqueue(&mut self, requests: Vec<PendingRequest<RequestId>>) -> Result<(), BuildError> {
        for pending in requests {
            let request = self.store.request(pending.request)?;
            self.misses.add(pending.key, &request);
        }
        Ok(())
    }

    async fn next_settled(
        &mut self,
        _: PoolState,
    ) -> Result<Option<Vec<SettledRequest>>, BuildError> {
        Ok(self.misses.take())
    }

    fn mode(&self, layer: usize) -> Option<LayerMode> {
        self.modes.decided(layer)
    }
}
