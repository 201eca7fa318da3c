//! What a run hands over, and how it ends.

use super::*;

#[test]
fn artifacts_arrive_one_by_one_with_their_place() {
    let run = run(BLOCKS, b"abcdefghij");
    let summary = run.summary.unwrap();
    assert_eq!((summary.emitted, summary.skipped), (3, 0));
    let texts: Vec<&Content> = run
        .file
        .artifacts
        .iter()
        .map(|(_, artifact)| &artifact.content)
        .collect();
    assert_eq!(
        texts,
        ["abcd", "efgh", "ij"]
            .map(|text| Content::Text(text.to_owned()))
            .iter()
            .collect::<Vec<_>>()
    );
    assert!(
        run.file
            .artifacts
            .iter()
            .all(|(place, _)| place == "line 7")
    );
}

#[test]
fn what_is_left_out_has_a_reason() {
    let body = "(call $skip (i32.const 2)) (call $drop (local.get $file)) (call $ok)";
    let run = run(body, b"x");
    assert_eq!(run.summary.unwrap().skipped, 1);
    let skipped = Skipped {
        place: String::new(),
        what: "what".to_owned(),
        reason: SkipReason::NoText,
    };
    assert_eq!(run.file.skipped, [skipped]);
}

#[test]
fn a_reason_that_the_host_does_not_know_is_refused() {
    let body = "(call $skip (i32.const 8)) (call $drop (local.get $file)) (call $ok)";
    assert!(matches!(fault(run(body, b"x")), Fault::UnknownReason { name } if name == "what"));
}

#[test]
fn a_file_that_yields_nothing_is_an_error() {
    let body = "(call $drop (local.get $file)) (call $ok)";
    assert!(matches!(fault(run(body, b"x")), Fault::NothingRead));
}

#[test]
fn an_invalid_artifact_ends_the_run_and_is_named() {
    // The second block is a label with a line break.
    let run = run(BLOCKS, b"abcd\n\n\n\nefgh");
    assert_eq!(run.file.artifacts.len(), 1);
    assert_eq!(run.place, "line 7");
    let fault = fault(run);
    assert_eq!(fault.to_string(), "artifact 1 at line 7 is invalid");
    assert!(matches!(
        fault,
        Fault::InvalidEmit {
            source: InvalidOutput::Name(_),
            ..
        }
    ));
}

#[test]
fn a_receiver_that_is_gone_interrupts_the_run() {
    let file = Memory {
        bytes: b"abcdefgh".to_vec(),
        room: Some(1),
        ..Memory::default()
    };
    let run = run_with(BLOCKS, &Limits::default(), file);
    assert!(run.summary.unwrap_err().is_interrupted());
}

#[test]
fn a_file_that_cannot_be_read_is_not_the_readers_fault() {
    let file = Memory {
        bytes: b"abcd".to_vec(),
        is_broken: true,
        ..Memory::default()
    };
    let fault = fault(run_with(BLOCKS, &Limits::default(), file));
    assert!(matches!(fault, Fault::FileUnreadable { .. }) && fault.is_transient());
}

#[test]
fn a_reader_may_fail_the_file() {
    let fault = fault(run("(call $drop (local.get $file)) (call $fail)", b"x"));
    assert_eq!(fault.to_string(), "invalid-input: what");
}

#[test]
fn fuel_grows_with_the_file() {
    let spin = "(loop $again (br $again)) (unreachable)";
    let limits = Limits {
        fuel: 1_000_000,
        ..Limits::default()
    };
    let used = |bytes: usize| {
        let file = Memory {
            bytes: vec![0; bytes],
            ..Memory::default()
        };
        let fault = fault(run_with(spin, &limits, file));
        let Fault::OutOfFuel { limit } = fault else {
            panic!("{fault:?}")
        };
        limit
    };
    assert_eq!(used(0), 1_000_000);
    assert_eq!(used(1000), 1_000_000 + 1000 * FUEL_PER_BYTE);
    let grown = of_file(&limits, 5 << 20);
    assert_eq!(grown.wall, limits.wall + Duration::from_secs(5));
    assert_eq!(grown.memory_bytes, limits.memory_bytes);
}

#[test]
fn an_artifact_over_the_limit_ends_the_run() {
    let limits = Limits {
        output_bytes: 11,
        ..Limits::default()
    };
    let file = Memory {
        bytes: b"abcd".to_vec(),
        ..Memory::default()
    };
    let fault = fault(run_with(BLOCKS, &limits, file));
    assert!(matches!(
        fault,
        Fault::OutputTooLarge {
            bytes: 12,
            limit: 11
        }
    ));
}

#[test]
fn each_world_is_refused_in_the_place_of_the_other() {
    let sandbox = Sandbox::new(1, None).unwrap();
    let refused = sandbox.load("lines", &component(BLOCKS)).unwrap_err();
    assert!(matches!(
        *refused.fault,
        Fault::WrongWorld {
            found: World::Reader
        }
    ));
    assert_eq!(
        refused.to_string(),
        "plugin lines: is a reader; name it as `read` in a layer with a `source`"
    );
    let map = synix_components::component("map").unwrap();
    let refused = sandbox.load_reader("map", &map).unwrap_err();
    assert!(matches!(
        *refused.fault,
        Fault::WrongWorld {
            found: World::Transform
        }
    ));
}
