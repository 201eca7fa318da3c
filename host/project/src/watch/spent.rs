//! What the builds of a day have cost.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use synix_core::clock::Timestamp;
use synix_engine::view::BuildCost;
use synix_prices::{Amount, Prices};
use synix_store::{BuildId, Reader, StoreError};

use crate::context::ProjectContext;
use crate::{Options, ProjectError, prices};

/// The cost of a day in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaySpending {
    /// The cost of all builds of the project that were opened or closed on this day.
    pub spent: Amount,
    /// A build whose cost is unknown, if there is one.
    pub unknown: Option<BuildId>,
    /// When the day ends.
    pub end: Timestamp,
}

/// Adds up what the builds of a project have cost today.
///
/// A build over midnight counts on both days, because the state does not record when each request was paid for.
pub fn spent_today(options: &Options) -> Result<DaySpending, ProjectError> {
    let context = ProjectContext::find(options)?;
    let now = context.clock.now();
    let mut day = DaySpending {
        spent: Amount::ZERO,
        unknown: None,
        end: now.start_of_next_day(),
    };
    let reader = match Reader::open(&context.state()) {
        Err(StoreError::Absent { .. }) => return Ok(day),
        other => other?,
    };
    let start = now.start_of_day();
    let mut known: BTreeMap<String, Prices> = BTreeMap::new();
    for build in reader.builds(None)? {
        if build.opened < start && build.closed.is_none_or(|closed| closed < start) {
            continue;
        }
        // Prices are in the pipeline file, and a day may have hundreds of builds.
        let prices = match known.entry(build.pipeline) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(prices(options, &reader, Some(build.id))?),
        };
        let cost = BuildCost::of(&reader, build.id, prices)?;
        match cost.cost_usd {
            Some(cost) => day.spent += cost,
            None => day.unknown = Some(build.id),
        }
    }
    Ok(day)
}
