//! Runs a command and measures its time and memory.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Outcome;

/// The time between two samples of a child's memory.
const LOOK: Duration = Duration::from_millis(2);

/// The time and memory of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResourceUsage {
    pub(crate) wall: Duration,
    /// The processor time of all threads.
    pub(crate) processor: Duration,
    /// The memory in KiB; `None` if the system does not report it.
    peak: Option<u64>,
}

impl ResourceUsage {
    /// Returns the run with the median time. There must be at least one.
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

/// Returns the measured command, with no environment but its folders and a key that no server checks.
///
/// All runs share the cache, so that no measured run compiles a transform. Without a folder for its configuration, the
/// command could not record that the state is its own, and would refuse it the next time.
pub(crate) fn synix(binary: &Path, arguments: &[&str], folder: &Path) -> Outcome<Command> {
    let mut command = Command::new(binary);
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("SYNIX_CACHE_DIR", crate::work_folder()?.join("cache"))
        .env("SYNIX_CONFIG_DIR", crate::work_folder()?.join("config"))
        .env("OPENAI_API_KEY", "none");
    Ok(command)
}

/// Runs a command that must succeed. Its stderr goes to the file `log`.
pub(crate) fn run(command: &mut Command, log: &Path) -> Outcome<ResourceUsage> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(log)?);
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
        let said = std::fs::read_to_string(log)?;
        return Err(format!("{command:?} ended with {status}\n{said}").into());
    }
    Ok(ResourceUsage {
        wall,
        processor: children_time()?.saturating_sub(before),
        peak,
    })
}

/// Returns the processor time of all children that have ended; 0 if the system does not report it.
fn children_time() -> Outcome<Duration> {
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else {
        return Ok(Duration::ZERO);
    };
    // The second field is a name with arbitrary characters. The 16th and 17th are in units of 10 ms.
    let (_, fields) = stat
        .rsplit_once(')')
        .ok_or("/proc/self/stat without a name")?;
    let ticks = fields.split_whitespace().skip(13).take(2);
    let ticks = ticks.map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}

/// Returns the peak memory of a process. The system no longer reports it once the process has ended.
fn high_water_mark(status_file: &str) -> Option<u64> {
    let status = std::fs::read_to_string(status_file).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
