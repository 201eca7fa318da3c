//! Runs a command and measures its time and memory.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Outcome;

/// Between two looks at a child's memory.
const LOOK: Duration = Duration::from_millis(2);

/// What a run took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spent {
    pub(crate) wall: Duration,
    /// Processor time, over all threads.
    pub(crate) processor: Duration,
    /// In KiB; `None` where the system does not tell.
    peak: Option<u64>,
}

impl Spent {
    /// Returns the run of median time; there is at least one.
    pub(crate) fn median(mut runs: Vec<Self>) -> Self {
        runs.sort_by_key(|run| run.wall);
        runs[runs.len() / 2]
    }

    pub(crate) fn memory(&self) -> String {
        self.peak.map_or_else(
            || "unknown".to_owned(),
            |kib| format!("{} MiB", kib.div_ceil(1024)),
        )
    }
}

/// Runs a command that must succeed; what it says goes to the file `talk`.
pub(crate) fn run(command: &mut Command, talk: &Path) -> Outcome<Spent> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(talk)?);
    let before = children_time()?;
    let start = Instant::now();
    let mut child = command.spawn()?;
    let status_file = format!("/proc/{}/status", child.id());
    let ended = AtomicBool::new(false);
    let (status, wall, peak) = thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut peak = None;
            while !ended.load(Ordering::Relaxed) {
                peak = high_water_mark(&status_file).or(peak);
                thread::sleep(LOOK);
            }
            peak
        });
        let status = child.wait();
        let wall = start.elapsed();
        ended.store(true, Ordering::Relaxed);
        (status, wall, watch.join().unwrap_or_default())
    });
    let status = status?;
    if !status.success() {
        let said = std::fs::read_to_string(talk)?;
        return Err(format!("{command:?} ended with {status}\n{said}").into());
    }
    Ok(Spent {
        wall,
        processor: children_time()?.saturating_sub(before),
        peak,
    })
}

/// Returns the processor time of all children that have ended; zero where the system does not tell.
fn children_time() -> Outcome<Duration> {
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else {
        return Ok(Duration::ZERO);
    };
    // The second field is a name, which may hold anything; the 16th and 17th are in hundredths of a second.
    let (_, fields) = stat
        .rsplit_once(')')
        .ok_or("/proc/self/stat without a name")?;
    let ticks = fields.split_whitespace().skip(13).take(2);
    let ticks = ticks.map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}

/// Returns the most memory that a process has held so far, which a process that has ended does not tell.
fn high_water_mark(status_file: &str) -> Option<u64> {
    let status = std::fs::read_to_string(status_file).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
