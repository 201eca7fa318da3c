//! Operations of the store as tasks, and what follows from their results.

use tokio::time::Instant;

use super::settle::Settlement;
use super::{
    HeldRequest, Kept, LONGEST_PAUSE, LookUp, MAX_OPERATIONS, PAUSE_PER_REQUEST, SharedStage,
};
use crate::build::BuildError;
use crate::build::event::Event;
use synix_core::request::Ending;
use synix_shared::{ClaimMode, Obtained, Published, SharedAnswers, SharedClaim, SharedError};
use synix_store::{LayerMode, RequestId, SharedOrigin, StoreError};

/// The result of an operation of the store.
#[derive(Debug)]
pub(super) enum Finished {
    LookedUp(Box<LookUp>, Result<Obtained, SharedError>),
    Published(RequestId, Result<Published, SharedError>),
    Released(RequestId, Result<(), SharedError>),
}

impl SharedStage<'_> {
    /// Starts operations until the limit is reached.
    pub(super) fn start(&mut self) -> Result<(), BuildError> {
        if self.is_away() {
            // They stay on record for a later command.
            for dropped in std::mem::take(&mut self.settlements) {
                self.settling.remove(&dropped.request);
            }
            let look_ups = std::mem::take(&mut self.look_ups);
            let sent = look_ups.iter().map(|look_up| &look_up.queued);
            self.keep_unclaimed(sent.map(|queued| (queued.key, queued.request)).collect())?;
            for look_up in look_ups {
                self.end_first(&look_up);
                self.granted.push((look_up.queued, look_up.mode));
            }
            return Ok(());
        }
        while self.in_flight < MAX_OPERATIONS {
            // Others wait for the answers.
            if let Some(settlement) = self.settlements.pop_front() {
                self.start_settlement(settlement);
            } else if let Some(look_up) = self.look_ups.pop_front() {
                self.start_look_up(look_up);
            } else {
                break;
            }
        }
        Ok(())
    }

    fn start_settlement(&mut self, settlement: Settlement) {
        self.begin();
        let (client, sender) = (self.client.clone(), self.sender.clone());
        tokio::spawn(async move {
            let Settlement {
                request,
                key,
                answer,
                claim,
            } = settlement;
            let finished = match (answer, claim) {
                (Some(answer), claim) => {
                    let published = client.publish(key, &answer, claim.as_ref()).await;
                    Finished::Published(request, published)
                }
                (None, Some(claim)) => Finished::Released(request, client.release(&claim).await),
                (None, None) => Finished::Released(request, Ok(())),
            };
            // The receiver is dropped only with the build; the row stays for a later command.
            let _ = sender.send(finished);
        });
    }

    fn start_look_up(&mut self, look_up: LookUp) {
        self.begin();
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

    fn end_first(&mut self, look_up: &LookUp) {
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
                Finished::Published(request, published) => self.on_published(request, published),
                Finished::Released(request, released) => {
                    self.settling.remove(&request);
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

    /// Writes what the results mean in one transaction, before anything is sent.
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
                    }
                    Finished::LookedUp(look_up, Ok(Obtained::Claimed(claim))) => {
                        let claim = serde_json::to_string(claim).unwrap_or_default();
                        let request = look_up.queued.request;
                        tx.keep_shared_request(request, self.build, &self.name, Some(&claim))?;
                    }
                    Finished::LookedUp(look_up, Err(_)) if !self.client.settings().read_only => {
                        let key = look_up.queued.key;
                        if !self.kept.contains_key(&key) {
                            let request = look_up.queued.request;
                            tx.keep_shared_request(request, self.build, &self.name, None)?;
                        }
                    }
                    Finished::Published(request, Ok(_)) | Finished::Released(request, Ok(())) => {
                        tx.forget_shared_request(*request)?;
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
                self.hold(look_up, &held_by);
                return;
            }
            Ok(Obtained::Held(_)) => return,
            Ok(Obtained::Claimed(claim)) => self.on_claimed(request, claim),
            Ok(Obtained::NotClaimed) => {}
            Err(error) => {
                self.on_error(&error);
                if !self.client.settings().read_only {
                    self.kept.entry(key).or_insert(Kept {
                        request,
                        claim: None,
                    });
                }
            }
        }
        self.granted.push((look_up.queued, look_up.mode));
    }

    fn on_claimed(&mut self, request: RequestId, claim: SharedClaim) {
        let key = claim.key;
        if claim.mode == ClaimMode::Call {
            self.guard.insert(claim.clone());
        }
        let kept = Kept {
            request,
            claim: Some(claim),
        };
        self.kept.insert(key, kept);
    }

    fn hold(&mut self, mut look_up: LookUp, held_by: &synix_shared::HeldBy) {
        self.report_waiting(held_by);
        let many = u32::try_from(self.held.len()).unwrap_or(u32::MAX);
        let pause = look_up.pause.max(PAUSE_PER_REQUEST.saturating_mul(many));
        look_up.pause = (look_up.pause * 2).min(LONGEST_PAUSE);
        look_up.is_first = false;
        look_up.known = None;
        let now = Instant::now();
        let due = now.checked_add(pause).unwrap_or(now);
        self.held.push(HeldRequest { look_up, due });
    }

    fn on_published(&mut self, request: RequestId, published: Result<Published, SharedError>) {
        self.settling.remove(&request);
        match published {
            Ok(Published::Double) => self.doubles += 1,
            Ok(Published::Published | Published::Damaged | Published::NotPublished) => {}
            Err(error) => self.on_error(&error),
        }
    }
}

/// Returns the answer, or a claim: a known one if it still holds.
async fn obtain(client: &SharedAnswers, look_up: &LookUp) -> Result<Obtained, SharedError> {
    let (key, accepts) = (look_up.queued.key, look_up.queued.accept_truncated);
    if let Some(claim) = &look_up.known
        && client.confirm(claim).await?
    {
        return Ok(Obtained::Claimed(claim.clone()));
    }
    let mode = match look_up.mode {
        LayerMode::Batch => ClaimMode::Batch,
        LayerMode::Sync => ClaimMode::Call,
    };
    let obtained = client.obtain(key, accepts, mode).await?;
    // The client promises it; an answer that the layer does not accept would be looked up forever.
    if let Obtained::Answered(found) = &obtained
        && found.answer.ending == Ending::Truncated
        && !accepts
    {
        return Ok(Obtained::NotClaimed);
    }
    Ok(obtained)
}
