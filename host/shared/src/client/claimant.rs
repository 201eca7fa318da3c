//! Carries out the effects of one claimant, from the first to its end.

use synix_core::clock::Timestamp;
use synix_core::request::{Ending, RequestKey};

use super::operations::Read;
use super::{Inner, SEND_WITHIN};
use crate::documents::{ClaimDocument, ClaimMode, SharedAnswer, SharedClaim};
use crate::error::SharedError;
use crate::machine::{ClaimSeen, Claimant, Comparison, Effect, End, Event};
use crate::objects::Creation;

/// What a claimant works on, and what it found.
pub(super) struct Run {
    key: RequestKey,
    accept_truncated: bool,
    /// The claim that it creates; its generation is that of the last create call.
    pub(super) own: Option<SharedClaim>,
    /// The nonces of earlier intents of the project.
    earlier: Vec<String>,
    publication: Option<(Ending, Vec<u8>)>,
    pub(super) answer: Option<SharedAnswer>,
    listed: Option<(u64, Timestamp)>,
    pub(super) error: Option<SharedError>,
    /// Whether a create call may have been carried out although it failed.
    pub(super) is_doubtful: bool,
}

impl Run {
    pub(super) fn obtain(
        key: RequestKey,
        accept_truncated: bool,
        own: Option<SharedClaim>,
        earlier: Vec<String>,
    ) -> Self {
        Self {
            key,
            accept_truncated,
            own,
            earlier,
            publication: None,
            answer: None,
            listed: None,
            error: None,
            is_doubtful: false,
        }
    }

    pub(super) fn publish(
        key: RequestKey,
        ending: Ending,
        bytes: Vec<u8>,
        claim: Option<&SharedClaim>,
    ) -> Self {
        Self {
            publication: Some((ending, bytes)),
            ..Self::obtain(key, false, claim.cloned(), Vec::new())
        }
    }

    pub(super) fn release(claim: &SharedClaim) -> Self {
        Self::obtain(claim.key, false, Some(claim.clone()), Vec::new())
    }
}

impl Inner {
    /// Runs a claimant that publishes or releases.
    pub(super) async fn run(&self, claimant: Claimant, mut run: Run) -> Result<End, SharedError> {
        let end = self.drive(claimant, &mut run).await;
        if matches!(end, End::Failed | End::Inconsistent) {
            let error = run.error.take();
            return Err(error.unwrap_or_else(|| self.inconsistent(run.key)));
        }
        Ok(end)
    }

    pub(super) async fn drive(&self, claimant: Claimant, run: &mut Run) -> End {
        let (mut claimant, mut effect) = claimant.step(Event::Begun);
        loop {
            if let Effect::End(end) = effect {
                return end;
            }
            let event = match self.carry_out(effect, run).await {
                Ok(event) => event,
                Err(error) => {
                    run.error = Some(error);
                    Event::Failed
                }
            };
            (claimant, effect) = claimant.step(event);
        }
    }

    async fn carry_out(&self, effect: Effect, run: &mut Run) -> Result<Event, SharedError> {
        let key = run.key;
        Ok(match effect {
            Effect::ReadAnswer => {
                run.answer = self.read_answer(key, run.accept_truncated).await?;
                Event::AnswerRead(run.answer.as_ref().map(|found| found.answer.ending))
            }
            Effect::ListClaims => {
                run.listed = self.last_generation(key).await?;
                Event::Listed(run.listed.map(|(generation, _)| generation))
            }
            Effect::ReadClaim(generation) => self.see_claim(generation, run).await?,
            Effect::Judge(generation) => match self.observations.last_claim(key) {
                Some(claim) if claim.generation == generation => {
                    Event::Judged(self.judge(&claim).await?)
                }
                _ => return Err(self.inconsistent(key)),
            },
            Effect::CreateClaim(generation) => {
                let mut own = run.own.take().ok_or_else(|| self.inconsistent(key))?;
                own.generation = generation;
                let bytes = ClaimDocument::of(&own, false).to_bytes();
                let path = self.paths.claim(key, generation);
                run.own = Some(own);
                run.is_doubtful = true;
                let created = self.create(&path, bytes).await?;
                run.is_doubtful = created == Creation::Created;
                created_event(created)
            }
            Effect::CreateRelease(generation) => {
                let own = run.own.as_ref().ok_or_else(|| self.inconsistent(key))?;
                let bytes = ClaimDocument::of(own, true).to_bytes();
                let path = self.paths.claim(key, generation);
                self.own_claims().given_up.insert(key, generation - 1);
                created_event(self.create(&path, bytes).await?)
            }
            Effect::DeleteClaims(last) => {
                for generation in 1..=last {
                    self.delete(&self.paths.claim(key, generation)).await?;
                }
                Event::Deleted
            }
            Effect::CreateAnswer => {
                let (ending, bytes) = self.publication(run)?;
                let path = self.paths.answer(key, ending);
                created_event(self.create(&path, bytes).await?)
            }
            Effect::CompareAnswer => {
                let (ending, bytes) = self.publication(run)?;
                let read = self.read_answer_object(key, ending).await?;
                Event::Compared(match read {
                    Read::Absent => Comparison::Absent,
                    Read::Damaged => Comparison::Damaged,
                    Read::Found(other) if other.to_bytes(key).is_ok_and(|other| other == bytes) => {
                        Comparison::Same
                    }
                    Read::Found(_) => Comparison::Other,
                })
            }
            Effect::End(_) => Event::Failed,
        })
    }

    /// Returns the last generation of the claim on a request, and its time by the store's clock.
    pub(super) async fn last_generation(
        &self,
        key: RequestKey,
    ) -> Result<Option<(u64, Timestamp)>, SharedError> {
        let infos = self.list(&self.paths.claims(key)).await?;
        let parsed = infos.iter().filter_map(|info| {
            let (_, generation) = self.paths.parse_claim(&info.path)?;
            Some((generation, info.modified))
        });
        Ok(parsed.max_by_key(|(generation, _)| *generation))
    }

    fn publication(&self, run: &Run) -> Result<(Ending, Vec<u8>), SharedError> {
        let publication = run.publication.clone();
        publication.ok_or_else(|| self.inconsistent(run.key))
    }

    async fn see_claim(&self, generation: u64, run: &mut Run) -> Result<Event, SharedError> {
        let read = self.read_claim(run.key, generation).await?;
        let document = match read {
            Read::Absent => return Ok(Event::ClaimRead(ClaimSeen::Absent)),
            Read::Damaged => None,
            Read::Found(document) => Some(document),
        };
        let seen = document.as_ref().map_or(ClaimSeen::Other, |found| {
            self.classify(found, generation, run)
        });
        // What follows a claim that another holder gave up or that is ours is found without a memory of it.
        if seen == ClaimSeen::Other
            && let Some((last, modified)) = run.listed
            && last == generation
        {
            self.saw_claim(run.key, generation, modified, document);
        }
        Ok(Event::ClaimRead(seen))
    }

    fn classify(&self, document: &ClaimDocument, generation: u64, run: &mut Run) -> ClaimSeen {
        if document.released {
            return ClaimSeen::Released;
        }
        let Some(own) = &mut run.own else {
            return ClaimSeen::Other;
        };
        if document.nonce != own.nonce {
            // Its process is gone. Calls that give it up may still arrive, so it is replaced and never used.
            return if run.earlier.contains(&document.nonce) {
                ClaimSeen::OwnLost
            } else {
                ClaimSeen::Other
            };
        }
        own.generation = generation;
        let given_up = self.own_claims().given_up.get(&run.key).copied();
        // That of another holder has this nonce if a process uses the intent of another one: it would be used by both.
        let is_as_good = document.mode == own.mode
            && document.holder == own.holder
            && given_up.is_none_or(|last| last < generation)
            && match own.mode {
                ClaimMode::Call => true,
                // A batch that is created late would outlive an old claim.
                ClaimMode::Batch => run
                    .listed
                    .is_some_and(|(_, modified)| !self.is_older(modified, SEND_WITHIN)),
            };
        if is_as_good {
            run.is_doubtful = true;
            return ClaimSeen::Own;
        }
        ClaimSeen::OwnLost
    }
}

const fn created_event(creation: Creation) -> Event {
    match creation {
        Creation::Created => Event::Created,
        Creation::Exists => Event::Exists,
    }
}
