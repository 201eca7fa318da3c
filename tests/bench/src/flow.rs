//! Measures three layers whose batches take random times: in one build, and in a build for each layer.
//!
//! The floor is the critical path of the one build: the document whose batches, one after the other, take longest.

use std::collections::BTreeMap;
use std::time::Duration;

use synix_scripted_provider::{Pace, Script};

use crate::project::{Project, layer};
use crate::report::{row, seconds};
use crate::{Options, Outcome};

const DOCUMENTS: u32 = 60;

/// The number of requests in each layer: 10 batches.
const BATCH_REQUESTS: &str = "batch_requests = 6";

/// The minimum and maximum time of a batch in milliseconds.
const BATCH_MS: [u64; 2] = [200, 4_000];

/// Pipeline files with one, two and three layers.
const FILES: [&str; 3] = ["one.toml", "two.toml", "three.toml"];
const LAST_LAYER: &str = "doubts";

const SEEDS: std::ops::RangeInclusive<u64> = 1..=10;

pub(crate) fn run(options: &Options) -> Outcome<()> {
    println!(
        "three layers of {DOCUMENTS} requests, ten batches each, a batch takes {} to {} ms\n",
        BATCH_MS[0], BATCH_MS[1]
    );
    let mut sums = Times::default();
    for seed in SEEDS {
        let project = project(options, seed)?;
        let together = time(&project, &["three.toml"])?;
        let floor = critical_path(&project)?;
        let apart = time(&self::project(options, seed)?, &FILES)?;
        let times = Times {
            together,
            floor,
            apart,
        };
        times.print(&format!("seed {seed}"));
        sums.together += together;
        sums.floor += floor;
        sums.apart += apart;
    }
    sums.print("all seeds");
    Ok(())
}

/// The times of one seed, or their sums.
#[derive(Default)]
struct Times {
    together: Duration,
    floor: Duration,
    apart: Duration,
}

impl Times {
    fn print(&self, title: &str) {
        let ratio = |other: Duration| self.together.as_secs_f64() / other.as_secs_f64();
        row(&format!("{title}: one build"), &seconds(self.together), "");
        let floor = format!("{:.2} of it", ratio(self.floor));
        row("  critical path", &seconds(self.floor), &floor);
        let apart = format!("{:.2} of it", ratio(self.apart));
        row("  a build for each layer", &seconds(self.apart), &apart);
    }
}

/// Returns the longest time that the batches of one document take, one after the other.
fn critical_path(project: &Project) -> Outcome<Duration> {
    let batches = project.provider.ledger().batches;
    let times: BTreeMap<&str, u64> = batches
        .iter()
        .map(|batch| (&*batch.id, batch.takes_ms))
        .collect();
    let pipeline = ["--pipeline", FILES[FILES.len() - 1]];
    let list = project.document(&[&["list", LAST_LAYER][..], &pipeline].concat())?;
    let artifacts = list["artifacts"].as_array().ok_or("no artifacts")?;
    let mut longest = 0;
    for artifact in artifacts {
        let id = artifact["id"].as_str().ok_or("an artifact without an id")?;
        let lineage = project.document(&[&["lineage", id][..], &pipeline].concat())?;
        let nodes = lineage["nodes"].as_array().ok_or("no nodes")?;
        let batches = nodes.iter().filter_map(|node| node["batch"].as_str());
        longest = longest.max(batches.filter_map(|batch| times.get(batch)).sum());
    }
    if longest == 0 {
        return Err("no document has a batch".into());
    }
    Ok(Duration::from_millis(longest))
}

/// Creates a project with a pipeline file of one, of two and of three layers.
fn project(options: &Options, seed: u64) -> Outcome<Project> {
    let pace = Pace {
        latency_ms: Some(BATCH_MS),
        ..Pace::default()
    };
    let documents =
        (0..DOCUMENTS).map(|number| (format!("d{number:02}.txt"), format!("Note {number}.")));
    let project = Project::new(options, Script::new().batches(pace).seed(seed), documents)?;
    let layers = [
        layer("facts", "docs", "Facts of:"),
        layer("claims", "facts", "Claims of:"),
        layer(LAST_LAYER, "claims", "Doubts of:"),
    ];
    for (file, count) in FILES.iter().zip(1..) {
        project.pipeline(file, BATCH_REQUESTS, &layers[..count].concat())?;
    }
    Ok(project)
}

/// Runs pipelines one after the other.
fn time(project: &Project, files: &[&str]) -> Outcome<Duration> {
    files.iter().try_fold(Duration::ZERO, |sum, file| {
        let run = [
            "batch-build",
            "run",
            *file,
            "--poll",
            "--poll-interval",
            "0.05",
        ];
        Ok(sum + project.run(&run)?.wall)
    })
}
