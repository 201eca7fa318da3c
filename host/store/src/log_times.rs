//! Where a page of a build's log lies in time. This module only reads, and owns no table.
//!
//! Nothing keeps the units and sends of a build in the order of time: an index would cost each build more than a log
//! costs the few who read it. SQLite finds the first thousands of them in one pass, because it keeps no others. For a
//! later page it would sort all of them, which took as long as reading them ten times. So the first pass then counts them
//! by the second, and the second pass sorts those of the seconds that the page lies in.

use std::collections::BTreeMap;

use serde_json::json;

use super::build::BuildId;
use super::log::LogPage;
use super::{Reader, StoreError};

const MILLISECONDS: u64 = 1000;

/// The end of the last page that is found without counting.
const MAX_UNCOUNTED: u64 = 20_000;

/// When units and sends of a build settled, and what became of its layers.
#[derive(Debug, Default)]
pub(super) struct LogTimes {
    /// The number of entries in each second.
    counts: BTreeMap<u64, u64>,
    /// By position.
    layers: BTreeMap<i64, LayerEnd>,
}

/// The part of a log that a page lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LogRange {
    /// The first and the last millisecond.
    pub(super) first: i64,
    pub(super) last: i64,
    /// How many entries of the range are before the page.
    pub(super) skipped: u64,
}

/// The end of a layer.
#[derive(Debug, Default)]
struct LayerEnd {
    settled: Option<u64>,
    done: u64,
    failed: u64,
}

impl LogRange {
    /// The whole log, or all of it from a time on.
    fn all(page: LogPage) -> Self {
        let since = page.since.map(|since| i64::try_from(since.0));
        Self {
            first: since.map_or(i64::MIN, |since| since.unwrap_or(i64::MAX)),
            last: i64::MAX,
            skipped: page.after,
        }
    }
}

impl LogTimes {
    fn count(&mut self, at: u64) {
        *self.counts.entry(at / MILLISECONDS).or_default() += 1;
    }

    /// Returns where a page lies; `None` if the log is shorter.
    pub(super) fn range(&self, page: LogPage) -> Option<LogRange> {
        let end = page.after.saturating_add(page.limit);
        let mut before: u64 = 0;
        let mut range: Option<LogRange> = None;
        for (second, count) in &self.counts {
            if before >= end {
                break;
            }
            let first = second.saturating_mul(MILLISECONDS);
            let last = first.saturating_add(MILLISECONDS - 1);
            let last = i64::try_from(last).unwrap_or(i64::MAX);
            let reached = before.saturating_add(*count);
            if reached > page.after {
                let range = range.get_or_insert_with(|| LogRange {
                    first: i64::try_from(first).unwrap_or(i64::MAX),
                    last,
                    skipped: page.after - before,
                });
                range.last = last;
            }
            before = reached;
        }
        range
    }

    /// Returns the ends of the layers as JSON, for a statement that orders them among the other entries.
    pub(super) fn layers(&self) -> String {
        let layers = self.layers.iter();
        let layers =
            layers.map(|(position, end)| json!([position, end.settled, end.done, end.failed]));
        serde_json::Value::Array(layers.collect()).to_string()
    }
}

impl Reader {
    /// Finds where a page lies in the log of a build, if it is not too long, and the ends of the build's layers. `few`
    /// selects the times of the entries that are neither units, sends nor layers.
    pub(super) fn log_times(
        &self,
        build: BuildId,
        page: LogPage,
        few: &str,
    ) -> Result<(Option<LogRange>, LogTimes), StoreError> {
        let mut times = LogTimes::default();
        if self.additions.trials {
            self.read_layer_ends(build, &mut times)?;
        }
        // What happened since a moment ago is little.
        if page.since.is_some() || page.after.saturating_add(page.limit) <= MAX_UNCOUNTED {
            return Ok((Some(LogRange::all(page)), times));
        }
        let (): () = self.query(few, [build.0], |row| {
            times.count(row.get("at")?);
            Ok(())
        })?;
        if self.additions.trials {
            self.count_units(build, &mut times)?;
            self.count_sends_and_layers(build, &mut times)?;
        }
        Ok((times.range(page), times))
    }

    fn read_layer_ends(&self, build: BuildId, times: &mut LogTimes) -> Result<(), StoreError> {
        self.query(
            "SELECT layer, max(settled) AS settled, count(*) FILTER (WHERE state = 1) AS done, \
             count(*) FILTER (WHERE state = 2) AS failed FROM build_unit WHERE build = ?1 GROUP BY layer",
            [build.0],
            |row| {
                let end = LayerEnd {
                    settled: row.get("settled")?,
                    done: row.get("done")?,
                    failed: row.get("failed")?,
                };
                times.layers.insert(row.get("layer")?, end);
                Ok(())
            },
        )
    }

    fn count_units(&self, build: BuildId, times: &mut LogTimes) -> Result<(), StoreError> {
        self.query(
            "SELECT settled FROM build_unit WHERE build = ?1 AND settled IS NOT NULL",
            [build.0],
            |row| {
                times.count(row.get(0)?);
                Ok(())
            },
        )
    }

    fn count_sends_and_layers(
        &self,
        build: BuildId,
        times: &mut LogTimes,
    ) -> Result<(), StoreError> {
        let (): () = self.query(
            "SELECT coalesce(settled, sent) FROM attempt WHERE build = ?1 AND coalesce(settled, sent) IS NOT NULL",
            [build.0],
            |row| {
                times.count(row.get(0)?);
                Ok(())
            },
        )?;
        let layers: Vec<(i64, u64)> = self.query(
            "SELECT l.position, b.opened FROM build_layer l JOIN build b ON b.id = l.build WHERE l.build = ?1",
            [build.0],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        for (position, opened) in layers {
            let end = times.layers.get(&position);
            times.count(end.and_then(|end| end.settled).unwrap_or(opened));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_lies_in_the_seconds_of_its_entries() {
        let mut times = LogTimes::default();
        for at in [1500, 1999, 3000, 3001, 3999, 9000] {
            times.count(at);
        }
        let page = |after, limit| LogPage {
            after,
            limit,
            since: None,
        };
        let range = |after, limit| times.range(page(after, limit));
        let of = |first, last, skipped| {
            Some(LogRange {
                first,
                last,
                skipped,
            })
        };
        assert_eq!(range(0, 1), of(1000, 1999, 0));
        assert_eq!(range(1, 1), of(1000, 1999, 1));
        assert_eq!(range(1, 2), of(1000, 3999, 1));
        assert_eq!(range(2, 3), of(3000, 3999, 0));
        assert_eq!(range(4, 9), of(3000, 9999, 2));
        assert_eq!(range(6, 1), None);
        assert_eq!(range(0, 0), None);
        assert_eq!(range(u64::MAX, u64::MAX), None);
        let far = page(6, 1);
        times.count(u64::MAX);
        assert_eq!(times.range(far), of(i64::MAX, i64::MAX, 0));
    }
}
