//! Batch builds: nothing is paid twice and no paid answer is lost, whatever happens to a batch.

mod lost_creation;
mod message_batches;
mod polling;
mod resume;
mod rows;
mod sizes;
