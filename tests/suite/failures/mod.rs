//! Failed units: their kinds, the layers downstream of them, and answers that were paid for.

mod bad_answers;
mod downstream;
mod paid_failures;
mod repairs;
