//! Operations of the store as tasks, and what follows from their results.

use tokio::time::Instant;

use super::intents::RowId;
use super::settle::Settlement;
use super::{
    HeldRequest, Kept, KeptClaim, LONGEST_PAUSE, LookUp, MAX_OPERATIONS, PAUSE_PER_REQUEST,
    SharedStage,
};
use crate::build::BuildError;
use crate::build::event::Event;
use synix_core::request::{Ending, RequestKey};
use synix_shared::{
    ClaimMode, Obtained, Published, SharedAnswer, SharedAnswers, SharedClaim, SharedError,
};
use synix_store::{LayerMode, RequestId, SharedOrigin, StoreError};

/// The result of an operation of the store.
#[derive(Debug)]
pub(super) enum Finished {
    LookedUp(Box<LookUp>, Result<Obtained, SharedError>),
    Published(RowId, Result<Published, SharedError>),
    /// Whether the intent is given up for good.
    Released(RowId, Result<bool, SharedError>),
}

impl SharedStage<'_> {
    /// Starts operations until the limit is reached.
    pub(super) fn start(&mut self) -> Result<(), BuildError> {
        while !self.is_away() && self.in_flight < MAX_OPERATIONS {
            // Others wait for the answers.
            if let Some(settlement) = self.settlements.pop_front() {
                self.start_settlement(settlement);
                continue;
            }
            self.record_intents()?;
            if self.is_away() {
                break;
            }
            match self.look_ups.pop_front() {
                Some(look_up) => self.start_look_up(look_up),
                None => return Ok(()),
            }
        }
        if self.is_away() {
            self.start_without_store()?;
        }
        Ok(())
    }

    fn start_without_store(&mut self) -> Result<(), BuildError> {
        // They stay on record for a later command.
        for dropped in std::mem::take(&mut self.settlements) {
            self.settling.remove(&dropped.request);
        }
        self.look_ups.append(&mut self.parked.drain(..).collect());
        let look_ups = std::mem::take(&mut self.look_ups);
        let sent = look_ups.iter().map(|look_up| &look_up.queued);
        self.keep_unclaimed(sent.map(|queued| (queued.key, queued.request)).collect())?;
        for look_up in look_ups {
            self.end_first(&look_up);
            self.granted.push((look_up.queued, look_up.mode));
        }
        Ok(())
    }

    fn start_settlement(&mut self, settlement: Settlement) {
        self.begin();
        let (client, sender) = (self.client.clone(), self.sender.clone());
        tokio::spawn(async move {
            let row = settlement.row();
            let Settlement {
                key, answer, claim, ..
            } = settlement;
            let finished = match (answer, claim) {
                (Some(answer), claim) => {
                    let published = publish(&client, key, &answer, claim).await;
                    Finished::Published(row, published)
                }
                (None, Some(KeptClaim::Granted(claim))) => {
                    Finished::Released(row, client.release(&claim).await.map(|()| true))
                }
                (None, Some(KeptClaim::Intended(intent))) => {
                    Finished::Released(row, client.release_intent(&intent).await)
                }
                (None, None) => Finished::Released(row, Ok(true)),
            };
            // The receiver is dropped only with the build; the row stays for a later command.
            let _ = sender.send(finished);
        });
    }

    fn start_look_up(&mut self, mut look_up: LookUp) {
        self.begin();
        look_up.may_be_claimed = true;
        let writes = !self.client.settings().read_only;
        if writes && look_up.mode == LayerMode::Sync && self.heartbeats.is_none() {
            let client = self.client.clone();
            let heartbeats = tokio::spawn(async move { client.keep_alive().await });
            self.heartbeats = Some(heartbeats.abort_handle());
        }
        let (client, sender) = (self.client.clone(), self.sender.clone());
        tokio::spawn(async move {
            let obtained = obtain(&client, &look_up).await;
            let _ = sender.send(Finished::LookedUp(Box::new(look_up), obtained));
        });
    }

    const fn begin(&mut self) {
        self.in_flight += 1;
        self.is_used = true;
    }

    pub(super) fn end_first(&mut self, look_up: &LookUp) {
        let layer = look_up.queued.layer;
        if look_up.is_first
            && let Some(count) = self.looking.get_mut(&layer)
        {
            *count -= 1;
            if *count == 0 {
                self.looking.remove(&layer);
            }
        }
    }

    /// Waits for operations to end and applies their results. Cancel-safe.
    pub(in crate::build) async fn progress(&mut self) -> Result<(), BuildError> {
        if self.in_flight == 0 {
            return Ok(());
        }
        let Some(first) = self.finished.recv().await else {
            return Ok(());
        };
        // Nothing awaits from here on.
        let mut ended = vec![first];
        while let Ok(next) = self.finished.try_recv() {
            ended.push(next);
        }
        self.in_flight -= ended.len();
        self.record(&ended)?;
        for finished in ended {
            match finished {
                Finished::LookedUp(look_up, obtained) => self.on_looked_up(*look_up, obtained),
                Finished::Published(row, published) => self.on_published(row.request, published),
                Finished::Released(row, released) => {
                    self.end_settlement(row.request);
                    if let Err(error) = released {
                        self.on_error(&error);
                    }
                }
            }
        }
        for damaged in self.client.take_damaged() {
            let message = format!(
                "shared answers: {} is damaged and is not used: {}",
                damaged.path, damaged.reason
            );
            (self.observer)(&Event::Warning { message });
        }
        self.start()
    }

    /// Writes what the results mean in one transaction.
    fn record(&self, ended: &[Finished]) -> Result<(), StoreError> {
        self.store.write(|tx| {
            for finished in ended {
                match finished {
                    Finished::LookedUp(look_up, Ok(Obtained::Answered(found))) => {
                        let origin = SharedOrigin {
                            store: self.client.settings().name.clone(),
                            provider: found.provider.clone(),
                            batch: found.batch.clone(),
                            time: found.time,
                        };
                        let request = look_up.queued.request;
                        tx.store_shared_answer(request, self.build, &found.answer, &origin)?;
                        if look_up.intent.is_some() {
                            look_up.row().forget(tx)?;
                        }
                    }
                    Finished::Published(row, Ok(_)) | Finished::Released(row, Ok(true)) => {
                        row.forget(tx)?;
                    }
                    Finished::LookedUp(..) | Finished::Published(..) | Finished::Released(..) => {}
                }
            }
            Ok(())
        })
    }

    fn on_looked_up(&mut self, look_up: LookUp, obtained: Result<Obtained, SharedError>) {
        self.end_first(&look_up);
        let (key, request) = (look_up.queued.key, look_up.queued.request);
        match obtained {
            Ok(Obtained::Answered(found)) => {
                self.settled.push((key, Ok(found.answer.ending)));
                return;
            }
            Ok(Obtained::Held(held_by)) if !self.is_finishing => {
                let mut look_up = look_up;
                // Every call of this build has its reply.
                look_up.may_be_claimed = look_up.has_earlier_intents();
                self.hold(look_up, held_by.holder);
                return;
            }
            Ok(Obtained::Held(_)) => return,
            Ok(Obtained::Claimed(claim)) => self.on_claimed(request, claim),
            Ok(Obtained::NotClaimed) => {}
            Err(error) => {
                self.on_error(&error);
                if let Some(intent) = &look_up.intent {
                    let claim = Some(KeptClaim::Intended(intent.clone()));
                    self.kept.entry(key).or_insert(Kept { request, claim });
                }
            }
        }
        self.granted.push((look_up.queued, look_up.mode));
    }

    fn on_claimed(&mut self, request: RequestId, claim: SharedClaim) {
        let key = claim.key;
        self.guard.insert(claim.clone());
        let kept = Kept {
            request,
            claim: Some(KeptClaim::Granted(claim)),
        };
        self.kept.insert(key, kept);
    }

    pub(super) fn hold(&mut self, mut look_up: LookUp, holder: String) {
        self.report_waiting(holder);
        let many = u32::try_from(self.held.len()).unwrap_or(u32::MAX);
        let pause = look_up.pause.max(PAUSE_PER_REQUEST.saturating_mul(many));
        look_up.pause = (look_up.pause * 2).min(LONGEST_PAUSE);
        look_up.is_first = false;
        let now = Instant::now();
        let due = now.checked_add(pause).unwrap_or(now);
        self.held.push(HeldRequest { look_up, due });
    }

    /// Looks up what waited for the end of this settlement.
    fn end_settlement(&mut self, request: RequestId) {
        self.settling.remove(&request);
        let waits = |look_up: &mut LookUp| look_up.queued.request == request;
        self.look_ups.extend(self.parked.extract_if(.., waits));
    }

    fn on_published(&mut self, request: RequestId, published: Result<Published, SharedError>) {
        self.end_settlement(request);
        match published {
            Ok(Published::Double) => self.doubles += 1,
            Ok(Published::Published | Published::Damaged | Published::NotPublished) => {}
            Err(error) => self.on_error(&error),
        }
    }
}

/// Publishes an answer, and gives up its claim.
async fn publish(
    client: &SharedAnswers,
    key: RequestKey,
    answer: &SharedAnswer,
    claim: Option<KeptClaim>,
) -> Result<Published, SharedError> {
    let claim = match claim {
        Some(KeptClaim::Granted(claim)) => Some(claim),
        Some(KeptClaim::Intended(intent)) => client.find_claim(&intent).await?,
        None => None,
    };
    client.publish(key, answer, claim.as_ref()).await
}

/// Returns the answer, or a claim.
async fn obtain(client: &SharedAnswers, look_up: &LookUp) -> Result<Obtained, SharedError> {
    let accepts = look_up.queued.accept_truncated;
    let Some(intent) = &look_up.intent else {
        // Nothing may be written.
        let found = client.look_up(look_up.queued.key, accepts).await?;
        return Ok(found.map_or(Obtained::NotClaimed, Obtained::Answered));
    };
    let mode = match look_up.mode {
        LayerMode::Batch => ClaimMode::Batch,
        LayerMode::Sync => ClaimMode::Call,
    };
    let obtained = client.obtain(intent, accepts, mode).await?;
    // The client promises it; an answer that the layer does not accept would be looked up forever.
    if let Obtained::Answered(found) = &obtained
        && found.answer.ending == Ending::Truncated
        && !accepts
    {
        return Ok(Obtained::NotClaimed);
    }
    Ok(obtained)
}
