//! Finds the batches in a provider's list that may be the one whose create reply was lost.

use super::machine::{SearchResult, may_be_ours};
use super::{BatchContext, BatchError};
use synix_providers::{BatchState, BatchTraits};
use synix_store::{BatchOwner, Submission};

/// The search for the batch of a submission.
#[derive(Debug)]
pub(super) struct Recovery<'c> {
    pub(super) context: &'c BatchContext<'c>,
    pub(super) submission: &'c Submission,
    pub(super) traits: BatchTraits,
}

impl Recovery<'_> {
    /// Compares a list with the state: a batch that certainly belongs to another submission is not the lost one.
    pub(super) fn findings(&self, list: Vec<BatchState>) -> Result<SearchResult, BatchError> {
        let mut findings = SearchResult::default();
        for batch in list {
            if !may_be_ours(self.submission, &batch, self.traits) {
                continue;
            }
            match self.context.store.batch_owner(&batch.id)? {
                BatchOwner::Unknown => findings.candidates.push(batch),
                BatchOwner::Provisional => findings.adopted_by_others += 1,
                BatchOwner::Confirmed => {}
            }
        }
        Ok(findings)
    }
}
