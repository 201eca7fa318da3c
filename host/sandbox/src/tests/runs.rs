//! Calls of `split` and `execute`: inputs, outputs, logs and errors.

use super::*;

/// I9: an earlier run does not change a later one.
#[test]
fn every_call_has_a_fresh_instance() {
    let plugin = guest(
        "(global.set $runs (i32.add (global.get $runs) (i32.const 1)))
         (i32.store8 (i32.const 512) (i32.add (global.get $runs) (i32.load8_u (i32.const 513))))
         (i32.store8 (i32.const 513) (i32.const 9))
         (call $done (i32.const 512) (i32.const 1))",
    );
    for _ in 0..3 {
        assert_eq!(
            text_of(run(&plugin, &mut Script::default()).unwrap()),
            "\u{1}"
        );
    }
}

#[test]
fn a_run_without_an_answer_is_suspended_and_succeeds_with_it() {
    let plugin = guest(ASK);
    let mut model = Script::of([ModelResponse::Suspend, answered("so")]);
    assert_eq!(run(&plugin, &mut model).unwrap(), Run::Suspended);
    assert_eq!(text_of(run(&plugin, &mut model).unwrap()), "so");
    assert_eq!(model.requests[0], model.requests[1]);
    assert_eq!(
        model.requests[0].messages[0].parts,
        [Part::Text("question".to_owned())]
    );
}

#[test]
fn threads_may_share_a_plugin() {
    let plugin = guest(ASK);
    std::thread::scope(|scope| {
        let threads = ["a", "b"].map(|text| {
            let plugin = &plugin;
            scope.spawn(move || text_of(run(plugin, &mut Script::of([answered(text)])).unwrap()))
        });
        assert_eq!(threads.map(|thread| thread.join().unwrap()), ["a", "b"]);
    });
}

#[test]
fn a_log_has_only_the_lines_of_the_last_run() {
    let plugin = guest(ASK);
    let mut model = Script::of([ModelResponse::Suspend, answered("so")]);
    run(&plugin, &mut model).unwrap();
    let Run::Done { log, .. } = run(&plugin, &mut model).unwrap() else {
        panic!("suspended")
    };
    assert_eq!(
        log,
        [LogLine {
            level: Level::Info,
            message: "question".to_owned()
        }]
    );
}

#[test]
fn a_guest_receives_the_content_of_its_inputs() {
    let plugin = guest(
        "(call $done (i32.load offset=36 (local.get $inputs)) (i32.load offset=40 (local.get $inputs)))",
    );
    let artifact = Artifact {
        label: Label::parse("a").unwrap(),
        kind: Kind::parse("text").unwrap(),
        content: Content::Text("the content".to_owned()),
        metadata: Metadata::new(),
    };
    let digest = artifact.digest().unwrap();
    let (unit, limits) = (
        UnitSpec {
            inputs: vec![0],
            ..unit()
        },
        Limits::default(),
    );
    let call = Call {
        unit: &unit,
        inputs: &[(artifact, digest)],
        config: "{}",
        limits: &limits,
        grants: Grants::NONE,
    };
    assert_eq!(
        text_of(plugin.execute(&call, Script::default()).run.unwrap()),
        "the content"
    );
}

#[test]
fn a_crash_has_the_last_error_that_the_guest_logged() {
    let plugin = guest("(call $log (i32.const 4) (i32.const 128) (i32.const 8)) (unreachable)");
    let error = run(&plugin, &mut Script::default()).unwrap_err();
    assert!(
        matches!(&*error.fault, Fault::Trapped { message: Some(message), .. } if message == "A guest.")
    );
    assert_eq!(
        error.log,
        [LogLine {
            level: Level::Error,
            message: "A guest.".to_owned()
        }]
    );
    assert_eq!(
        error.to_string(),
        "plugin guest: crashed: wasm `unreachable` instruction executed: A guest."
    );
}

#[test]
fn a_result_outside_the_memory_is_an_error() {
    assert!(matches!(
        fault("(i32.const -4)"),
        Fault::Trapped { .. } | Fault::Interface { .. }
    ));
    assert!(matches!(
        fault("(call $done (i32.const 8) (i32.const -1))"),
        Fault::Trapped { .. } | Fault::Interface { .. } | Fault::HostcallTooLarge { .. }
    ));
}

#[test]
fn a_result_that_is_not_utf_8_is_an_error() {
    let fault = fault(
        "(i32.store8 (i32.const 512) (i32.const 255)) (call $done (i32.const 512) (i32.const 1))",
    );
    assert!(
        matches!(fault, Fault::Interface { .. } | Fault::Trapped { .. }),
        "{fault}"
    );
}

#[test]
fn a_guest_that_calls_the_host_from_its_allocator_is_ended() {
    let plugin = load(&Guest {
        realloc: "(call $log (i32.const 2) (i32.const 384) (i32.const 8))",
        ..Guest::default()
    });
    let error = run(&plugin, &mut Script::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("cannot leave component instance"),
        "{error}"
    );
    assert_eq!(error.log, []);
}

#[test]
fn an_error_of_a_guest_keeps_its_code_and_message() {
    let fault = fault("(call $fail (i32.const 384) (i32.const 8))");
    assert_eq!(fault.to_string(), "invalid-answer: question");
}

#[test]
fn the_units_of_a_split_are_checked() {
    let limits = Limits::default();
    let good = load(&Guest::default())
        .split(&headers(&["a", "b"]), "{}", &limits)
        .unwrap();
    assert_eq!(
        (good[0].key.as_str(), good[0].inputs.as_slice()),
        ("out", [0].as_slice())
    );

    let twice = load(&Guest {
        split: "(call $units (i32.const 0) (i32.const 2))",
        ..Guest::default()
    });
    let error = twice.split(&headers(&["a"]), "{}", &limits).unwrap_err();
    assert!(matches!(
        *error.fault,
        Fault::InvalidSplit(InvalidSplit::DuplicateKey(_))
    ));
}

#[test]
fn the_split_of_a_per_input_plugin_is_not_called() {
    let plugin = load(&Guest {
        shape: 0,
        split: "(unreachable)",
        ..Guest::default()
    });
    let units = plugin
        .split(&headers(&["a", "b"]), "{}", &Limits::default())
        .unwrap();
    let keys: Vec<_> = units
        .iter()
        .map(|unit| (unit.key.as_str(), unit.inputs[0]))
        .collect();
    assert_eq!(keys, [("a", 0), ("b", 1)]);
}
