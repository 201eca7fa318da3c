//! Logs the work of synix to stderr, as `SYNIX_LOG` or `-v` selects.
//!
//! Only events of synix itself are logged. Those of its libraries contain headers and bodies, and with them keys.

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

/// The variable that selects the events.
pub(crate) const VARIABLE: &str = "SYNIX_LOG";

/// Selects events: `debug`, or `info,synix_providers=trace`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    default: LevelFilter,
    /// The levels of crates and modules. The longest matching name applies.
    parts: Vec<(String, LevelFilter)>,
}

impl Filter {
    /// Returns the filter for this number of `-v` flags.
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

    fn max_level(&self) -> LevelFilter {
        let parts = self.parts.iter().map(|(_, level)| *level);
        parts.fold(self.default, Ord::max)
    }

    fn selects(&self, event: &Metadata<'_>) -> bool {
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

    /// Returns a dispatcher that writes the selected events to `stderr`; `None` if the filter selects none.
    pub(crate) fn dispatch(self, stderr: &Arc<Mutex<Output>>) -> Option<Dispatch> {
        let max_level = self.max_level();
        if max_level == LevelFilter::OFF {
            return None;
        }
        let filter = tracing_subscriber::filter::filter_fn(move |event| self.selects(event));
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_timer(tracing_subscriber::fmt::time::uptime())
            .with_writer(Lines(Arc::clone(stderr)))
            .with_filter(filter.with_max_level_hint(max_level));
        Some(Dispatch::new(tracing_subscriber::registry().with(lines)))
    }
}

/// Returns whether a module is `parent` or inside it.
fn is_within(module: &str, parent: &str) -> bool {
    let rest = module.strip_prefix(parent);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

impl FromStr for Filter {
    type Err = Usage;

    fn from_str(text: &str) -> Result<Self, Usage> {
        let invalid = |part: &str| {
            Usage(format!(
                "{VARIABLE}: {part:?} is not a level; write off, error, warn, info, debug or trace, or NAME=LEVEL for one crate, with commas between them"
            ))
        };
        let mut filter = Self::of_verbosity(0);
        let parts = text.split(',').map(str::trim);
        for part in parts.filter(|part| !part.is_empty()) {
            let (name, level) = part.split_once('=').unwrap_or(("", part));
            // The parser would also accept numbers and an empty text as levels.
            let is_word = !level.is_empty() && level.bytes().all(|one| one.is_ascii_alphabetic());
            let level: LevelFilter = level
                .parse()
                .ok()
                .filter(|_| is_word)
                .ok_or_else(|| invalid(part))?;
            if part.contains('=') {
                filter.parts.push((name.to_owned(), level));
            } else {
                filter.default = level;
            }
        }
        Ok(filter)
    }
}

/// Writes each event as a line without control characters.
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

/// An event that is written once it is complete.
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
        // An event that cannot be written is dropped.
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
    fn a_filter_has_a_default_level_and_levels_of_crates() {
        assert_eq!(filter("debug"), Filter::of_verbosity(2));
        assert_eq!(filter(""), Filter::of_verbosity(0));
        let mixed = filter("warn, synix_providers=trace,synix_engine::batch=off");
        assert_eq!(mixed.default, LevelFilter::WARN);
        assert_eq!(mixed.max_level(), LevelFilter::TRACE);
        assert_eq!(mixed.parts.len(), 2);
        for bad in ["loud", "3", "synix=", "info;debug"] {
            let wrong = bad.parse::<Filter>().unwrap_err().to_string();
            assert!(wrong.contains("SYNIX_LOG"), "{wrong}");
        }
    }

    #[test]
    fn a_module_is_in_its_crate_but_not_in_one_with_a_longer_name() {
        assert!(is_within("synix_engine::batch", "synix_engine"));
        assert!(is_within("synix", "synix"));
        assert!(!is_within("synix_engine_room", "synix_engine"));
    }
}
