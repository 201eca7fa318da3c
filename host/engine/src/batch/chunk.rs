//! From queued requests to claimed chunks and their input files.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::time::Instant;

use super::wave::{estimated_tokens, target_of};
use super::{BatchError, BatchRequest, Batches, DrivenSubmission, Target};
use synix_core::request::RequestKey;
use synix_providers::BatchTraits;
use synix_store::{Claim, RequestId, Submission, SubmissionId, SubmissionState, Terms};

/// What a chunk may hold.
#[derive(Debug, Clone, Copy)]
struct Room {
    requests: usize,
    bytes: u64,
    tokens: u64,
}

/// The first requests of a list that go into one chunk.
#[derive(Debug, Clone, Copy)]
struct Cut {
    requests: usize,
    tokens: u64,
}

/// What one request adds to a chunk.
#[derive(Debug, Clone, Copy)]
struct Size {
    bytes: u64,
    tokens: u64,
}

impl Cut {
    /// Takes requests as long as there is room, and always the first: what cannot fit anywhere is
    /// refused by the provider, in its own words.
    fn of<E>(room: Room, sizes: impl Iterator<Item = Result<Size, E>>) -> Result<Self, E> {
        let mut cut = Self {
            requests: 0,
            tokens: 0,
        };
        let mut bytes = ENVELOPE;
        for size in sizes.take(room.requests) {
            let size = size?;
            // A line feed, or a comma where the lines stand in one document.
            bytes += size.bytes + 1;
            let tokens = cut.tokens + size.tokens;
            if cut.requests > 0 && (bytes > room.bytes || tokens > room.tokens) {
                break;
            }
            cut.requests += 1;
            cut.tokens = tokens;
        }
        Ok(cut)
    }
}

impl Batches<'_> {
    /// Claims chunks of all that is queued and goes to `ready` layers, one model to a chunk.
    pub fn submit(&mut self, ready: &dyn Fn(usize) -> bool) -> Result<(), BatchError> {
        for (chunk, depth) in std::mem::take(&mut self.divided) {
            let tokens = self.tokens_of(&chunk)?;
            self.claim(&chunk, tokens, depth)?;
        }
        let (now, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.queue)
            .into_iter()
            .partition(|queued| ready(queued.layer));
        self.queue = later;
        for (target, mut group) in by_target(now) {
            // The order of rows must not depend on the order in which units happened to run.
            group.sort_by_key(|queued| queued.key);
            let mut rest = group.as_slice();
            while !rest.is_empty() {
                let cut = self.cut(&target, rest)?;
                let (chunk, after) = rest.split_at(cut.requests);
                rest = after;
                self.claim(chunk, cut.tokens, 0)?;
            }
        }
        Ok(())
    }

    /// Claims the chunks that are full already, whatever may still join the rest.
    pub fn submit_full(&mut self) -> Result<(), BatchError> {
        let smallest = self
            .providers
            .iter()
            .map(|(name, provider)| self.most_requests(name, &provider.batch_traits()))
            .min();
        if smallest.is_none_or(|smallest| self.queue.len() < smallest) {
            return Ok(());
        }
        for (target, mut group) in by_target(std::mem::take(&mut self.queue)) {
            let most = self.room(&target).requests;
            while group.len() >= most {
                let cut = self.cut(&target, &group)?;
                let chunk: Vec<BatchRequest> = group.drain(..cut.requests).collect();
                self.claim(&chunk, cut.tokens, 0)?;
            }
            self.queue.append(&mut group);
        }
        Ok(())
    }

    fn room(&self, target: &Target) -> Room {
        let traits = self
            .providers
            .get(&target.provider)
            .map(|provider| provider.batch_traits());
        Room {
            requests: traits
                .as_ref()
                .map_or(1, |traits| self.most_requests(&target.provider, traits)),
            bytes: traits.as_ref().map_or(0, |traits| traits.most_bytes),
            tokens: self.token_limit(target).unwrap_or(u64::MAX),
        }
    }

    fn most_requests(&self, provider: &str, traits: &BatchTraits) -> usize {
        let written = self.settings.batch_requests.get(provider);
        let written = written.and_then(|most| usize::try_from(*most).ok());
        written.map_or(traits.most_requests, |most| most.min(traits.most_requests))
    }

    fn cut(&self, target: &Target, queued: &[BatchRequest]) -> Result<Cut, BatchError> {
        let sizes = queued.iter().map(|queued| {
            let line = self.line_of(target, queued.request, &queued.key)?;
            Ok(Size {
                bytes: line.len() as u64,
                tokens: estimated_tokens(&line),
            })
        });
        Cut::of(self.room(target), sizes)
    }

    fn line_of(
        &self,
        target: &Target,
        request: RequestId,
        key: &RequestKey,
    ) -> Result<String, BatchError> {
        let request = self.store.request(request)?;
        let provider = self.providers.get(&target.provider);
        Ok(provider.map_or_else(String::new, |provider| provider.batch_line(&request, key)))
    }

    fn tokens_of(&self, chunk: &[BatchRequest]) -> Result<u64, BatchError> {
        chunk.iter().try_fold(0, |sum, queued| {
            let line = self.line_of(&queued.target, queued.request, &queued.key)?;
            Ok(sum + estimated_tokens(&line))
        })
    }

    /// Claims a chunk under a new submission. Nothing has left the machine yet.
    fn claim(
        &mut self,
        chunk: &[BatchRequest],
        tokens: u64,
        divided: u32,
    ) -> Result<(), BatchError> {
        let Some(first) = chunk.first() else {
            return Ok(());
        };
        let attempt = chunk
            .iter()
            .filter_map(|queued| self.wanted.get(&queued.key))
            .map(|wanted| wanted.sends + 1)
            .max();
        let now = self.clock.now();
        let mut submission = Submission {
            id: SubmissionId(0),
            token: new_token()?,
            build: self.build,
            layers: self.layer_names(chunk),
            provider: first.target.provider.clone(),
            model: first.target.model.clone(),
            attempt: attempt.unwrap_or(1),
            requests: 0,
            state: SubmissionState::Claimed,
            status: SubmissionState::Claimed.name().to_owned(),
            file: None,
            batch: None,
            provisional: false,
            newest: None,
            rejected: Vec::new(),
            divided,
            tokens,
            late: 0,
            note: None,
            opened: now,
            changed: now,
            on_record: None,
        };
        let store = self.store;
        let claims = store.write(|| -> Result<_, BatchError> {
            submission.id = store.open_submission(&submission)?;
            let mut claims = Vec::with_capacity(chunk.len());
            for queued in chunk {
                let terms = Terms {
                    accept_truncated: queued.accept_truncated,
                    retry: &self.settings.retry,
                };
                let claim = store.claim(
                    queued.request,
                    self.build,
                    self.layer_name(queued.layer),
                    Some(submission.id),
                    terms,
                )?;
                submission.requests += u64::from(matches!(claim, Claim::Granted(_)));
                claims.push(claim);
            }
            if submission.requests == 0 {
                // Every request was answered or in flight already.
                store.drop_submission(submission.id)?;
            } else {
                store.update_submission(&mut submission)?;
            }
            Ok(claims)
        })?;
        for (claim, queued) in claims.into_iter().zip(chunk) {
            match claim {
                Claim::Granted(_) => {
                    if let Some(wanted) = self.wanted.get_mut(&queued.key) {
                        wanted.sends += 1;
                    }
                }
                // Stays wanted: whoever has it in flight brings its answer.
                Claim::InFlight => self.elsewhere = true,
                Claim::Settled(settlement) => {
                    self.wanted.remove(&queued.key);
                    self.settled.push((queued.key, *settlement));
                }
            }
        }
        if submission.requests > 0 {
            let work = DrivenSubmission::new(submission, Instant::now());
            self.works.insert(work.submission.id, work);
        }
        Ok(())
    }

    fn layer_names(&self, chunk: &[BatchRequest]) -> String {
        let mut positions: Vec<usize> = chunk.iter().map(|queued| queued.layer).collect();
        positions.sort_unstable();
        positions.dedup();
        let names: Vec<&str> = positions
            .into_iter()
            .map(|position| self.layer_name(position))
            .collect();
        names.join(", ")
    }

    fn layer_name(&self, position: usize) -> &str {
        self.settings
            .layers
            .get(position)
            .map_or("", String::as_str)
    }

    /// Writes the input file of a submission: one line for each request it holds.
    pub(super) fn write_input(&self, submission: &Submission) -> Result<PathBuf, BatchError> {
        let path = self.input_file(submission)?;
        let target = target_of(submission);
        let failed = |source| BatchError::File {
            path: path.clone(),
            source,
        };
        let mut file = BufWriter::new(synix_disk::create_private(&path)?);
        self.store
            .each_open_request(submission.id, |open| -> Result<(), BatchError> {
                let line = self.line_of(&target, open.request, &open.key)?;
                writeln!(file, "{line}").map_err(failed)
            })?;
        file.flush().map_err(failed)?;
        Ok(path)
    }

    pub(super) fn input_file(&self, submission: &Submission) -> Result<PathBuf, BatchError> {
        Ok(self.store.batch_file(&submission.token, ".jsonl")?)
    }
}

/// What stands around the lines where they go as one document.
const ENVELOPE: u64 = 64;

fn by_target(queue: Vec<BatchRequest>) -> BTreeMap<Arc<Target>, Vec<BatchRequest>> {
    let mut groups: BTreeMap<Arc<Target>, Vec<BatchRequest>> = BTreeMap::new();
    for queued in queue {
        groups
            .entry(Arc::clone(&queued.target))
            .or_default()
            .push(queued);
    }
    groups
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    const OPENAI: Room = Room {
        requests: 50_000,
        bytes: 200_000_000,
        tokens: u64::MAX,
    };

    fn cut(room: Room, sizes: impl IntoIterator<Item = (u64, u64)>) -> Cut {
        let sizes = sizes
            .into_iter()
            .map(|(bytes, tokens)| Ok::<_, Infallible>(Size { bytes, tokens }));
        let Ok(cut) = Cut::of(room, sizes);
        cut
    }

    /// L11
    #[test]
    fn a_chunk_holds_fifty_thousand_requests_and_not_one_more() {
        let lines = std::iter::repeat_n((100, 1), 50_001);
        assert_eq!(cut(OPENAI, lines.clone()).requests, 50_000);
        assert_eq!(cut(OPENAI, lines.skip(1)).requests, 50_000);
    }

    /// L11
    #[test]
    fn a_chunk_holds_two_hundred_megabytes_and_not_one_byte_more() {
        let line = 1_000_000 - 1;
        let last = line - ENVELOPE;
        let of = |last| {
            let lines = std::iter::repeat_n((line, 1), 199).chain([(last, 1)]);
            cut(OPENAI, lines).requests
        };
        assert_eq!((of(last), of(last + 1)), (200, 199));
    }

    #[test]
    fn what_fits_nowhere_goes_alone() {
        let alone = cut(OPENAI, [(300_000_000, 1), (1, 1)]);
        assert_eq!(alone.requests, 1);
    }

    proptest! {
        /// L11: whatever the sizes, a chunk is within its room, and the next request would not be.
        #[test]
        fn a_chunk_is_as_full_as_its_room_allows(
            sizes in proptest::collection::vec((0_u64..400, 0_u64..400), 1..60),
            requests in 1_usize..40,
            bytes in 100_u64..4000,
            tokens in 0_u64..4000,
        ) {
            let room = Room { requests, bytes, tokens };
            let cut = cut(room, sizes.iter().copied());
            let fits = |count: usize| {
                let taken = &sizes[..count];
                let bytes: u64 = taken.iter().map(|size| size.0 + 1).sum();
                let tokens: u64 = taken.iter().map(|size| size.1).sum();
                bytes + ENVELOPE <= room.bytes && tokens <= room.tokens && count <= room.requests
            };
            prop_assert!(cut.requests == 1 || fits(cut.requests));
            prop_assert!(cut.requests == sizes.len() || !fits(cut.requests + 1));
            let tokens: u64 = sizes[..cut.requests].iter().map(|size| size.1).sum();
            prop_assert_eq!(cut.tokens, tokens);
        }
    }
}
