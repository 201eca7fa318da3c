//! The times of sends and units, and what the newest answers were.

use super::*;

/// A record of when each send settled: in the order of time, a page at a time, without those in flight.
#[test]
fn sends_have_the_times_of_their_records() {
    let fixture = Fixture::new();
    let (first, second) = (fixture.request("first"), fixture.request("second"));
    let attempt = fixture.granted(first);
    fixture.granted(second);
    fixture
        .store
        .write(|tx| {
            tx.close_answered(
                attempt,
                first,
                &answer("yes", Ending::Complete),
                Timestamp(5),
            )
        })
        .unwrap();
    let calls = SendSelection::SyncCallsOf(fixture.build);
    let sends = |after, limit| {
        let found = fixture.store.timed_sends(calls, AttemptId(after), limit);
        let times = found.unwrap().into_iter();
        times
            .map(|send| (send.sent, send.settled, send.truncated))
            .collect::<Vec<_>>()
    };
    let (sent, settled) = (Some(Timestamp(1)), Some(Timestamp(5)));
    let both = [(sent, settled, Some(false)), (sent, None, None)];
    assert_eq!(sends(0, 10), both);
    assert_eq!(sends(0, 1), both[..1]);
    assert_eq!(sends(attempt.0, 10), both[1..]);
    let oldest = fixture.store.oldest_open_call(fixture.build).unwrap();
    assert_eq!(oldest, Some(AttemptId(attempt.0 + 1)));
    fixture
        .store
        .write(|tx| tx.close_orphaned_sends(fixture.build, Timestamp(9)))
        .unwrap();
    assert_eq!(sends(attempt.0, 10), [(sent, Some(Timestamp(9)), None)]);
}

/// The newest answers count, and only those of the layer and the model before a build.
#[test]
fn recent_answers_are_the_newest_of_a_layer_and_a_model() {
    let fixture = Fixture::new();
    for text in ["a", "b", "c"] {
        let request = fixture.request(text);
        let attempt = fixture.granted(request);
        let given = answer(text, Ending::Complete);
        fixture
            .store
            .write(|tx| tx.close_answered(attempt, request, &given, Timestamp(5)))
            .unwrap();
    }
    let model = fixture.store.request(fixture.request("a")).unwrap().model;
    let count = |layer, model: &str, before, limit| {
        let answers = RecentAnswers {
            layer,
            model,
            before,
            limit,
        };
        fixture.store.recent_answers(answers).unwrap().len()
    };
    assert_eq!(count(Some("notes"), &model, None, 10), 3);
    assert_eq!(count(None, &model, None, 2), 2);
    assert_eq!(count(Some("other"), &model, None, 10), 0);
    assert_eq!(count(None, "other", None, 10), 0);
    let second = fixture.store.first_attempt(fixture.build).unwrap();
    let second = second.map(|first| AttemptId(first.0 + 1));
    assert_eq!(count(Some("notes"), &model, second, 10), 1);
}

/// A unit that an earlier command finished is no longer counted, and its times stay.
#[test]
fn times_of_units_survive_the_next_command_of_the_build() {
    let fixture = Fixture::new();
    let record = |state, now| {
        let unit = NewBuildUnit {
            now: Timestamp(now),
            ..build_unit(0, "a", state)
        };
        fixture
            .store
            .write(|tx| tx.store_build_unit(fixture.build, &unit))
            .unwrap();
    };
    let times = || {
        let found = fixture.store.timed_unit(fixture.build, 0, "a").unwrap();
        found.map(|unit| (unit.started.0, unit.settled.0))
    };
    record(UnitState::Waiting, 3);
    assert_eq!(times(), None);
    fixture
        .store
        .write(|tx| tx.clear_build_units(fixture.build))
        .unwrap();
    record(UnitState::Waiting, 7);
    record(UnitState::Done, 9);
    assert_eq!(times(), Some((3, 9)));
    fixture
        .store
        .write(|tx| tx.clear_build_units(fixture.build))
        .unwrap();
    assert_eq!(times(), Some((3, 9)));
    let tally = fixture.store.layer_tally(fixture.build, 0).unwrap();
    assert_eq!(tally, LayerTally::default());
}

/// A page far behind is found by counting, and a page at the start is not; both are parts of one order.
#[test]
fn the_pages_of_a_long_log_add_up_to_it() {
    const UNITS: u64 = 30_000;
    let fixture = Fixture::new();
    let build = fixture.build;
    let connection = Connection::open(path(fixture.store.folder())).unwrap();
    connection
        .execute_batch(&format!(
            "INSERT INTO build_layer (build, position, name, mode, fresh) VALUES ({0}, 0, 'a', 'sync', 2), ({0}, 1, 'b', NULL, 0);
             INSERT INTO build_step (build, step, at) VALUES ({0}, 'resumed', 4500);
             WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < {UNITS} - 1)
             INSERT INTO build_unit (build, layer, key, state, started, settled)
             SELECT {0}, n % 2, 'unit-' || n, 1 + n % 3, 1, nullif((n * 7919) % 9001, 7) FROM n",
            build.0
        ))
        .unwrap();
    let request = fixture.request("first");
    let attempt = fixture.granted(request);
    fixture
        .store
        .write(|tx| {
            let answer = answer("yes", Ending::Complete);
            tx.close_answered(attempt, request, &answer, Timestamp(6500))
        })
        .unwrap();
    let page = |after, limit| {
        let page = LogPage {
            after,
            limit,
            since: None,
        };
        fixture.store.log(build, page).unwrap()
    };
    let all = page(0, 1 << 40);
    // The opening, a step, a send, two layers, and the units that have settled.
    let settled = (0..UNITS).filter(|n| (n * 7919) % 9001 != 7).count();
    assert_eq!(all.len(), settled + 5);
    let order = |entries: &[LogEntry]| entries.iter().map(|entry| entry.at).collect::<Vec<_>>();
    assert!(order(&all).is_sorted());
    for (after, limit) in [
        (0, 10),
        (19_000, 1000),
        (19_999, 2),
        (20_000, 7000),
        (29_990, 9),
    ] {
        let start = usize::try_from(after).unwrap();
        let end = start + usize::try_from(limit).unwrap();
        assert_eq!(page(after, limit), all[start..end], "{after}");
    }
    assert_eq!(page(29_990, 1000), all[29_990..]);
    assert_eq!(page(all.len() as u64, 1), []);
    let layers = all.iter().filter_map(|entry| {
        let LogRecord::Layer {
            name, done, failed, ..
        } = &entry.record
        else {
            return None;
        };
        Some((name.as_str(), *done, *failed))
    });
    let layers: BTreeSet<_> = layers.collect();
    assert_eq!(layers, [("a", 5000, 5000), ("b", 5000, 5000)].into());
}
