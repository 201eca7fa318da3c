//! The arguments of a search, as an agent gives them.

use synix_mcp::SearchArguments;
use synix_search::{Mode, Search};

use crate::failure::Usage;

/// The number of results without and with a `limit`.
const RESULTS: usize = 10;
const MAX_RESULTS: usize = 100;

/// Converts the arguments to a search.
pub(super) fn wanted(arguments: &SearchArguments) -> Result<Search, Usage> {
    let mode = arguments.mode.as_deref().map(str::parse::<Mode>);
    Ok(Search {
        query: arguments.query.clone(),
        layers: arguments.layer.clone().into_iter().collect(),
        conditions: Vec::new(),
        mode: mode.transpose().map_err(|error| Usage(error.to_string()))?,
        limit: arguments.limit.unwrap_or(RESULTS).clamp(1, MAX_RESULTS),
    })
}
