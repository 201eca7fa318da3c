//! Answers from a cassette: what the runs did not find there is missing for good.

use std::sync::Arc;

use super::BuildError;
use super::answerer::{Answerer, Workers};
use super::unit::excerpt;
use crate::pending::PendingRequest;
use synix_core::request::{Failure, FailureKind, OutcomeSummary, Request, RequestKey, Usage};
use synix_providers::Cassette;
use synix_store::LayerMode;

/// Opens no socket and reads no key.
#[derive(Debug)]
pub(super) struct Replay {
    misses: Misses,
    modes: super::modes::Modes,
}

/// Requests that a cassette lacks; a plan of a replay takes note of them, too.
#[derive(Debug)]
pub(super) struct Misses {
    cassette: Arc<Cassette>,
    missed: Vec<(RequestKey, OutcomeSummary)>,
    /// How many misses were compared with the whole cassette.
    compared: usize,
}

/// How many misses are compared with the cassette. A changed prompt misses all recordings, and each
/// comparison reads the whole cassette.
const COMPARED: usize = 10;

impl Replay {
    pub(super) const fn new(cassette: Arc<Cassette>, modes: super::modes::Modes) -> Self {
        Self {
            misses: Misses::of(cassette),
            modes,
        }
    }
}

impl Misses {
    pub(super) const fn of(cassette: Arc<Cassette>) -> Self {
        Self {
            cassette,
            missed: Vec::new(),
            compared: 0,
        }
    }

    /// Returns the end of a miss's message.
    fn nearest(&mut self, request: &Request) -> String {
        if self.compared == COMPARED {
            return "; so are others, shown with their nearest recordings".to_owned();
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

    /// Notes a request that the runs did not find.
    pub(super) fn note(&mut self, asked: &PendingRequest) {
        let message = format!(
            "no recording of request {} ({}){}",
            asked.key.0.short(),
            excerpt(&asked.request),
            self.nearest(&asked.request)
        );
        let failure = Failure {
            kind: FailureKind::Missing,
            message,
            transient: false,
            usage: Usage::default(),
        };
        self.missed
            .push((asked.key, OutcomeSummary::Failed(failure)));
    }

    /// Returns what was noted since the last time.
    pub(super) fn take(&mut self) -> Option<Vec<(RequestKey, OutcomeSummary)>> {
        (!self.missed.is_empty()).then(|| std::mem::take(&mut self.missed))
    }
}

impl Answerer for Replay {
    fn ask(&mut self, requests: Vec<PendingRequest>) -> Result<(), BuildError> {
        for asked in requests {
            self.misses.note(&asked);
        }
        Ok(())
    }

    async fn settled(
        &mut self,
        _: Workers,
    ) -> Result<Option<Vec<(RequestKey, OutcomeSummary)>>, BuildError> {
        Ok(self.misses.take())
    }

    fn mode(&self, layer: usize) -> Option<LayerMode> {
        self.modes.decided(layer)
    }
}
