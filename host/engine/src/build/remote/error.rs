//! What can be wrong with the outcome of a chunk.

use synix_core::digest::Digest;
use synix_sandbox::Unacceptable;
use synix_units::DocumentError;

/// An outcome cannot be used. A worker is not trusted more than a guest, so nothing of it is recorded.
#[derive(Debug, thiserror::Error)]
pub enum OutcomeError {
    /// The document is malformed.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// It is the outcome of another chunk.
    #[error("it is the outcome of the chunk {}, and not of {}", .found.short(), .expected.short())]
    OtherChunk {
        /// The chunk of the outcome.
        found: Digest,
        /// The chunk that was sent.
        expected: Digest,
    },
    /// It has fewer or more units than the chunk.
    #[error("it has {found} units, and the chunk has {expected}")]
    UnitCount {
        /// The number of its units.
        found: usize,
        /// The number of units of the chunk.
        expected: usize,
    },
    /// It has the outcome of another unit.
    #[error("its unit {position}, counted from 0, is another one than that of the chunk")]
    OtherUnit {
        /// The position in the chunk.
        position: usize,
    },
    /// No unit of the chunk ran.
    #[error("the worker ran none of the {units} units")]
    NothingRan {
        /// The number of units of the chunk.
        units: usize,
    },
    /// It is an object that is larger than the outcome of these units can be.
    #[error("it has {bytes} bytes, and the units can make at most {limit}")]
    TooLarge {
        /// The size of the object.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// It is an object that does not have its digest or size.
    #[error("the object {} is damaged", .digest.short())]
    DamagedObject {
        /// The digest that it should have.
        digest: Digest,
    },
    /// Something in the outcome of a unit could not come from a guest.
    #[error("unit {key:?} of layer `{layer}`")]
    Unit {
        /// The layer.
        layer: String,
        /// The key of the unit.
        key: String,
        /// What is wrong with it.
        #[source]
        source: Box<UnitOutcomeError>,
    },
}

/// What is wrong with the outcome of one unit.
#[derive(Debug, thiserror::Error)]
pub enum UnitOutcomeError {
    /// A part of it is malformed.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The sandbox would have refused it.
    #[error(transparent)]
    Unacceptable(#[from] Unacceptable),
    /// There is no such level of log lines.
    #[error("the log level {0:?} does not exist")]
    Level(String),
    /// The message of a failure is too long.
    #[error("the message of its failure has {0} bytes")]
    Message(usize),
    /// A round that the chunk does not have.
    #[error("round {round} differs from that of the chunk, which has {count} rounds")]
    Round {
        /// The number of the round, from 0.
        round: usize,
        /// The number of rounds that the chunk has.
        count: usize,
    },
}
