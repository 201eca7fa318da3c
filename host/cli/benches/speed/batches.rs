//! Many requests through batches: memory, time for each, and where the batches are cut.

use std::time::Duration;

use synix_scripted_provider::{BatchSummary, Script};

use crate::child::Spent;
use crate::project::{Project, layer};
use crate::report::{row, seconds};
use crate::{Options, Outcome};

/// The second is a hundred times the first: time for each should stay, and memory nearly.
const REQUESTS: [u32; 2] = [2_000, 200_000];

/// Requests that reach the provider's limit of 200 MB before the one of 50,000.
const LARGE: u32 = 1_500;
const LARGE_BYTES: usize = 150_000;

const RUN: [&str; 5] = ["batch-build", "run", "--poll", "--poll-interval", "1"];

/// Measures and prints.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    println!("requests through OpenAI batches at a provider on loopback, no text repeated\n");
    let counts = options.units.map_or(REQUESTS.to_vec(), |units| vec![units]);
    warm_up(options)?;
    for count in counts {
        let project = project(options, count, small)?;
        let spent = project.run(&RUN)?;
        let again = project.run(&RUN)?;
        print(
            &format!("{count} requests"),
            count,
            &spent,
            &project.provider.ledger().batches,
        );
        row(
            "  again, nothing changed",
            &seconds(again.wall),
            &again.memory(),
        );
    }
    let project = project(options, LARGE, large)?;
    let spent = project.run(&RUN)?;
    let title = format!("{LARGE} requests of {} KB", LARGE_BYTES / 1000);
    print(&title, LARGE, &spent, &project.provider.ledger().batches);
    Ok(())
}

/// Compiles the transform and reads the tokenizer's tables once.
fn warm_up(options: &Options) -> Outcome<()> {
    project(options, 10, small)?.run(&RUN).map(drop)
}

fn print(title: &str, count: u32, spent: &Spent, batches: &[BatchSummary]) {
    row(title, &seconds(spent.wall), "with the waits between polls");
    row("  peak memory", &spent.memory(), "goal 300 MB");
    row(
        "  host time per request",
        &micros(spent.processor / count),
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

/// Words that no other document has in this order.
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
