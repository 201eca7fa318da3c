//! What a build did and when, in the order of time. This module reads several tables, and owns none.
//!
//! A build may have a million requests, so a page of entries is read at a time. A state of an early format has no
//! times of units and sends, and its log has neither.

use rusqlite::{Row, params};

use super::attempt_state::AttemptState;
use super::build::BuildId;
use super::{Reader, StoreError};
use synix_core::clock::Timestamp;
use synix_core::digest::Digest;
use synix_core::request::{RequestKey, Usage};

/// Which entries of a log are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogPage {
    /// How many of the oldest entries are left out.
    pub after: u64,
    /// The maximum number of entries.
    pub limit: u64,
    /// Entries of an earlier time are left out, and `after` does not count them. `None`: all of them are there.
    pub since: Option<Timestamp>,
}

/// An entry of the log of a build.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub record: LogRecord,
}

/// What happened in a build.
#[derive(Debug, Clone, PartialEq)]
pub enum LogRecord {
    /// The build was opened.
    Opened,
    /// It was resumed, interrupted, stopped by an error, or cancelled.
    Step {
        /// The name of the step.
        name: String,
    },
    /// A submission entered a state.
    Submission {
        /// The layers whose requests it contains, joined by `, `.
        layers: String,
        /// The provider's name in the pipeline file.
        provider: String,
        /// The model of every row.
        model: String,
        /// The number of its requests.
        requests: u64,
        /// The state.
        state: String,
        /// The id of the batch at the provider, once there is one.
        batch: Option<String>,
    },
    /// A send settled, or is in flight.
    Send {
        /// The layer of the request; empty if it was not recorded.
        layer: String,
        /// The provider's name in the pipeline file.
        provider: String,
        /// The model.
        model: String,
        /// The key of the request.
        key: RequestKey,
        /// The id of the batch that contains it, if it is not a sync call.
        batch: Option<String>,
        /// Whether it is in flight, or how it ended.
        outcome: SendOutcome,
        /// When it was recorded, right before it was sent.
        sent: Option<Timestamp>,
        /// The usage that the provider reported.
        usage: Usage,
    },
    /// A unit has its outputs, failed, or was held back.
    Unit {
        /// Its layer.
        layer: String,
        /// Its key.
        key: String,
        /// When it was first recorded.
        started: Option<Timestamp>,
        /// The kind and message of its failure.
        failure: Option<(String, String)>,
    },
    /// The last unit of a layer settled.
    Layer {
        /// Its name.
        name: String,
        /// `sync` or `batch`, if it asks anything.
        mode: Option<String>,
        /// The number of its fresh units.
        fresh: u64,
        /// Units that have their outputs.
        done: u64,
        /// Units that failed or were held back.
        failed: u64,
    },
    /// The build was closed.
    Closed,
}

/// How a send ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// It is in flight.
    Open,
    /// It was answered.
    Answered,
    /// It failed, for this reason.
    Failed {
        /// The kind of failure.
        kind: String,
        /// The message of the provider.
        message: String,
    },
    /// The reply was lost.
    Unclear,
}

/// The columns of every part: when, the order of parts, numbers, texts, and the usage of a send.
const ENTRIES: &str = "
SELECT opened AS at, 0 AS part, 0 AS id, NULL AS a, NULL AS b, NULL AS c, NULL AS d, NULL AS e,
       NULL AS m, NULL AS n, NULL AS o
FROM build WHERE id = ?1
UNION ALL
SELECT x.at, 2, x.id, x.state, s.layers, s.provider, s.model, x.batch, s.requests, NULL, NULL
FROM submission s JOIN submission_step x ON x.submission = s.id WHERE s.build = ?1
UNION ALL
SELECT closed, 9, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM build WHERE id = ?1 AND closed IS NOT NULL";

/// The steps that only a database with times has.
const STEPS: &str = "
UNION ALL
SELECT at, 1, id, step, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM build_step WHERE build = ?1";

/// The other parts that only such a database has. Those of a large build are many, so only those between two times are
/// read. The ends of the layers are known.
const TIMED_ENTRIES: &str = "
UNION ALL
SELECT coalesce(settled, sent), 3, id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM attempt WHERE build = ?1 AND coalesce(settled, sent) BETWEEN ?2 AND ?3
UNION ALL
SELECT settled, 4, layer, key, kind, message, NULL, NULL, started, state, NULL
FROM build_unit WHERE build = ?1 AND settled BETWEEN ?2 AND ?3
UNION ALL
SELECT coalesce(value ->> 1, b.opened), 5, position, name, mode, NULL, NULL, NULL, fresh, coalesce(value ->> 2, 0),
       coalesce(value ->> 3, 0)
FROM build_layer l JOIN build b ON b.id = l.build LEFT JOIN json_each(?6) ON value ->> 0 = l.position
WHERE l.build = ?1";

impl Reader {
    /// Returns entries of the log of a build, the oldest first. It reads all of them once or twice, and keeps those of
    /// the page and the seconds around it. Call it in [`Reader::unchanged`] if the build may go on.
    pub fn log(&self, build: BuildId, page: LogPage) -> Result<Vec<LogEntry>, StoreError> {
        let is_timed = self.additions.trials;
        let few = format!("{ENTRIES}{}", if is_timed { STEPS } else { "" });
        let (range, times) = self.log_times(build, page, &few)?;
        let Some(range) = range else {
            return Ok(Vec::new());
        };
        let timed = if is_timed { TIMED_ENTRIES } else { "" };
        let statement = format!(
            "SELECT * FROM ({few}{timed}) WHERE at BETWEEN ?2 AND ?3 AND ?6 IS NOT NULL
             ORDER BY at, part, id, a LIMIT ?4 OFFSET ?5"
        );
        let layers = self.build_layers(build)?;
        let layer_name = |position: i64| {
            let mut layers = layers.iter();
            let layer = layers.find(|layer| i64::try_from(layer.position) == Ok(position));
            layer.map_or_else(String::new, |layer| layer.name.clone())
        };
        // A page is cut before the texts of its sends are read.
        let rows: Vec<(Timestamp, Entry)> = self.query(
            &statement,
            params![
                build.0,
                range.first,
                range.last,
                page.limit,
                range.skipped,
                times.layers()
            ],
            |row| Ok((Timestamp(row.get(0)?), Entry::read(row, layer_name)?)),
        )?;
        let mut entries = Vec::with_capacity(rows.len());
        for (at, entry) in rows {
            let record = match entry {
                Entry::Record(record) => *record,
                Entry::Attempt(id) => self.logged_send(id)?,
            };
            entries.push(LogEntry { at, record });
        }
        Ok(entries)
    }

    fn logged_send(&self, attempt: i64) -> Result<LogRecord, StoreError> {
        self.query_row(
            "SELECT t.layer, r.provider, r.model, r.key, s.batch, t.state, n.kind, n.message, t.sent,
                    t.input_tokens, t.cached_tokens, t.cache_write_tokens, t.output_tokens, t.reasoning_tokens, t.uncounted
             FROM attempt t JOIN request r ON r.id = t.request
             LEFT JOIN submission s ON s.id = t.submission
             LEFT JOIN attempt_note n ON n.attempt = t.id WHERE t.id = ?1",
            [attempt],
            |row| {
                Ok(LogRecord::Send {
                    layer: row.get(0)?,
                    provider: row.get(1)?,
                    model: row.get(2)?,
                    key: RequestKey(Digest::from_bytes(row.get(3)?)),
                    batch: row.get(4)?,
                    outcome: match row.get(5)? {
                        AttemptState::InFlight => SendOutcome::Open,
                        AttemptState::Answered => SendOutcome::Answered,
                        AttemptState::Failed => SendOutcome::Failed {
                            kind: row.get::<_, Option<String>>(6)?.unwrap_or_default(),
                            message: row.get::<_, Option<String>>(7)?.unwrap_or_default(),
                        },
                        AttemptState::Unclear => SendOutcome::Unclear,
                    },
                    sent: row.get::<_, Option<u64>>(8)?.map(Timestamp),
                    usage: usage(row, 9)?,
                })
            },
        )
    }
}

/// Reads the six columns of a usage from `first` on.
pub(super) fn usage(row: &Row<'_>, first: usize) -> rusqlite::Result<Usage> {
    Ok(Usage {
        input_tokens: row.get(first)?,
        cached_tokens: row.get(first + 1)?,
        cache_write_tokens: row.get(first + 2)?,
        output_tokens: row.get(first + 3)?,
        reasoning_tokens: row.get(first + 4)?,
        uncounted: row.get(first + 5)?,
    })
}

/// A row of the log before the rest of it is read.
enum Entry {
    Record(Box<LogRecord>),
    /// The attempt with this number.
    Attempt(i64),
}

impl Entry {
    fn read(row: &Row<'_>, layer_name: impl Fn(i64) -> String) -> rusqlite::Result<Self> {
        let part: i64 = row.get("part")?;
        Ok(Self::Record(Box::new(match part {
            0 => LogRecord::Opened,
            1 => LogRecord::Step {
                name: row.get("a")?,
            },
            2 => LogRecord::Submission {
                state: row.get("a")?,
                layers: row.get("b")?,
                provider: row.get("c")?,
                model: row.get("d")?,
                batch: row.get("e")?,
                requests: row.get("m")?,
            },
            3 => return Ok(Self::Attempt(row.get("id")?)),
            4 => {
                let kind: Option<String> = row.get("b")?;
                let message: Option<String> = row.get("c")?;
                LogRecord::Unit {
                    layer: layer_name(row.get("id")?),
                    key: row.get("a")?,
                    started: row.get::<_, Option<u64>>("m")?.map(Timestamp),
                    failure: kind.zip(message),
                }
            }
            5 => LogRecord::Layer {
                name: row.get("a")?,
                mode: row.get("b")?,
                fresh: row.get("m")?,
                done: row.get("n")?,
                failed: row.get("o")?,
            },
            _ => LogRecord::Closed,
        })))
    }
}
