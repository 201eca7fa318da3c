//! From queued requests to claimed chunks and their input files.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::{BatchError, Batches, Queued};
use crate::llm::batch_line;
use crate::request::{FailureKind, Outcome};
use crate::store::{Claim, Realm, Submission, SubmissionId, SubmissionState};

/// Requests in one file, at most.
const MOST_REQUESTS: usize = 50_000;

/// Bytes in one file, at most: OpenAI's 200 MB with room to spare.
const MOST_BYTES: usize = 190_000_000;

impl Batches<'_> {
    /// Sends everything that is queued: one model to a file, chunked by count and bytes.
    pub async fn submit(&mut self) -> Result<(), BatchError> {
        let mut groups: BTreeMap<(String, String), Vec<Queued>> = BTreeMap::new();
        for queued in std::mem::take(&mut self.queue) {
            groups
                .entry((queued.provider.clone(), queued.model.clone()))
                .or_default()
                .push(queued);
        }
        for (_, mut group) in groups {
            // The order of rows must not depend on the order in which units happened to run.
            group.sort_by_key(|queued| queued.key);
            let mut rest = group.as_slice();
            while !rest.is_empty() {
                let (chunk, after) = rest.split_at(self.chunk_length(rest)?);
                rest = after;
                if let Some(mut submission) = self.claim(chunk)? {
                    let Some(provider) = self.providers.get(&submission.provider).cloned() else {
                        continue;
                    };
                    self.bring_to_life(&mut submission, &provider).await?;
                }
            }
        }
        Ok(())
    }

    fn chunk_length(&self, queued: &[Queued]) -> Result<usize, BatchError> {
        let mut bytes = 0;
        for (position, queued) in queued.iter().enumerate().take(MOST_REQUESTS) {
            bytes += batch_line(&self.store.request(queued.request)?, &queued.key).len() + 1;
            if bytes > MOST_BYTES && position > 0 {
                return Ok(position);
            }
        }
        Ok(queued.len().min(MOST_REQUESTS))
    }

    /// Claims a chunk under a new submission. Nothing has left the machine yet.
    fn claim(&mut self, chunk: &[Queued]) -> Result<Option<Submission>, BatchError> {
        let Some(first) = chunk.first() else {
            return Ok(None);
        };
        let mut layers: Vec<&str> = chunk
            .iter()
            .filter_map(|queued| self.settings.layers.get(queued.layer).map(String::as_str))
            .collect();
        layers.sort_unstable();
        layers.dedup();
        let now = self.clock.now();
        let attempt = chunk
            .iter()
            .filter_map(|queued| self.wanted.get(&queued.key))
            .map(|(_, sends)| sends + 1)
            .max();
        let mut submission = Submission {
            id: SubmissionId(0),
            token: new_token()?,
            build: self.build,
            layers: layers.join(", "),
            provider: first.provider.clone(),
            model: first.model.clone(),
            attempt: attempt.unwrap_or(1),
            requests: 0,
            state: SubmissionState::Claimed,
            status: SubmissionState::Claimed.name().to_owned(),
            file: None,
            batch: None,
            late: 0,
            note: None,
            opened: now,
            changed: now,
        };
        let store = self.store;
        let claims = store.write(|| -> Result<_, BatchError> {
            submission.id = store.open_submission(&submission)?;
            let mut claims = Vec::with_capacity(chunk.len());
            for queued in chunk {
                let claim = store.claim(
                    queued.request,
                    self.build,
                    self.settings
                        .layers
                        .get(queued.layer)
                        .map_or("", String::as_str),
                    Some(submission.id),
                    queued.accept_truncated,
                )?;
                submission.requests += u64::from(matches!(claim, Claim::Granted(_)));
                claims.push(claim);
            }
            if submission.requests == 0 {
                // Every request was answered or in flight already.
                store.drop_submission(submission.id)?;
            } else {
                store.update_submission(&submission)?;
            }
            Ok(claims)
        })?;
        for (claim, queued) in claims.into_iter().zip(chunk) {
            match claim {
                Claim::Granted(_) => {
                    if let Some((_, sends)) = self.wanted.get_mut(&queued.key) {
                        *sends += 1;
                    }
                }
                // Stays wanted: whoever has it in flight brings its answer.
                Claim::InFlight => {}
                Claim::Answered(answer) => {
                    self.wanted.remove(&queued.key);
                    self.settled.push((queued.key, Outcome::Answered(*answer)));
                }
            }
        }
        Ok((submission.requests > 0).then_some(submission))
    }

    /// Takes up again what somebody else had in flight and does no more.
    pub(super) fn claim_again(&mut self) -> Result<(), BatchError> {
        let mut free = Vec::new();
        let mut answered = Vec::new();
        let queued_already: HashSet<_> = self.queue.iter().map(|queued| queued.key).collect();
        for (queued, _) in self.wanted.values() {
            if queued_already.contains(&queued.key) {
                continue;
            }
            // What is in flight may be asked again after an answer that would not do.
            if self.store.in_flight(queued.request)?.is_some() {
                continue;
            }
            match self
                .store
                .answer_to(queued.request, Realm::Live, queued.accept_truncated)?
            {
                Some(answer) => answered.push((queued.key, answer)),
                None => free.push(queued.clone()),
            }
        }
        for (key, answer) in answered {
            self.wanted.remove(&key);
            self.settled.push((key, Outcome::Answered(answer)));
        }
        for queued in free {
            self.queue_again(queued);
        }
        Ok(())
    }

    /// Puts a request into the next batch, unless it had its attempts.
    pub(super) fn queue_again(&mut self, queued: Queued) {
        let sends = self.wanted.get(&queued.key).map_or(0, |(_, sends)| *sends);
        if sends < self.settings.attempts {
            self.queue.push(queued);
            return;
        }
        self.wanted.remove(&queued.key);
        let words = match self.store.last_failure(queued.request) {
            Ok(Some((_, message))) => message,
            _ => "no answer".to_owned(),
        };
        let message = format!("{words} (after {sends} attempts)");
        self.settled.push((
            queued.key,
            Outcome::Failed(super::failure(FailureKind::Provider, message, true)),
        ));
    }

    /// Writes the input file of a submission: one line for each request it holds.
    pub(super) fn write_input(&self, submission: &Submission) -> Result<PathBuf, BatchError> {
        let path = self
            .store
            .batch_folder()?
            .join(format!("{}.jsonl", submission.token));
        let failed = |source| BatchError::File {
            path: path.clone(),
            source,
        };
        let mut file = BufWriter::new(File::create(&path).map_err(failed)?);
        self.store
            .each_open_request(submission.id, |open| -> Result<(), BatchError> {
                let line = batch_line(&self.store.request(open.request)?, &open.key);
                writeln!(file, "{line}").map_err(failed)
            })?;
        file.flush().map_err(failed)?;
        Ok(path)
    }
}

/// Removes a file that has served; one that stays is only clutter.
pub(super) fn discard(path: &Path) {
    let _ = std::fs::remove_file(path);
}

/// Returns a name that no other submission has.
pub(super) fn new_token() -> Result<String, BatchError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|_| BatchError::NoToken)?;
    Ok(format!(
        "synix-{}",
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    ))
}
