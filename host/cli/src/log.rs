//! What synix tells of its own work: to stderr, as `SYNIX_LOG` or `-v` says.
//!
//! Only synix itself is told, never a library below it: those write headers and bodies, and with them keys.

use std::io::{self, Write};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use synix_core::printable;
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, Metadata};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

use crate::failure::Usage;
use crate::io::Output;

/// The variable that says what is told.
pub(crate) const VARIABLE: &str = "SYNIX_LOG";

/// What is told: `debug`, or `info,synix_providers=trace`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    default: LevelFilter,
    /// Levels of single crates or modules; of several that fit, the longest.
    parts: Vec<(String, LevelFilter)>,
}

impl Filter {
    /// Returns what `-v` tells when it is given so many times.
    pub(crate) const fn of_verbosity(times: u8) -> Self {
        let default = match times {
            0 => LevelFilter::OFF,
            1 => LevelFilter::INFO,
            2 => LevelFilter::DEBUG,
            3.. => LevelFilter::TRACE,
        };
        Self {
            default,
            parts: Vec::new(),
        }
    }

    fn most(&self) -> LevelFilter {
        let parts = self.parts.iter().map(|(_, level)| *level);
        parts.fold(self.default, Ord::max)
    }

    fn admits(&self, event: &Metadata<'_>) -> bool {
        let target = event.target();
        if !is_within(target, "synix") && !target.starts_with("synix_") {
            return false;
        }
        let parts = self.parts.iter();
        let nearest = parts
            .filter(|(part, _)| is_within(target, part))
            .max_by_key(|(part, _)| part.len());
        *event.level() <= nearest.map_or(self.default, |(_, level)| *level)
    }

    /// Makes what takes events in and writes those that are told to `stderr`; `None` where nothing is.
    pub(crate) fn dispatch(self, stderr: &Arc<Mutex<Output>>) -> Option<Dispatch> {
        let most = self.most();
        if most == LevelFilter::OFF {
            return None;
        }
        let filter = tracing_subscriber::filter::filter_fn(move |event| self.admits(event));
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_timer(tracing_subscriber::fmt::time::uptime())
            .with_writer(Lines(Arc::clone(stderr)))
            .with_filter(filter.with_max_level_hint(most));
        Some(Dispatch::new(tracing_subscriber::registry().with(lines)))
    }
}

/// Says whether a module is another one or lies in it.
fn is_within(module: &str, above: &str) -> bool {
    let rest = module.strip_prefix(above);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

impl FromStr for Filter {
    type Err = Usage;

    fn from_str(text: &str) -> Result<Self, Usage> {
        let wrong = |part: &str| {
            Usage(format!(
                "{VARIABLE}: {part:?} is no level; write off, error, warn, info, debug or trace, or NAME=LEVEL for one crate, with commas between them"
            ))
        };
        let mut filter = Self::of_verbosity(0);
        let parts = text.split(',').map(str::trim);
        for part in parts.filter(|part| !part.is_empty()) {
            let (name, level) = part.split_once('=').unwrap_or(("", part));
            // Numbers and nothing at all would be levels, too.
            let is_word = !level.is_empty() && level.bytes().all(|one| one.is_ascii_alphabetic());
            let level: LevelFilter = level
                .parse()
                .ok()
                .filter(|_| is_word)
                .ok_or_else(|| wrong(part))?;
            if part.contains('=') {
                filter.parts.push((name.to_owned(), level));
            } else {
                filter.default = level;
            }
        }
        Ok(filter)
    }
}

/// Writes each event as lines that steer no terminal.
struct Lines(Arc<Mutex<Output>>);

impl MakeWriter<'_> for Lines {
    type Writer = Line;

    fn make_writer(&self) -> Line {
        Line {
            stderr: Arc::clone(&self.0),
            event: Vec::new(),
        }
    }
}

/// One event, which is written when it is whole.
struct Line {
    stderr: Arc<Mutex<Output>>,
    event: Vec<u8>,
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.event.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let event = String::from_utf8_lossy(&self.event);
        let line = printable::defuse_ci_commands(&printable::escape_line(event.trim_end())) + "\n";
        let stderr = self.stderr.lock();
        let writer = &mut stderr.unwrap_or_else(PoisonError::into_inner).writer;
        // Where nobody listens, nothing is lost.
        let _ = writer.write_all(line.as_bytes());
        let _ = writer.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(text: &str) -> Filter {
        text.parse().unwrap()
    }

    #[test]
    fn a_filter_is_a_level_and_levels_of_parts() {
        assert_eq!(filter("debug"), Filter::of_verbosity(2));
        assert_eq!(filter(""), Filter::of_verbosity(0));
        let mixed = filter("warn, synix_providers=trace,synix_engine::batch=off");
        assert_eq!(mixed.default, LevelFilter::WARN);
        assert_eq!(mixed.most(), LevelFilter::TRACE);
        assert_eq!(mixed.parts.len(), 2);
        for bad in ["loud", "3", "synix=", "info;debug"] {
            let wrong = bad.parse::<Filter>().unwrap_err().to_string();
            assert!(wrong.contains("SYNIX_LOG"), "{wrong}");
        }
    }

    #[test]
    fn a_module_lies_in_its_crate_and_in_no_namesake() {
        assert!(is_within("synix_engine::batch", "synix_engine"));
        assert!(is_within("synix", "synix"));
        assert!(!is_within("synix_engine_room", "synix_engine"));
    }
}
