//! How many units a layer may have and how many requests they may ask.
//!
//! What a plugin makes of a note is its own affair, and layers that take in each other's artifacts double them: without
//! a bound, one small file is enough for millions of units and as many paid requests. The default follows the sources, so
//! that a large build of many files is never asked about. All is counted before it is made or sent.

use std::collections::BTreeSet;
use std::fmt;

use super::layers::{ReadyBody, ReadyPipeline};

/// The default for a layer whatever its sources hold.
const FLOOR: u64 = 1000;
/// What each source artifact upstream of a layer adds to it.
const FOR_EACH_SOURCE: u64 = 1000;
/// So many bytes of these add one.
const BYTES: u64 = 64;
/// The default for all layers together, in defaults of one layer.
const LAYERS: u64 = 10;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// The units of a layer.
    Units,
    /// The requests that the units of a layer ask, those answered before included.
    Requests,
}

impl Counted {
    const fn key(self) -> &'static str {
        match self {
            Self::Units => "max_units",
            Self::Requests => "max_requests",
        }
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Units => "units",
            Self::Requests => "requests",
        })
    }
}

/// A layer, or the layers of a pipeline together, would have more than they may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excess {
    /// The layer that goes beyond the bound.
    pub layer: String,
    /// What is counted.
    pub counted: Counted,
    /// How many there would be; more may follow unless `is_all`.
    pub count: u64,
    /// Whether these are all.
    pub is_all: bool,
    /// How many there may be.
    pub most: u64,
    /// Whether the bound is that of all layers together.
    pub is_total: bool,
    /// Whether the pipeline file sets the bound.
    pub is_written: bool,
}

impl Excess {
    /// Says what to write where so many are wanted.
    pub fn hint(&self) -> String {
        let table = if self.is_total {
            "pipeline".to_owned()
        } else {
            format!("layers.{}", self.layer)
        };
        format!(
            "if you want so many, write `{} = {}` or more in [{table}]; what was answered is kept, and the next run goes on from there",
            self.counted.key(),
            self.count
        )
    }
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            layer,
            counted,
            count,
            most,
            ..
        } = self;
        let at_least = if self.is_all { "" } else { "at least " };
        match (self.is_total, counted) {
            (true, _) => write!(
                f,
                "with layer `{layer}` the pipeline would have {at_least}{count} {counted}"
            )?,
            (false, Counted::Units) => {
                write!(f, "layer `{layer}` would have {at_least}{count} units")?;
            }
            (false, Counted::Requests) => write!(
                f,
                "the units of layer `{layer}` would ask {at_least}{count} requests"
            )?,
        }
        let origin = if self.is_written {
            "the pipeline file allows"
        } else {
            "its sources allow by default"
        };
        write!(
            f,
            ", more than the {most} that {origin}; nothing beyond that was made or sent"
        )
    }
}

impl std::error::Error for Excess {}

/// A number that may be reached and not exceeded.
#[derive(Debug, Clone, Copy)]
struct Bound {
    most: u64,
    is_written: bool,
    count: u64,
}

impl Bound {
    const fn new(written: Option<u64>, default: u64) -> Self {
        let (most, is_written) = match written {
            Some(most) => (most, true),
            None => (default, false),
        };
        Self {
            most,
            is_written,
            count: 0,
        }
    }

    /// Adds to the count, or returns what it would be.
    const fn take(&mut self, more: u64) -> Result<(), u64> {
        let count = self.count.saturating_add(more);
        if count > self.most {
            return Err(count);
        }
        self.count = count;
        Ok(())
    }
}

/// What a source layer holds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Holdings {
    /// Its artifacts.
    pub(super) artifacts: u64,
    /// The bytes of its files.
    pub(super) bytes: u64,
}

/// The bounds of a pipeline's layers, and how much of them is used.
#[derive(Debug)]
pub(super) struct Bounds {
    /// Units and requests of each layer.
    layers: Vec<[Bound; 2]>,
    /// Those of all layers together.
    total: [Bound; 2],
}

impl Bounds {
    /// Sets the bounds of a pipeline whose layers, where they are sources, hold `holdings`.
    pub(super) fn new(pipeline: &ReadyPipeline, holdings: &[Holdings]) -> Self {
        let written_for_all = [pipeline.max_units, pipeline.max_requests];
        let default_of = |sources: &BTreeSet<usize>| {
            let held = sources.iter().filter_map(|source| holdings.get(*source));
            held.fold(FLOOR, |sum, held| {
                sum.saturating_add(held.artifacts.saturating_mul(FOR_EACH_SOURCE))
                    .saturating_add(held.bytes / BYTES)
            })
        };
        let mut sources_of: Vec<BTreeSet<usize>> = Vec::with_capacity(pipeline.layers.len());
        let mut layers = Vec::with_capacity(pipeline.layers.len());
        let mut own = [0_u64; 2];
        for (position, layer) in pipeline.layers.iter().enumerate() {
            let (sources, written) = match &layer.body {
                ReadyBody::Source { .. } => (BTreeSet::from([position]), [None, None]),
                ReadyBody::Transform(transform) => {
                    // Upstream layers come first.
                    let upstream = transform
                        .inputs
                        .iter()
                        .filter_map(|input| sources_of.get(*input));
                    let sources = upstream.flatten().copied().collect();
                    (sources, [transform.max_units, transform.max_requests])
                }
            };
            for (sum, written) in own.iter_mut().zip(written) {
                *sum = sum.saturating_add(written.unwrap_or(0));
            }
            let default = default_of(&sources);
            layers.push(std::array::from_fn(|at| {
                Bound::new(written[at].or(written_for_all[at]), default)
            }));
            sources_of.push(sources);
        }
        let all = (0..pipeline.layers.len()).collect();
        let default = default_of(&all).saturating_mul(LAYERS);
        let total = std::array::from_fn(|at| {
            // A layer that may have more makes room for it.
            Bound::new(written_for_all[at], default.saturating_add(own[at]))
        });
        Self { layers, total }
    }

    /// Returns how many more units a layer may have.
    pub(super) fn room_for_units(&self, layer: usize) -> u64 {
        let room = |bound: &Bound| bound.most.saturating_sub(bound.count);
        let own = self.layers.get(layer).map_or(0, |[units, _]| room(units));
        own.min(room(&self.total[0]))
    }

    /// Counts `more` of a layer, named `name`; `is_all` says that this is what the layer has in all.
    pub(super) fn take(
        &mut self,
        (layer, name): (usize, &str),
        counted: Counted,
        more: u64,
        is_all: bool,
    ) -> Result<(), Excess> {
        let at = match counted {
            Counted::Units => 0,
            Counted::Requests => 1,
        };
        let own = self
            .layers
            .get_mut(layer)
            .map(|bounds| (&mut bounds[at], false));
        for (bound, is_total) in own.into_iter().chain([(&mut self.total[at], true)]) {
            let Bound {
                most, is_written, ..
            } = *bound;
            bound.take(more).map_err(|count| Excess {
                layer: name.to_owned(),
                counted,
                count,
                is_all: is_all && !is_total,
                most,
                is_total,
                is_written,
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(default: u64, total: u64) -> Bounds {
        Bounds {
            layers: vec![[Bound::new(None, default); 2]; 2],
            total: [Bound::new(Some(total), 0); 2],
        }
    }

    #[test]
    fn a_bound_may_be_reached_and_not_exceeded() {
        let mut bounds = bounds(10, 100);
        let made = (0, "made");
        assert_eq!(bounds.take(made, Counted::Units, 10, true), Ok(()));
        assert_eq!(bounds.room_for_units(0), 0);
        let excess = bounds.take(made, Counted::Units, 1, false).unwrap_err();
        assert_eq!(
            (excess.count, excess.most, excess.is_total),
            (11, 10, false)
        );
        assert!(
            excess
                .hint()
                .contains("`max_units = 11` or more in [layers.made]")
        );
        // What is counted apart is bounded apart.
        assert_eq!(bounds.take(made, Counted::Requests, 10, false), Ok(()));
        assert_eq!(bounds.take((1, "other"), Counted::Units, 10, true), Ok(()));
    }

    #[test]
    fn all_layers_together_have_a_bound_of_their_own() {
        let mut bounds = bounds(10, 15);
        assert_eq!(bounds.take((0, "a"), Counted::Units, 10, true), Ok(()));
        assert_eq!(bounds.room_for_units(1), 5);
        let excess = bounds.take((1, "b"), Counted::Units, 6, true).unwrap_err();
        assert!(excess.is_total && excess.is_written && !excess.is_all);
        assert!(
            excess
                .hint()
                .contains("`max_units = 16` or more in [pipeline]")
        );
        assert_eq!(
            excess.to_string(),
            "with layer `b` the pipeline would have at least 16 units, more than the 15 that the pipeline file allows; \
             nothing beyond that was made or sent"
        );
    }

    #[test]
    fn a_count_never_wraps() {
        let mut bounds = bounds(10, 100);
        let excess = bounds.take((0, "a"), Counted::Requests, u64::MAX, true);
        assert!(excess.is_err());
        assert_eq!(bounds.take((0, "a"), Counted::Requests, 10, true), Ok(()));
    }
}
