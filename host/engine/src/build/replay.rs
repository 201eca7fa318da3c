//! Answers from a cassette: what the runs did not find there is missing for good.

use std::sync::Arc;

use super::BuildError;
use super::answerer::{Answerer, Asked, Settled};
use super::unit::excerpt;
use synix_core::request::{Failure, FailureKind, Request, Usage};
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
    missed: Vec<Settled>,
    /// How many misses were compared with the whole cassette.
    compared: usize,
}

/// Misses that are told their nearest recording. A changed prompt misses them all, and each
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
    pub(super) fn note(&mut self, asked: &Asked) {
        let message = format!(
            "no recording of request {} ({}){}",
            asked.key.0.short(),
            excerpt(&asked.request),
            self.nearest(&asked.request)
        );
        self.missed.push(Settled::failed(
            asked.key,
            Failure {
                kind: FailureKind::Missing,
                message,
                passing: false,
                usage: Usage::default(),
            },
        ));
    }

    /// Returns what was noted since the last time.
    pub(super) fn take(&mut self) -> Option<Vec<Settled>> {
        (!self.missed.is_empty()).then(|| std::mem::take(&mut self.missed))
    }
}

impl Answerer for Replay {
    fn ask(&mut self, asked: Vec<Asked>) -> Result<(), BuildError> {
        for asked in asked {
            self.misses.note(&asked);
        }
        Ok(())
    }

    async fn settled(&mut self, _idle: bool) -> Result<Option<Vec<Settled>>, BuildError> {
        Ok(self.misses.take())
    }

    fn mode(&self, layer: usize) -> Option<LayerMode> {
        self.modes.decided(layer)
    }
}
