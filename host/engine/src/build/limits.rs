//! Limits of the number of units and requests of each layer and of the whole pipeline.
//!
//! A plugin decides how many artifacts it makes of an input, and consecutive layers can multiply them: without
//! a limit, one small file is enough for millions of units and as many paid requests. The default follows the sources, so
//! that a large build of many files needs no setting. Units and requests are counted before they are created or sent.

use std::collections::BTreeSet;

use super::layers::ReadyPipeline;
use super::limit_excess::{LimitExcess, LimitKind};

/// The default limit of a layer, before its sources are counted.
const BASE_LIMIT: u64 = 1000;
/// What each source artifact upstream of a layer adds to its default.
const LIMIT_PER_SOURCE: u64 = 1000;
/// This number of bytes upstream adds one.
const SOURCE_BYTES_PER_ITEM: u64 = 64;
/// The default for all layers together, as a multiple of the default of one layer.
const TOTAL_FACTOR: u64 = 10;

/// A count and its limit, which may be reached but not exceeded.
#[derive(Debug, Clone, Copy)]
struct Limit {
    max: u64,
    is_configured: bool,
    count: u64,
}

impl Limit {
    const fn new(configured: Option<u64>, default: u64) -> Self {
        let (max, is_configured) = match configured {
            Some(max) => (max, true),
            None => (default, false),
        };
        Self {
            max,
            is_configured,
            count: 0,
        }
    }

    /// Adds to the count, or returns the count that would exceed the limit.
    const fn add(&mut self, more: u64) -> Result<(), u64> {
        let count = self.count.saturating_add(more);
        if count > self.max {
            return Err(count);
        }
        self.count = count;
        Ok(())
    }
}

/// The size of a source layer.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SourceSize {
    /// The number of its artifacts.
    pub(super) artifacts: u64,
    /// The bytes of its files.
    pub(super) bytes: u64,
}

/// The limits of a pipeline's layers, with the counts so far.
#[derive(Debug)]
pub(super) struct BuildLimits {
    /// The limits of units and of requests, by layer.
    layers: Vec<[Limit; 2]>,
    /// The limits of all layers together.
    total: [Limit; 2],
}

impl BuildLimits {
    /// Creates the limits of a pipeline; `source_size` has the sizes of its source layers.
    pub(super) fn new(pipeline: &ReadyPipeline, source_size: &[SourceSize]) -> Self {
        let pipeline_limits = [pipeline.max_units, pipeline.max_requests];
        let default_of = |sources: &BTreeSet<usize>| {
            let sizes = sources.iter().filter_map(|source| source_size.get(*source));
            sizes.fold(BASE_LIMIT, |sum, sizes| {
                sum.saturating_add(sizes.artifacts.saturating_mul(LIMIT_PER_SOURCE))
                    .saturating_add(sizes.bytes / SOURCE_BYTES_PER_ITEM)
            })
        };
        let mut sources_of: Vec<BTreeSet<usize>> = Vec::with_capacity(pipeline.layers.len());
        let mut layers = Vec::with_capacity(pipeline.layers.len());
        let mut own = [0_u64; 2];
        for (position, layer) in pipeline.layers.iter().enumerate() {
            let (sources, configured) = match layer.body.transform() {
                None => (BTreeSet::from([position]), [None, None]),
                Some(transform) => {
                    // Upstream layers come first.
                    let upstream = transform
                        .inputs
                        .iter()
                        .filter_map(|input| sources_of.get(*input));
                    let sources = upstream.flatten().copied().collect();
                    (sources, [transform.max_units, transform.max_requests])
                }
            };
            for (sum, configured) in own.iter_mut().zip(configured) {
                *sum = sum.saturating_add(configured.unwrap_or(0));
            }
            let default = default_of(&sources);
            layers.push(std::array::from_fn(|at| {
                Limit::new(configured[at].or(pipeline_limits[at]), default)
            }));
            sources_of.push(sources);
        }
        let all = (0..pipeline.layers.len()).collect();
        let default = default_of(&all).saturating_mul(TOTAL_FACTOR);
        let total = std::array::from_fn(|at| {
            // The limit that a layer sets raises the total.
            Limit::new(pipeline_limits[at], default.saturating_add(own[at]))
        });
        Self { layers, total }
    }

    /// Returns how many more units a layer may have.
    pub(super) fn remaining_units(&self, layer: usize) -> u64 {
        let room = |limit: &Limit| limit.max.saturating_sub(limit.count);
        let own = self.layers.get(layer).map_or(0, |[units, _]| room(units));
        own.min(room(&self.total[0]))
    }

    /// Counts `more` of a layer. `is_exact` means that these are all that the layer has.
    pub(super) fn add(
        &mut self,
        (layer, name): (usize, &str),
        kind: LimitKind,
        more: u64,
        is_exact: bool,
    ) -> Result<(), LimitExcess> {
        let at = match kind {
            LimitKind::Units => 0,
            LimitKind::Requests => 1,
        };
        let own = self
            .layers
            .get_mut(layer)
            .map(|limits| (&mut limits[at], false));
        for (limit, is_total) in own.into_iter().chain([(&mut self.total[at], true)]) {
            let Limit {
                max, is_configured, ..
            } = *limit;
            limit.add(more).map_err(|count| LimitExcess {
                layer: name.to_owned(),
                kind,
                count,
                is_exact: is_exact && !is_total,
                max,
                is_total,
                is_configured,
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(default: u64, total: u64) -> BuildLimits {
        BuildLimits {
            layers: vec![[Limit::new(None, default); 2]; 2],
            total: [Limit::new(Some(total), 0); 2],
        }
    }

    #[test]
    fn a_limit_may_be_reached_but_not_exceeded() {
        let mut limits = limits(10, 100);
        let made = (0, "made");
        assert_eq!(limits.add(made, LimitKind::Units, 10, true), Ok(()));
        assert_eq!(limits.remaining_units(0), 0);
        let excess = limits.add(made, LimitKind::Units, 1, false).unwrap_err();
        assert_eq!((excess.count, excess.max, excess.is_total), (11, 10, false));
        assert!(
            excess
                .hint()
                .contains("`max_units = 11` or more in [layers.made]")
        );
        // Units and requests have separate limits.
        assert_eq!(limits.add(made, LimitKind::Requests, 10, false), Ok(()));
        assert_eq!(limits.add((1, "other"), LimitKind::Units, 10, true), Ok(()));
    }

    #[test]
    fn all_layers_together_have_a_limit() {
        let mut limits = limits(10, 15);
        assert_eq!(limits.add((0, "a"), LimitKind::Units, 10, true), Ok(()));
        assert_eq!(limits.remaining_units(1), 5);
        let excess = limits.add((1, "b"), LimitKind::Units, 6, true).unwrap_err();
        assert!(excess.is_total && excess.is_configured && !excess.is_exact);
        assert!(
            excess
                .hint()
                .contains("`max_units = 16` or more in [pipeline]")
        );
        assert_eq!(
            excess.to_string(),
            "with layer `b` the pipeline would have at least 16 units, more than the 15 that the pipeline file allows; \
             nothing beyond that was created or sent"
        );
    }

    #[test]
    fn a_count_never_wraps() {
        let mut limits = limits(10, 100);
        let excess = limits.add((0, "a"), LimitKind::Requests, u64::MAX, true);
        assert!(excess.is_err());
        assert_eq!(limits.add((0, "a"), LimitKind::Requests, 10, true), Ok(()));
    }
}
