//! Measures three layers whose batches take random times: in one build, and in a build for each layer.

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

const SEEDS: std::ops::RangeInclusive<u64> = 1..=10;

pub(crate) fn run(options: &Options) -> Outcome<()> {
    println!(
        "three layers of {DOCUMENTS} requests, ten batches each, a batch takes {} to {} ms\n",
        BATCH_MS[0], BATCH_MS[1]
    );
    let mut sums = [Duration::ZERO; 2];
    for seed in SEEDS {
        let together = time(options, seed, &["three.toml"])?;
        let apart = time(options, seed, &["one.toml", "two.toml", "three.toml"])?;
        sums[0] += together;
        sums[1] += apart;
        let ratio = together.as_secs_f64() / apart.as_secs_f64();
        row(&format!("seed {seed}: one build"), &seconds(together), "");
        row(
            "  a build for each layer",
            &seconds(apart),
            &format!("{ratio:.2} of it"),
        );
    }
    let [together, apart] = sums.map(|sum| sum.as_secs_f64());
    row(
        "all seeds",
        &format!("{together:.1} s"),
        &format!("{:.2} of {apart:.1} s", together / apart),
    );
    Ok(())
}

/// Runs pipelines one after the other in a new project.
fn time(options: &Options, seed: u64, files: &[&str]) -> Outcome<Duration> {
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
        layer("doubts", "claims", "Doubts of:"),
    ];
    for (file, count) in [("one.toml", 1), ("two.toml", 2), ("three.toml", 3)] {
        project.pipeline(file, BATCH_REQUESTS, &layers[..count].concat())?;
    }
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
