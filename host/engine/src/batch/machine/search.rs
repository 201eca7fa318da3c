//! After a lost create reply: searches again, adopts a batch, or creates another one.

use std::time::Duration;

use super::{CancelSource, Cancellation, DrivenSubmission, Effect, Facts, Transition, end};
use crate::batch::error::BatchError;
use crate::batch::{BatchEvent, LostCreatePolicy};
use synix_providers::{BatchState, BatchTraits, Phase, ProviderError};
use synix_store::Submission;

/// The maximum number of create calls for a submission in one command. Each follows searches that found nothing.
const MAX_CREATES: u32 = 3;

/// The result of a search through the provider's list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::batch) struct SearchResult {
    /// Batches that may be the lost one and that belong to no submission.
    pub(in crate::batch) candidates: Vec<BatchState>,
    /// Batches that another submission adopted and may have to reject.
    pub(in crate::batch) adopted_by_others: usize,
}

/// How synix recognizes the batch of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::batch) enum Recognition {
    Token,
    InputFile,
    Rows,
}

impl Recognition {
    fn of(submission: &Submission, traits: BatchTraits) -> Self {
        if traits.carries_token {
            Self::Token
        } else if submission.file.is_some() {
            Self::InputFile
        } else {
            Self::Rows
        }
    }
}

/// Returns whether a batch may be the lost one of the submission.
pub(in crate::batch) fn may_be_ours(
    submission: &Submission,
    batch: &BatchState,
    traits: BatchTraits,
) -> bool {
    if batch.phase == Phase::Failed || submission.rejected.contains(&batch.id) {
        return false;
    }
    let is_of_our_file = submission.file.is_some() && batch.input_file == submission.file;
    match Recognition::of(submission, traits) {
        // If the server lost the token, the uploaded file still identifies the batch: it is ours alone.
        Recognition::Token => {
            let token = batch.token.as_deref();
            token.is_some_and(|token| token.eq_ignore_ascii_case(&submission.token))
                || is_of_our_file
        }
        Recognition::InputFile => is_of_our_file,
        Recognition::Rows => {
            // A provider may count only at the end.
            let total = batch.counts.as_ref().map_or(0, |counts| counts.total);
            total == 0 || total == submission.requests
        }
    }
}

impl Transition {
    pub(super) fn on_search_ended(
        self,
        ended: Result<SearchResult, ProviderError>,
        facts: &Facts<'_>,
    ) -> Self {
        match ended {
            Ok(findings) => self.on_findings(findings, facts),
            Err(error) => self.on_list_unread(error, facts),
        }
    }

    fn on_findings(mut self, findings: SearchResult, facts: &Facts<'_>) -> Self {
        let policy = &facts.settings.lost_create;
        let mut candidates = findings.candidates;
        if candidates.is_empty()
            && findings.adopted_by_others > 0
            && *policy != LostCreatePolicy::CreateAgain
        {
            let note = "waits for the rows of a batch that may be the lost one";
            self.next.submission.note = Some(note.to_owned());
            return self.with_record().back_off(facts);
        }
        let submission = &self.next.submission;
        retain_decided(&mut candidates, policy);
        retain_token_matches(&mut candidates, &submission.token);
        if candidates.len() > 1 {
            let error = BatchError::Ambiguous {
                provider: submission.provider.clone(),
                requests: submission.requests,
                candidates: candidates.into_iter().map(|batch| batch.id).collect(),
            };
            return self.with_effect(Effect::EndCommand(error));
        }
        let recognition = Recognition::of(submission, facts.traits);
        match candidates.pop() {
            Some(batch) => self.adopt(&batch, recognition, facts),
            None => self.on_nothing_found(facts),
        }
    }

    /// Continues without a list. That proves nothing, so nothing is created unless the user says so.
    fn on_list_unread(mut self, error: ProviderError, facts: &Facts<'_>) -> Self {
        match &facts.settings.lost_create {
            LostCreatePolicy::CreateAgain => return self.on_nothing_found(facts),
            // Its rows will show whether it is ours.
            LostCreatePolicy::Adopt(id) => {
                let batch = BatchState::from_id(id.clone());
                return self.adopt(&batch, Recognition::Rows, facts);
            }
            LostCreatePolicy::Ask => {}
        }
        let DrivenSubmission {
            submission,
            progress,
        } = &mut self.next;
        submission.note = Some("it is not known yet whether it was created".to_owned());
        let (provider, requests) = (&submission.provider, submission.requests);
        let message = format!("cannot read the list of batches at {provider}: {error}");
        let pause = facts.search_pause(submission, progress.searches);
        let noted = self.report_failed_call(message).with_record();
        if !matches!(error, ProviderError::EndlessList { .. }) {
            return noted.back_off(facts);
        }
        // A list that is only late shows more at the next search.
        if pause.is_some() {
            return noted.search_after(pause);
        }
        let error = BatchError::CreateOutcomeUnknown { requests, error };
        noted.with_effect(Effect::EndCommand(error))
    }

    fn adopt(mut self, batch: &BatchState, by: Recognition, facts: &Facts<'_>) -> Self {
        let DrivenSubmission {
            submission,
            progress,
        } = &mut self.next;
        let event = BatchEvent::Adopted {
            batch: batch.id.clone(),
            provider: submission.provider.clone(),
            requests: submission.requests,
        };
        if facts.cancel_source != CancelSource::None
            && progress.cancellation == Cancellation::NotWanted
        {
            progress.cancellation = Cancellation::Wanted;
        }
        self.go_live(batch, by).with_report(event).due_now()
    }

    fn on_nothing_found(mut self, facts: &Facts<'_>) -> Self {
        let DrivenSubmission {
            submission,
            progress,
        } = &mut self.next;
        let pause = facts.search_pause(submission, progress.searches);
        if pause.is_some() && facts.settings.lost_create != LostCreatePolicy::CreateAgain {
            return self.search_after(pause);
        }
        if facts.cancel_source != CancelSource::None {
            return self.abandon(end::cancelled_before_send());
        }
        if progress.creates < MAX_CREATES {
            return self.start_over().due_now();
        }
        // The submission stays unclear: the next command searches again before it creates a batch.
        (progress.creates, progress.searches) = (0, 0);
        let provider = &submission.provider;
        let message = format!("{MAX_CREATES} create calls at {provider} had no clear reply");
        self.with_report(BatchEvent::CallFailed { message })
            .back_off(facts)
    }

    fn search_after(mut self, pause: Option<Duration>) -> Self {
        self.next.progress.searches += 1;
        self.due_after(pause)
    }
}

impl Facts<'_> {
    /// Returns the pause before the next search; `None` after the last one.
    fn search_pause(&self, submission: &Submission, searches: usize) -> Option<Duration> {
        let pauses = self.settings.search_pauses.get(&submission.provider)?;
        pauses.get(searches).copied()
    }
}

/// Keeps the candidates that the user's decision allows.
fn retain_decided(candidates: &mut Vec<BatchState>, policy: &LostCreatePolicy) {
    match policy {
        LostCreatePolicy::Ask => {}
        LostCreatePolicy::Adopt(id) => {
            if candidates.iter().any(|batch| batch.id == *id) {
                candidates.retain(|batch| batch.id == *id);
            }
        }
        LostCreatePolicy::CreateAgain => candidates.clear(),
    }
}

/// Of several batches created from one file, keeps the one with the token of this create call.
fn retain_token_matches(candidates: &mut Vec<BatchState>, token: &str) {
    let is_named = |batch: &BatchState| batch.token.as_deref() == Some(token);
    if candidates.len() > 1 && candidates.iter().any(is_named) {
        candidates.retain(is_named);
    }
}
