//! The intents of look-ups, which are recorded before anything is claimed.
//!
//! A command that is killed between a claim and its record would leave a claim that nobody can give up. So the record
//! comes first, with the nonce that the claim will have.
//!
//! Only the command that drew a nonce claims with it. One that finds the intent of an earlier command records one of its
//! own in its place: calls that the other sent may still arrive, and whoever has read the old row may give up its claim.

use super::{Kept, KeptClaim, LookUp, SharedStage};
use crate::build::BuildError;
use synix_core::request::RequestKey;
use synix_shared::ClaimIntent;
use synix_store::{BuildId, RequestId, SharedRequest, StoreError, Transaction};

/// So many intents are recorded in one transaction. A killed command leaves as many that the next one looks up.
const RECORDED_AHEAD: usize = 1024;

/// The row of a request after it was to be recorded.
enum Recorded {
    /// It belongs to this build.
    Own(Option<ClaimIntent>),
    /// It belongs to a build that another process drives.
    Elsewhere(BuildId),
    /// Another command has sent it under its own claim.
    InFlight,
}

impl SharedStage<'_> {
    /// Records the intents of the next look-ups, if the first of them has none. Those that another command of this
    /// project has on record wait for it.
    pub(super) fn record_intents(&mut self) -> Result<(), BuildError> {
        let is_recorded = |look_up: &LookUp| look_up.intent.is_some();
        if self.client.settings().read_only || self.look_ups.front().is_none_or(is_recorded) {
            return Ok(());
        }
        let intents = self.look_ups.iter().take(RECORDED_AHEAD);
        let intents = intents.map(|look_up| match &look_up.intent {
            Some(intent) => Ok(intent.clone()),
            None => ClaimIntent::new(look_up.queued.key),
        });
        let intents = match intents.collect::<Result<Vec<_>, _>>() {
            Ok(intents) => intents,
            Err(error) => {
                self.on_error(&error);
                return Ok(());
            }
        };
        let recorded = self.store.write(|tx| {
            let pairs = self.look_ups.iter().zip(&intents);
            let recorded = pairs.map(|(look_up, intent)| {
                self.record_intent(tx, look_up.queued.request, Some(intent))
            });
            recorded.collect::<Result<Vec<_>, StoreError>>()
        })?;
        let next: Vec<LookUp> = self.look_ups.drain(..intents.len()).collect();
        let mut ready = Vec::with_capacity(next.len());
        for ((mut look_up, intent), recorded) in next.into_iter().zip(intents).zip(recorded) {
            match recorded {
                Recorded::Own(kept) => {
                    if kept.as_ref() != Some(&intent) {
                        self.kept.remove(&look_up.queued.key);
                    }
                    look_up.intent = kept;
                    // An earlier intent may have led to a claim.
                    look_up.may_be_claimed |= look_up.has_earlier_intents();
                    ready.push(look_up);
                }
                Recorded::Elsewhere(build) => {
                    self.end_first(&look_up);
                    self.hold(look_up, format!("{build} of this project"));
                }
                Recorded::InFlight => {
                    self.end_first(&look_up);
                    self.granted.push((look_up.queued, look_up.mode));
                }
            }
        }
        for look_up in ready.into_iter().rev() {
            self.look_ups.push_front(look_up);
        }
        Ok(())
    }

    fn record_intent(
        &self,
        tx: &Transaction<'_>,
        request: RequestId,
        intent: Option<&ClaimIntent>,
    ) -> Result<Recorded, StoreError> {
        let text = intent.map(to_text);
        let row = tx.keep_shared_request(request, self.build, &self.name, text.as_deref())?;
        if row.build != self.build && self.store.is_driven(row.build) {
            return Ok(Recorded::Elsewhere(row.build));
        }
        // The row may have been written since the state was asked for it.
        if intent.is_some() && row.is_in_flight {
            return Ok(Recorded::InFlight);
        }
        let kept = match (intent_of(&row), intent) {
            (Some(known), Some(intent)) if known.nonce != intent.nonce => {
                Some(intent.clone().after(known))
            }
            (known, intent) => known.or_else(|| intent.cloned()),
        };
        let text = kept.as_ref().map(to_text);
        if row.build != self.build || row.claim != text {
            tx.adopt_shared_request(request, self.build, text.as_deref())?;
        }
        Ok(Recorded::Own(kept))
    }

    /// Records, in one transaction, that the answers to requests that are sent without a claim are to be published.
    pub(super) fn keep_unclaimed(
        &mut self,
        mut sent: Vec<(RequestKey, RequestId)>,
    ) -> Result<(), BuildError> {
        if self.client.settings().read_only {
            return Ok(());
        }
        sent.retain(|(key, _)| !self.kept.contains_key(key));
        if sent.is_empty() {
            return Ok(());
        }
        let recorded = self.store.write(|tx| {
            let recorded = sent.iter();
            let recorded = recorded.map(|(_, request)| self.record_intent(tx, *request, None));
            recorded.collect::<Result<Vec<_>, StoreError>>()
        })?;
        for ((key, request), recorded) in sent.into_iter().zip(recorded) {
            // The other command publishes it.
            if let Recorded::Own(intent) = recorded {
                let claim = intent.map(KeptClaim::Intended);
                self.kept.insert(key, Kept { request, claim });
            }
        }
        Ok(())
    }

    /// Forgets the look-ups that did not begin, or that another holder has claimed.
    pub(super) fn drop_look_ups(&mut self) -> Result<(), BuildError> {
        self.looking.clear();
        self.parked.clear();
        let mut dropped = std::mem::take(&mut self.look_ups);
        dropped.extend(self.held.drain(..).map(|held| held.look_up));
        dropped.retain(|look_up| look_up.intent.is_some() && !look_up.may_be_claimed);
        if dropped.is_empty() {
            return Ok(());
        }
        Ok(self.store.write(|tx| {
            let mut dropped = dropped.iter();
            dropped.try_for_each(|look_up| look_up.row().forget(tx))
        })?)
    }
}

/// A row as a task knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RowId {
    pub(super) request: RequestId,
    /// The nonce of its intent, if it has one.
    pub(super) nonce: Option<String>,
}

impl RowId {
    /// Deletes the row, unless another command has recorded an intent of its own in its place.
    pub(super) fn forget(&self, tx: &Transaction<'_>) -> Result<(), StoreError> {
        let row = tx.shared_request(self.request)?;
        let nonce = row.and_then(|row| intent_of(&row)).map(|found| found.nonce);
        if nonce == self.nonce {
            tx.forget_shared_request(self.request)?;
        }
        Ok(())
    }
}

impl LookUp {
    pub(super) fn has_earlier_intents(&self) -> bool {
        let intent = self.intent.as_ref();
        intent.is_some_and(|intent| !intent.earlier.is_empty())
    }

    pub(super) fn row(&self) -> RowId {
        RowId {
            request: self.queued.request,
            nonce: self.intent.as_ref().map(|intent| intent.nonce.clone()),
        }
    }
}

/// Returns the intent of a row. An unreadable one lapses by itself.
pub(super) fn intent_of(row: &SharedRequest) -> Option<ClaimIntent> {
    serde_json::from_str(row.claim.as_deref()?).ok()
}

fn to_text(intent: &ClaimIntent) -> String {
    serde_json::to_string(intent).unwrap_or_default()
}
