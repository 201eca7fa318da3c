//! The scenarios of `docs/scale.md`, and their tables.
#![expect(clippy::print_stdout, reason = "a command prints its tables")]

use std::time::Duration;

use crate::host::HostModel;
use crate::store::StoreModel;
use crate::{batches, leases};

/// One prefix of Amazon S3: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html>
const STORE: StoreModel = StoreModel {
    read: Duration::from_millis(20),
    write: Duration::from_millis(40),
    reads_per_second: 5500.0,
    writes_per_second: 3500.0,
    lost_replies: 0.000_1,
};

/// A host with two cores: `docs/speed.md`.
const HOST: HostModel = HostModel {
    writes_per_second: 2000.0,
    killed_after: Some(Duration::from_secs(6 * 3600)),
    away: Duration::from_secs(60),
    skew: 0.01,
};

/// The price of a thousand create and list calls, and of a thousand reads, in dollars.
const STORE_PRICES: (f64, f64) = (0.005, 0.000_4);

/// Runs all scenarios and prints their tables.
pub(crate) fn print(seed: u64) {
    println!("seed {seed}\n");
    print_leases(seed);
    print_batches(seed);
}

fn print_leases(seed: u64) {
    println!("Shared answers: 100,000 requests, each wanted by 2 hosts, by sync calls of 2 s");
    println!(
        "| hosts | provider | time | billed again | hosts killed | store calls per request | busiest second, reads / writes | longest wait for the store | store cost of 1 M |"
    );
    println!("| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for limit in [Some(500.0), None] {
        for hosts in [10, 100, 1000] {
            let scenario = leases::Scenario {
                seed,
                hosts,
                requests: 100_000,
                wanted_by: 2,
                requests_per_second: limit,
                answer: Duration::from_secs(2),
                store: STORE,
                host: HOST,
            };
            let outcome = leases::run(scenario);
            println!("{}", leases_row(&scenario, &outcome));
        }
    }
    println!();
}

#[expect(clippy::cast_precision_loss, reason = "numbers that are printed")]
fn leases_row(scenario: &leases::Scenario, outcome: &leases::Outcome) -> String {
    let provider = scenario
        .requests_per_second
        .map_or_else(|| "no limit".to_owned(), |limit| format!("{limit}/s"));
    let requests = scenario.requests as f64;
    let (reads, writes) = (outcome.reads as f64, outcome.writes as f64);
    let dollars = (writes * STORE_PRICES.0 + reads * STORE_PRICES.1) / 1000.0;
    format!(
        "| {} | {provider} | {:.0} s | {} | {} | {:.1} | {} / {} | {:.1} s | ${:.0} |",
        scenario.hosts,
        outcome.time.as_secs_f64(),
        outcome.billed_again,
        outcome.kills,
        (reads + writes) / requests,
        outcome.busiest_reads,
        outcome.busiest_writes,
        outcome.longest_store_wait.as_secs_f64(),
        dollars * 1e6 / requests,
    )
}

fn print_batches(seed: u64) {
    println!(
        "Batches: 100 M requests of 1,000 tokens, 50,000 in a batch, half of the batches within an hour"
    );
    println!(
        "| hosts | waiting requests permitted | time | batches | expired | waiting for the queue | waiting to create | hosts busy |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for row in batches_rows(seed) {
        println!("{row}");
    }
}

fn batches_rows(seed: u64) -> Vec<String> {
    let mut rows = Vec::new();
    for enqueued in [2_000_000, 15_000_000, u64::MAX] {
        for hosts in [1, 10, 100, 1000] {
            let scenario = batches::Scenario {
                seed,
                hosts,
                requests: 100_000_000,
                batch: 50_000,
                creations_per_hour: 2000,
                enqueued,
                work: Duration::from_micros(700),
                batch_time: Duration::from_secs(3600),
                spread: 1.2,
            };
            rows.push(batches_row(&scenario, &batches::run(scenario)));
        }
    }
    rows
}

fn batches_row(scenario: &batches::Scenario, outcome: &batches::Outcome) -> String {
    let permitted = match scenario.enqueued {
        u64::MAX => "no limit".to_owned(),
        requests => format!("{} M", requests / 1_000_000),
    };
    format!(
        "| {} | {permitted} | {:.1} h | {} | {} | {:.0} % | {:.0} % | {:.0} % |",
        scenario.hosts,
        outcome.time.as_secs_f64() / 3600.0,
        outcome.batches,
        outcome.expired,
        100.0 * outcome.queue_full,
        100.0 * outcome.creations_full,
        100.0 * outcome.host_busy,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The other table takes too long for a test.
    #[test]
    fn the_documentation_has_the_table_of_batches() {
        let documentation = include_str!("../../../docs/scale.md");
        for row in batches_rows(1) {
            assert!(documentation.contains(&row), "{row}");
        }
    }
}
