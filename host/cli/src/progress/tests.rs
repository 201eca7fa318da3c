use synix_core::request::FailureKind;

use super::*;

const SOME: LayerCounts = LayerCounts {
    fresh: 0,
    stale: 3,
    done: 0,
    failed: 0,
    requested: 0,
    answered: 0,
    known: true,
};

fn line(reported: &mut ReportedEvents, event: &Event, seconds: u64) -> Option<String> {
    reported.line(event, Duration::from_secs(seconds), false)
}

fn layer(counts: LayerCounts) -> Event {
    Event::Layer {
        layer: "sums".to_owned(),
        counts,
    }
}

#[test]
fn a_layer_without_a_terminal_gets_occasional_lines() {
    let mut reported = ReportedEvents::default();
    let start = line(&mut reported, &layer(SOME), 0);
    assert_eq!(start.as_deref(), Some("sums: 0 of 3 done, 3 waiting"));
    let one = LayerCounts { done: 1, ..SOME };
    assert_eq!(line(&mut reported, &layer(one), 9), None);
    let later = line(&mut reported, &layer(one), 10).unwrap();
    assert!(later.starts_with("sums: 1 of 3 done, 2 waiting"), "{later}");
    assert_eq!(line(&mut reported, &layer(one), 19), None);
    let all = LayerCounts { done: 3, ..SOME };
    assert_eq!(line(&mut reported, &layer(all), 30), None);
    let end = Event::Units {
        layer: "sums".to_owned(),
        fresh: 0,
        stale: 3,
    };
    assert_eq!(
        line(&mut reported, &end, 30).as_deref(),
        Some("sums: 3 made")
    );
}

#[test]
fn the_spending_without_a_terminal_gets_occasional_lines() {
    use synix_engine::view::{BuildCost, TokensView};
    let spent = |requests| {
        Event::Cost(BuildCost {
            requests,
            tokens: TokensView {
                input: Some(7),
                output: Some(3),
                cached: Some(0),
            },
            cost_usd: None,
        })
    };
    let mut reported = ReportedEvents::default();
    assert_eq!(line(&mut reported, &spent(1), 5), None);
    let second = line(&mut reported, &spent(11), 15).unwrap();
    assert_eq!(
        second,
        "in total: 11 requests sent, 1.0 requests/s, 7 tokens in, 3 out"
    );
    assert_eq!(line(&mut reported, &spent(12), 24), None);
}

#[test]
fn a_failure_is_reported_once_for_each_layer_and_kind() {
    let mut reported = ReportedEvents::default();
    let failed = |unit: &str, kind| Event::Failed {
        layer: "sums".to_owned(),
        unit: unit.to_owned(),
        kind,
        message: "no".to_owned(),
    };
    let first = line(&mut reported, &failed("a", FailureKind::Auth), 0);
    assert_eq!(first.as_deref(), Some("sums/a: failed (auth)"));
    assert_eq!(
        line(&mut reported, &failed("b", FailureKind::Auth), 0),
        None
    );
    assert!(line(&mut reported, &failed("c", FailureKind::Empty), 0).is_some());
    let all = reported.line(&failed("d", FailureKind::Auth), Duration::ZERO, true);
    assert_eq!(all.as_deref(), Some("sums/d: failed (auth): no"));
}

#[test]
fn a_warning_of_a_plugin_is_reported_once() {
    let mut reported = ReportedEvents::default();
    let log = |unit: &str, level: &str| Event::Log {
        layer: "sums".to_owned(),
        unit: unit.to_owned(),
        level: level.to_owned(),
        message: "cut\u{1b}".to_owned(),
    };
    assert_eq!(line(&mut reported, &log("a", "info"), 0), None);
    let first = line(&mut reported, &log("a", "warn"), 0);
    assert_eq!(first.as_deref(), Some("sums/a: warn: cut\\u{1b}"));
    assert_eq!(line(&mut reported, &log("b", "warn"), 0), None);
    assert_eq!(line(&mut reported, &log("c", "warn"), 0), None);
    assert_eq!(
        reported.repeated(),
        ["sums: warn: cut\\u{1b} (in 2 more units; -v shows each)"]
    );
    let info = reported.line(&log("a", "info"), Duration::ZERO, true);
    assert_eq!(info.as_deref(), Some("sums/a: info: cut\\u{1b}"));
}
