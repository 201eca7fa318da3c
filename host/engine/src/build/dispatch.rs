//! Dispatches runnable units to the threads of the pool, in chunks.

use std::sync::Arc;

use super::answerer::Answerer;
use super::layer_run::Unit;
use super::pool::Pool;
use super::scheduler::{Scheduler, SchedulerContext, unit_at};
use super::unit::Job;

/// The maximum number of units that are handed to a thread at a time. A chunk's results share one durable
/// transaction; a short queue is distributed evenly instead.
const CHUNK: usize = 512;

/// The maximum number of inputs of the units in a chunk, unless its first unit has more.
const CHUNK_INPUTS: usize = 16 * 1024;

impl<A: Answerer> Scheduler<'_, A> {
    /// Sends chunks of runnable units until the pool is full.
    pub(super) fn dispatch(&mut self, pool: &mut Pool) {
        while pool.has_capacity() && !self.runnable.is_empty() {
            let most = self.runnable.len().div_ceil(pool.capacity()).min(CHUNK);
            let (mut take, mut inputs) = (0, 0);
            for unit in self.runnable.iter().take(most) {
                inputs += unit_at(&self.units, *unit).spec.inputs.len();
                if take > 0 && inputs > CHUNK_INPUTS {
                    break;
                }
                take += 1;
            }
            let chunk: Vec<Job> = self
                .runnable
                .drain(..take)
                .map(|unit| job(&self.context, unit_at(&self.units, unit), unit))
                .collect();
            pool.send(chunk);
        }
    }
}

fn job(context: &SchedulerContext<'_>, unit: &Unit, number: usize) -> Job {
    let Some(transform) = context.pipeline.layers[unit.layer].body.transform() else {
        unreachable!("only transforms have units that run")
    };
    Job {
        unit: number,
        layer: unit.layer,
        transform: Arc::clone(transform),
        spec: Arc::clone(&unit.spec),
        inputs: unit
            .inputs()
            .map(|input| (input.location.clone(), input.digest))
            .collect(),
        transcript: unit.transcript.clone(),
    }
}
