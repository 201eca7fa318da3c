//! The store, as each process sees it.

use synix_core::request::Ending;

use super::super::super::{ClaimSeen, Comparison, Effect, Event, Liveness, Observation};
use super::{Claim, Fault, HolderId, LEASE, Mode, Model, clock};

impl Model {
    pub(super) fn carry_out(
        &mut self,
        at: usize,
        holder: HolderId,
        effect: Effect,
        fault: Fault,
    ) -> Result<Event, String> {
        if fault == Fault::Late {
            self.send_late(holder, effect);
        }
        if matches!(fault, Fault::NotDone | Fault::Late) {
            return Ok(Event::Failed);
        }
        let event = match effect {
            Effect::ReadAnswer => Event::AnswerRead(self.answer.map(|_| Ending::Complete)),
            Effect::ReadClaim(generation) => Event::ClaimRead(self.read_claim(at, generation)),
            Effect::ListClaims => Event::Listed(self.claims.keys().last().copied()),
            Effect::CreateClaim(generation) | Effect::CreateRelease(generation) => {
                let is_released = matches!(effect, Effect::CreateRelease(_));
                if self.claims.contains_key(&generation) {
                    Event::Exists
                } else {
                    if !is_released {
                        self.took(at, generation)?;
                    }
                    let claim = Claim {
                        holder,
                        is_released,
                    };
                    self.claims.insert(generation, claim);
                    Event::Created
                }
            }
            Effect::Judge(_) => Event::Judged(self.judge(at)?),
            Effect::DeleteClaims(last) => {
                self.claims.retain(|generation, _| *generation > last);
                Event::Deleted
            }
            Effect::CreateAnswer => {
                if self.answer.is_some() {
                    Event::Exists
                } else {
                    self.answer = Some(at);
                    self.processes[at].has_published = true;
                    Event::Created
                }
            }
            Effect::CompareAnswer => Event::Compared(match self.answer {
                Some(other) if other == at => Comparison::Same,
                Some(_) => Comparison::Other,
                None => Comparison::Absent,
            }),
            Effect::End(_) => return Err("an effect after the end".to_owned()),
        };
        Ok(if fault == Fault::LostReply {
            Event::Failed
        } else {
            event
        })
    }

    fn read_claim(&mut self, at: usize, generation: u64) -> ClaimSeen {
        let now = self.now(at);
        let Some(claim) = self.claims.get(&generation) else {
            return ClaimSeen::Absent;
        };
        let process = &mut self.processes[at];
        if claim.is_released {
            ClaimSeen::Released
        } else if claim.holder.0 != at {
            if process.known.is_none_or(|(known, _)| known != generation) {
                process.known = Some((generation, now));
            }
            ClaimSeen::Other
        } else if claim.holder.1 == process.epoch || self.mode == Mode::BatchWithOneIntent {
            ClaimSeen::Own
        } else {
            ClaimSeen::OwnLost
        }
    }

    fn judge(&mut self, at: usize) -> Result<Liveness, String> {
        if self.mode != Mode::Call {
            return Ok(Liveness::Live);
        }
        let now = self.now(at);
        let process = &mut self.processes[at];
        let (generation, claim_seen) = process.known.ok_or("judged an unknown claim")?;
        // A claim that is gone was read before; its holder is known by then.
        let Some(claim) = self.claims.get(&generation) else {
            return Ok(Liveness::Live);
        };
        let newest = self.heartbeats.get(&claim.holder).copied();
        let (heartbeat, since) = *process.seen.entry(claim.holder).or_insert((newest, now));
        let mut seen = Observation::first(heartbeat, clock(since), clock(since));
        seen.add(newest, clock(now), clock(now));
        if heartbeat != newest {
            process.seen.insert(claim.holder, (newest, now));
        }
        Ok(if seen.is_dead(clock(claim_seen), clock(LEASE)) {
            Liveness::Dead
        } else {
            Liveness::Live
        })
    }
}
