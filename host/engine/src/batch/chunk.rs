//! How many requests go into one batch.

use crate::pending::PendingRequest;
use synix_store::RequestId;

/// The bytes around the lines if the provider takes them as one document.
const ENVELOPE_BYTES: u64 = 64;

/// The limits of a chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChunkLimits {
    pub(super) requests: usize,
    pub(super) bytes: u64,
    pub(super) tokens: u64,
}

/// How many requests of a list go into one chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChunkSize {
    pub(super) requests: usize,
    pub(super) tokens: u64,
}

/// The size of a request's line.
#[derive(Debug, Clone, Copy)]
pub(super) struct LineSize {
    pub(super) bytes: u64,
    pub(super) tokens: u64,
}

impl ChunkSize {
    /// Takes requests until the chunk is full, and always the first: the provider reports one that
    /// does not fit anywhere.
    pub(super) fn fit<E>(
        limits: ChunkLimits,
        sizes: impl Iterator<Item = Result<LineSize, E>>,
    ) -> Result<Self, E> {
        let mut chunk = Self {
            requests: 0,
            tokens: 0,
        };
        let mut bytes = ENVELOPE_BYTES;
        for size in sizes.take(limits.requests) {
            let size = size?;
            // A line feed, or a comma in one document.
            bytes += size.bytes + 1;
            let tokens = chunk.tokens + size.tokens;
            if chunk.requests > 0 && (bytes > limits.bytes || tokens > limits.tokens) {
                break;
            }
            chunk.requests += 1;
            chunk.tokens = tokens;
        }
        Ok(chunk)
    }
}

/// Requests for one batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk<'r> {
    pub(super) requests: &'r [PendingRequest<RequestId>],
    /// Their input tokens, as estimated.
    pub(super) tokens: u64,
    /// How often they were halved after a validation failure that named no line.
    pub(super) divided: u32,
}

impl<'r> Chunk<'r> {
    pub(super) const fn new(requests: &'r [PendingRequest<RequestId>], size: ChunkSize) -> Self {
        Self {
            requests,
            tokens: size.tokens,
            divided: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    const OPENAI: ChunkLimits = ChunkLimits {
        requests: 50_000,
        bytes: 200_000_000,
        tokens: u64::MAX,
    };

    fn chunk(limits: ChunkLimits, sizes: impl IntoIterator<Item = (u64, u64)>) -> ChunkSize {
        let sizes = sizes
            .into_iter()
            .map(|(bytes, tokens)| Ok::<_, Infallible>(LineSize { bytes, tokens }));
        let Ok(chunk) = ChunkSize::fit(limits, sizes);
        chunk
    }

    /// L11
    #[test]
    fn a_chunk_holds_fifty_thousand_requests_and_not_one_more() {
        let lines = std::iter::repeat_n((100, 1), 50_001);
        assert_eq!(chunk(OPENAI, lines.clone()).requests, 50_000);
        assert_eq!(chunk(OPENAI, lines.skip(1)).requests, 50_000);
    }

    /// L11
    #[test]
    fn a_chunk_holds_two_hundred_megabytes_and_not_one_byte_more() {
        let line = 1_000_000 - 1;
        let last = line - ENVELOPE_BYTES;
        let of = |last| {
            let lines = std::iter::repeat_n((line, 1), 199).chain([(last, 1)]);
            chunk(OPENAI, lines).requests
        };
        assert_eq!((of(last), of(last + 1)), (200, 199));
    }

    #[test]
    fn a_request_above_the_limit_is_sent_alone() {
        let alone = chunk(OPENAI, [(300_000_000, 1), (1, 1)]);
        assert_eq!(alone.requests, 1);
    }

    proptest! {
        /// L11: whatever the sizes, a chunk is within its limits, and the next request would not be.
        #[test]
        fn a_chunk_is_as_full_as_its_limits_allow(
            sizes in proptest::collection::vec((0_u64..400, 0_u64..400), 1..60),
            requests in 1_usize..40,
            bytes in 100_u64..4000,
            tokens in 0_u64..4000,
        ) {
            let limits = ChunkLimits { requests, bytes, tokens };
            let chunk = chunk(limits, sizes.iter().copied());
            let fits = |count: usize| {
                let taken = &sizes[..count];
                let bytes: u64 = taken.iter().map(|size| size.0 + 1).sum();
                let tokens: u64 = taken.iter().map(|size| size.1).sum();
                bytes + ENVELOPE_BYTES <= limits.bytes && tokens <= limits.tokens && count <= limits.requests
            };
            prop_assert!(chunk.requests == 1 || fits(chunk.requests));
            prop_assert!(chunk.requests == sizes.len() || !fits(chunk.requests + 1));
            let tokens: u64 = sizes[..chunk.requests].iter().map(|size| size.1).sum();
            prop_assert_eq!(chunk.tokens, tokens);
        }
    }
}
