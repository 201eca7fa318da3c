//! The lock on a build, and the states of its units.

use super::*;

/// L6: a second process sees which process drives the build.
#[test]
fn a_build_is_driven_by_one_process_which_is_named() {
    let fixture = Fixture::new();
    let other = Store::open(fixture.path()).unwrap();
    let mut lock = fixture.store.lock_build(fixture.build).unwrap().unwrap();
    lock.write_holder("process 7").unwrap();
    assert!(other.lock_build(fixture.build).unwrap().is_none());
    assert_eq!(other.build_holder(fixture.build), "process 7");
}

#[test]
fn a_released_lock_can_be_taken() {
    let fixture = Fixture::new();
    drop(fixture.store.lock_build(fixture.build).unwrap());
    assert!(fixture.store.lock_build(fixture.build).unwrap().is_some());
}

#[test]
fn two_builds_are_driven_at_the_same_time() {
    let fixture = Fixture::new();
    let _lock = fixture.store.lock_build(fixture.build).unwrap().unwrap();
    let other = open_build(&fixture.store);
    assert!(fixture.store.lock_build(other).unwrap().is_some());
}

#[test]
fn a_unit_of_a_build_has_its_last_state() {
    let fixture = Fixture::new();
    for state in [UnitState::Waiting, UnitState::Done] {
        fixture
            .store
            .write(|tx| tx.store_build_unit(fixture.build, &build_unit(1, "a", state)))
            .unwrap();
    }
    let expected = LayerTally {
        waiting: 0,
        done: 1,
        failed: 0,
    };
    assert_eq!(
        fixture.store.layer_tally(fixture.build, 1).unwrap(),
        expected
    );
}

/// Every page has the failed units of its layer alone, and leads back to the page before it.
#[test]
fn failed_units_are_read_in_pages_that_lead_back() {
    let fixture = Fixture::new();
    let failure = synix_core::request::Failure {
        kind: FailureKind::Guest,
        message: "no".to_owned(),
        transient: false,
        usage: Usage::default(),
    };
    let failed = UnitState::Failed(&failure);
    let mut units = vec![
        (0, "a", failed),
        (2, "z", failed),
        (1, "c2", UnitState::Done),
    ];
    units.extend(["a", "b", "c", "d", "e"].map(|key| (1, key, failed)));
    for (layer, key, state) in units {
        let unit = build_unit(layer, key, state);
        fixture
            .store
            .write(|tx| tx.store_build_unit(fixture.build, &unit))
            .unwrap();
    }
    let page = |after| {
        let page = fixture.store.failed_page(fixture.build, 1, after, 2);
        let page = page.unwrap();
        let keys: Vec<_> = page.units.into_iter().map(|unit| unit.key).collect();
        (keys.concat(), page.before, page.previous, page.more)
    };
    let previous = |after: &str| Some(after.to_owned());
    assert_eq!(page(""), ("ab".to_owned(), 0, None, true));
    assert_eq!(page("b"), ("cd".to_owned(), 2, previous(""), true));
    assert_eq!(page("d"), ("e".to_owned(), 4, previous("b"), false));
    assert_eq!(page("z"), (String::new(), 5, previous("c"), false));
}

/// A job that is handed over again finds the build that it opened.
#[test]
fn a_build_is_found_by_its_job_and_by_no_other() {
    let fixture = Fixture::new();
    let other = open_build(&fixture.store);
    let set = |build, job| fixture.store.write(|tx| tx.add_build_job(build, job));
    set(fixture.build, "job-a").unwrap();
    set(other, "job-b").unwrap();
    let found = |job| {
        let row = fixture.store.build_of_job(job).unwrap();
        row.map(|row| (row.id, row.job))
    };
    assert_eq!(
        found("job-a"),
        Some((fixture.build, Some("job-a".to_owned())))
    );
    assert_eq!(found("job-b"), Some((other, Some("job-b".to_owned()))));
    assert_eq!(found("job-x"), None);
    // Two builds of one job would be paid for twice.
    set(other, "job-a").unwrap_err();
    // A job that resumes the build does not make the first one open another.
    set(fixture.build, "job-c").unwrap();
    let last = Some((fixture.build, Some("job-c".to_owned())));
    assert_eq!((found("job-a"), found("job-c")), (last.clone(), last));
    let jobs = fixture.store.jobs_of(fixture.build).unwrap();
    assert_eq!(jobs, ["job-a", "job-c"]);
}
