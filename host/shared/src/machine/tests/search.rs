//! Visits every reachable state of a model, and from each of them a continuation without faults.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use super::model::{Model, Setup};

/// What a search found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) states: usize,
    /// Transitions that sent a request again although its holder lives, but was paused for a lease.
    pub(super) beyond_leases: usize,
}

/// Of so many states, one is continued to its end.
const SAMPLE: usize = 16;

/// The longest way to the end without faults, in steps.
const MAX_STEPS: usize = 400;

pub(super) fn search(setup: &Setup) -> Result<Found, String> {
    let start = Model::new(setup).canonical();
    let mut seen = HashSet::from([digest(&start)]);
    let mut open = vec![start];
    let mut ends = HashSet::new();
    let (mut beyond_leases, mut visited) = (0, 0_usize);
    while let Some(model) = open.pop() {
        if visited % SAMPLE == 0 {
            check_end(&model, &mut ends)?;
        }
        visited += 1;
        for action in model.actions() {
            let mut next = model.clone();
            let sent_before = next.beyond_leases();
            next.apply(action)
                .map_err(|problem| format!("{problem}\nafter {action:?} in\n{model:#?}"))?;
            beyond_leases += usize::from(next.beyond_leases() > sent_before);
            let next = next.canonical();
            if seen.insert(digest(&next)) {
                open.push(next);
            }
        }
    }
    Ok(Found {
        states: seen.len(),
        beyond_leases,
    })
}

/// Continues without faults until every process that lives has ended. `ends` has the states from which that is known.
fn check_end(from: &Model, ends: &mut HashSet<u64>) -> Result<(), String> {
    let mut model = from.without_faults();
    let mut path = Vec::new();
    for _ in 0..MAX_STEPS {
        if model.is_over() || ends.contains(&digest(&model)) {
            ends.extend(path);
            return Ok(());
        }
        path.push(digest(&model));
        let action = model.fair_action();
        model
            .apply(action)
            .map_err(|problem| format!("{problem}\nafter {action:?} in\n{model:#?}"))?;
    }
    Err(format!("stuck in\n{model:#?}"))
}

/// Stands for a state, because ten million of them do not fit into memory. That two of so many have one digest is less
/// likely than one in 100,000.
fn digest(model: &Model) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(model)
}
