//! Obtains an answer, or a claim that is granted to this client.

use synix_core::request::RequestKey;

use super::claimant::Run;
use super::{Inner, Obtained};
use crate::documents::{ClaimIntent, ClaimMode, SharedClaim};
use crate::error::SharedError;
use crate::machine::{Claimant, End};
use crate::objects::{ObjectsError, ObjectsErrorKind};

impl Inner {
    pub(super) async fn obtain(
        &self,
        intent: &ClaimIntent,
        accept_truncated: bool,
        mode: ClaimMode,
    ) -> Result<Obtained, SharedError> {
        let key = intent.key;
        if self.settings.read_only {
            let answer = self.read_answer(key, accept_truncated).await?;
            return Ok(answer.map_or(Obtained::NotClaimed, Obtained::Answered));
        }
        let holder = self.live_holder().await?;
        let own = SharedClaim {
            key,
            generation: 0,
            holder,
            nonce: intent.nonce.clone(),
            mode,
        };
        // It is about to be used, so nobody gives it up.
        let unsettled = self.own_claims().unsettled.remove(&key);
        let known = self
            .observations
            .last_claim(key)
            .map(|claim| claim.generation);
        let earlier = intent.earlier.clone();
        let mut run = Run::obtain(key, accept_truncated, Some(own), earlier);
        let end = self.drive(Claimant::obtain(known), &mut run).await;
        let own = run.own.take();
        let is_unsettled = end == End::AnsweredUnsettled || (end == End::Failed && run.is_doubtful);
        if is_unsettled && let Some(own) = &own {
            self.remember_unsettled(own);
        } else if let Some(unsettled) = unsettled
            && !matches!(end, End::Granted(_))
        {
            let mut own = self.own_claims();
            own.unsettled.entry(key).or_insert(unsettled);
        }
        match (end, own) {
            (End::Answered | End::AnsweredUnsettled, _) => {
                self.forget_claim(key);
                Ok(run.answer.map_or(Obtained::NotClaimed, Obtained::Answered))
            }
            (End::Granted(_), Some(own)) => {
                // The client may have been paused since its heartbeat.
                if own.mode == ClaimMode::Call && !self.holds_as(&own.holder) {
                    self.remember_unsettled(&own);
                    return Err(self.lost_claim(key));
                }
                self.observations.forget(key);
                self.remember_granted(&own);
                Ok(Obtained::Claimed(own))
            }
            (End::Held(_), _) => match self.observations.last_claim(key) {
                Some(claim) => Ok(Obtained::Held(claim.held_by())),
                None => Err(self.inconsistent(key)),
            },
            (End::Inconsistent, _) => Err(self.inconsistent(key)),
            _ => Err(run.error.take().unwrap_or_else(|| self.inconsistent(key))),
        }
    }

    fn remember_granted(&self, claim: &SharedClaim) {
        let now = self.clock.now();
        let mut own = self.own_claims();
        own.granted.insert(claim.key, (claim.clone(), now));
    }

    fn lost_claim(&self, key: RequestKey) -> SharedError {
        self.failed(ObjectsError {
            kind: ObjectsErrorKind::Unavailable,
            operation: "claim",
            path: self.paths.claims(key),
            advice: None,
            source: Some("the heartbeats of this process had a gap".into()),
        })
    }

    pub(super) fn inconsistent(&self, key: RequestKey) -> SharedError {
        SharedError::Inconsistent {
            name: self.settings.name.clone(),
            key: key.0.short(),
        }
    }
}
