//! Claims that are found by their nonce: those of earlier commands, and those whose create call failed.

use super::Inner;
use super::claimant::Run;
use super::operations::Read;
use crate::documents::{ClaimIntent, ClaimMode, SharedClaim};
use crate::error::SharedError;
use crate::machine::Claimant;

/// The last claim on a request, for one who may have created it.
enum LastClaim {
    /// It is one of the intent, or of an earlier one.
    Own(SharedClaim),
    /// There is none, or its holder gave it up: this generation.
    Free(u64),
    /// Another holder has it, or it is unreadable, or its request was answered in the meantime.
    Other,
}

impl Inner {
    async fn last_claim(&self, intent: &ClaimIntent) -> Result<LastClaim, SharedError> {
        let key = intent.key;
        let Some((last, _)) = self.last_generation(key).await? else {
            return Ok(LastClaim::Free(0));
        };
        Ok(match self.read_claim(key, last).await? {
            Read::Found(document) if document.released => LastClaim::Free(last),
            Read::Found(document) if intent.covers(&document.nonce) => {
                LastClaim::Own(SharedClaim {
                    key,
                    generation: last,
                    holder: document.holder,
                    nonce: document.nonce,
                    mode: document.mode,
                })
            }
            Read::Found(_) | Read::Damaged | Read::Absent => LastClaim::Other,
        })
    }

    pub(super) async fn find_claim(
        &self,
        intent: &ClaimIntent,
    ) -> Result<Option<SharedClaim>, SharedError> {
        Ok(match self.last_claim(intent).await? {
            LastClaim::Own(claim) => Some(claim),
            LastClaim::Free(_) | LastClaim::Other => None,
        })
    }

    pub(super) async fn release_intent(&self, intent: &ClaimIntent) -> Result<bool, SharedError> {
        let claim = match self.last_claim(intent).await? {
            LastClaim::Own(claim) => claim,
            // Whoever published it has deleted the claims.
            LastClaim::Free(0) if self.is_answered(intent.key).await? => return Ok(true),
            // The create call of a killed process may arrive after this. It then finds that its generation exists.
            LastClaim::Free(last) => SharedClaim {
                key: intent.key,
                generation: last,
                holder: self.holder_id(),
                nonce: intent.nonce.clone(),
                mode: ClaimMode::Call,
            },
            // The killed process may have taken the other one for dead, and its create call may follow.
            LastClaim::Other => return Ok(false),
        };
        let claimant = Claimant::release(claim.generation);
        self.run(claimant, Run::release(&claim)).await?;
        Ok(true)
    }

    /// Remembers a claim that may be in the store although nobody will send for it.
    pub(super) fn remember_unsettled(&self, claim: &SharedClaim) {
        let until = self.clock.now() + 2 * self.settings.lease;
        let mut own = self.own_claims();
        own.granted.remove(&claim.key);
        own.unsettled.insert(claim.key, (claim.clone(), until));
    }

    /// Gives up claims that may be in the store although nobody will send for them: the reply to their create call was
    /// lost, or giving them up failed. A late call may still create one, so each is looked for during two leases.
    pub(super) async fn settle_claims(&self) {
        let claims: Vec<SharedClaim> = {
            let own = self.own_claims();
            own.unsettled
                .values()
                .map(|(claim, _)| claim.clone())
                .collect()
        };
        for claim in claims {
            let is_settled = self.settle_claim(&claim).await.unwrap_or(false);
            let mut own = self.own_claims();
            let now = self.clock.now();
            let is_over = own
                .unsettled
                .get(&claim.key)
                .is_some_and(|(kept, until)| kept == &claim && (is_settled || now > *until));
            if is_over {
                own.unsettled.remove(&claim.key);
            }
        }
    }

    /// Gives up an unsettled claim if it is the last one. Returns whether it was found.
    async fn settle_claim(&self, claim: &SharedClaim) -> Result<bool, SharedError> {
        let intent = ClaimIntent {
            key: claim.key,
            nonce: claim.nonce.clone(),
            earlier: Vec::new(),
        };
        let Some(found) = self.find_claim(&intent).await? else {
            return Ok(false);
        };
        // An obtain that began in the meantime uses the claim; it took it out of the unsettled ones.
        if !self.own_claims().unsettled.contains_key(&claim.key) {
            return Ok(false);
        }
        let claimant = Claimant::release(found.generation);
        self.run(claimant, Run::release(&found)).await?;
        Ok(true)
    }
}
