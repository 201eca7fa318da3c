//! Measures many requests through batches: the memory, the time of each, and the sizes of the batches.

use std::time::Duration;

use synix_scripted_provider::{BatchSummary, Script};

use crate::child::ResourceUsage;
use crate::project::{Project, layer};
use crate::report::{row, seconds};
use crate::{Options, Outcome};

/// The second is 100 times the first: the time of each request should stay the same, and the memory almost.
const REQUESTS: [u32; 2] = [2_000, 200_000];

/// The number of requests that reach the provider's limit of 200 MB before that of 50,000 requests.
const LARGE: u32 = 1_500;
const LARGE_BYTES: usize = 150_000;

const RUN: [&str; 5] = ["batch-build", "run", "--poll", "--poll-interval", "1"];

pub(crate) fn run(options: &Options) -> Outcome<()> {
    println!("requests through OpenAI batches at a provider on loopback, no text repeated\n");
    let counts = options.units.map_or(REQUESTS.to_vec(), |units| vec![units]);
    warm_up(options)?;
    for count in counts {
        let project = project(options, count, small)?;
        let usage = project.run(&RUN)?;
        let again = project.run(&RUN)?;
        print(
            &format!("{count} requests"),
            count,
            &usage,
            &project.provider.ledger().batches,
        );
        row(
            "  again, nothing changed",
            &seconds(again.wall),
            &again.memory(),
        );
    }
    let project = project(options, LARGE, large)?;
    let usage = project.run(&RUN)?;
    let title = format!("{LARGE} requests of {} KB", LARGE_BYTES / 1000);
    print(&title, LARGE, &usage, &project.provider.ledger().batches);
    Ok(())
}

/// Compiles the transform and reads the tables of the tokenizer.
fn warm_up(options: &Options) -> Outcome<()> {
    project(options, 10, small)?.run(&RUN).map(drop)
}

fn print(title: &str, count: u32, usage: &ResourceUsage, batches: &[BatchSummary]) {
    row(title, &seconds(usage.wall), "with the waits between polls");
    row("  peak memory", &usage.memory(), "goal 300 MB");
    row(
        "  host time per request",
        &micros(usage.processor / count),
        "processor time",
    );
    for batch in batches {
        row(
            "  batch",
            &format!("{} requests", batch.rows),
            &format!("{} bytes", batch.bytes),
        );
    }
}

fn project(options: &Options, count: u32, text: fn(u32) -> String) -> Outcome<Project> {
    let documents = (0..count).map(|number| (format!("d{number:06}.txt"), text(number)));
    let project = Project::new(options, Script::new(), documents)?;
    project.pipeline("synix.toml", "", &layer("made", "docs", "Sum up:"))?;
    Ok(project)
}

fn small(number: u32) -> String {
    words(number, 40)
}

fn large(number: u32) -> String {
    let mut text = words(number, LARGE_BYTES / 6);
    text.truncate(LARGE_BYTES);
    text
}

/// Returns words in an order that no other document has.
fn words(number: u32, count: usize) -> String {
    let mut text = format!("Document {number}:");
    let mut word = u64::from(number);
    for _ in 0..count {
        word = word
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        text.push_str(&format!(" w{:05}", word >> 47));
    }
    text
}

fn micros(time: Duration) -> String {
    format!("{} µs", time.as_micros())
}
