//! Reads the outcome of a chunk, and checks that it is the outcome of this chunk.

use super::Stop;
use super::error::OutcomeError;
use super::message::Message;
use synix_core::digest::Digest;
use synix_units::{ChunkOutcome, ObjectRef, UnitEnd, UnitReport, WireOutcome};

/// Why an outcome was not read.
pub(super) enum ReadError {
    /// Its object was not fetched.
    Stop(Stop),
    /// It cannot be used.
    Outcome(OutcomeError),
}

impl<E: Into<OutcomeError>> From<E> for ReadError {
    fn from(error: E) -> Self {
        Self::Outcome(error.into())
    }
}

/// Returns how each unit of a chunk ended; `fetch` reads the object of a large outcome.
pub(super) fn read(
    outcome: &[u8],
    (chunk, message): (Digest, &Message),
    fetch: impl FnOnce(ObjectRef) -> Result<Vec<u8>, Stop>,
) -> Result<Vec<UnitEnd>, ReadError> {
    let outcome = ChunkOutcome::decode(outcome)?;
    if outcome.chunk != chunk {
        return Err(ReadError::from(OutcomeError::OtherChunk {
            found: outcome.chunk,
            expected: chunk,
        }));
    }
    let reports = match outcome.units {
        WireOutcome::List(reports) => reports,
        WireOutcome::Object(object) => {
            if object.size > message.max_outcome_bytes {
                return Err(ReadError::from(OutcomeError::TooLarge {
                    bytes: object.size,
                    limit: message.max_outcome_bytes,
                }));
            }
            let bytes = fetch(object).map_err(ReadError::Stop)?;
            if ObjectRef::to(&bytes) != object {
                return Err(ReadError::from(OutcomeError::DamagedObject {
                    digest: object.digest,
                }));
            }
            ChunkOutcome::decode_list(&bytes)?
        }
    };
    check(&reports, &message.units)?;
    Ok(reports.into_iter().map(|report| report.end).collect())
}

/// Checks that the reports are about these units, and that at least one of them ran.
fn check(reports: &[UnitReport], units: &[Digest]) -> Result<(), OutcomeError> {
    if reports.len() != units.len() {
        return Err(OutcomeError::UnitCount {
            found: reports.len(),
            expected: units.len(),
        });
    }
    let mut pairs = reports.iter().zip(units);
    if let Some(position) = pairs.position(|(report, unit)| report.unit != *unit) {
        return Err(OutcomeError::OtherUnit { position });
    }
    if reports.iter().all(|report| report.end == UnitEnd::NotRun) {
        return Err(OutcomeError::NothingRan { units: units.len() });
    }
    Ok(())
}
