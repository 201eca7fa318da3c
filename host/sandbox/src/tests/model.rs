//! Requests to a model, and their refusals.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

#[test]
fn requests_and_answers_of_a_round_keep_their_order() {
    let mut model = Script::of([ModelResponse::Answered(vec![answer("one"), answer("two")])]);
    assert_eq!(text_of(run(&guest(ASK_BOTH), &mut model).unwrap()), "two");
    let samples: Vec<_> = model
        .requests
        .iter()
        .map(|request| request.sample)
        .collect();
    assert_eq!(samples, [0, 1]);
}

#[test]
fn a_model_needs_both_the_declaration_and_the_grant() {
    let undeclared = load(&Guest {
        capabilities: 0,
        execute: ASK,
        ..Guest::default()
    });
    let error = run(&undeclared, &mut Script::default()).unwrap_err();
    assert!(matches!(*error.fault, Fault::NotGranted { .. }), "{error}");

    let (unit, limits) = (unit(), Limits::default());
    let call = Call {
        unit: &unit,
        inputs: &[],
        config: "{}",
        limits: &limits,
        grants: Grants::NONE,
    };
    let error = guest(ASK)
        .execute(&call, Script::default())
        .run
        .unwrap_err();
    assert!(matches!(*error.fault, Fault::NotGranted { .. }), "{error}");
}

/// A guest that takes the refusal for an answer and goes on would hide that it requests.
#[test]
fn a_guest_cannot_ignore_a_missing_grant() {
    let plugin = load(&Guest {
        capabilities: 0,
        execute: "(call $ask) (call $done (i32.const 0) (i32.const 0))",
        ..Guest::default()
    });
    let error = run(&plugin, &mut Script::default()).unwrap_err();
    assert!(matches!(*error.fault, Fault::NotGranted { .. }), "{error}");
}

#[test]
fn a_request_beyond_the_tokens_of_its_unit_is_refused() {
    let limits = Limits {
        tokens: Some(10),
        ..Limits::default()
    };
    let twice = guest("(call $ask) (call $ask) (call $fail (i32.const 0) (i32.const 0))");
    let mut model = Script::of([ModelResponse::Answered(vec![Answer {
        usage: Usage {
            input_tokens: 7,
            output_tokens: 3,
            ..Usage::default()
        },
        ..answer("so")
    }])]);
    let error = run_within(&twice, &limits, &mut model).unwrap_err();
    assert!(
        matches!(&error.refusal, Some(Refusal::OverLimit(limit)) if limit.starts_with("10 tokens in one unit")),
        "{error}"
    );
    assert_eq!(model.requests.len(), 1);
}

#[test]
fn a_refusal_reaches_the_guest_as_a_value() {
    let refusal = Refusal::UnknownRole("cheap".to_owned());
    let error = run(
        &guest(ASK),
        &mut Script::of([ModelResponse::Refused(refusal.clone())]),
    )
    .unwrap_err();
    assert!(matches!(&*error.fault, Fault::Transform { code, .. } if code == "invalid-answer"));
    assert_eq!(error.refusal, Some(refusal));
}

#[test]
fn requests_over_their_limit_are_refused() {
    let limits = Limits {
        requests: 1,
        ..Limits::default()
    };
    let twice = guest("(call $ask) (call $ask) (call $fail (i32.const 0) (i32.const 0))");
    let mut model = Script::of([answered("so")]);
    let error = run_within(&twice, &limits, &mut model).unwrap_err();
    assert!(matches!(error.refusal, Some(Refusal::OverLimit(_))));
}

#[test]
fn a_wrong_number_of_answers_is_the_hosts_fault() {
    let error = run(
        &guest(ASK),
        &mut Script::of([ModelResponse::Answered(Vec::new())]),
    )
    .unwrap_err();
    assert!(matches!(*error.fault, Fault::Host { .. }));
}

#[test]
fn a_model_that_panics_leaves_the_plugin_usable() {
    #[derive(Default)]
    struct Panics;
    impl Model for Panics {
        fn complete(&mut self, _: Vec<GuestRequest>) -> ModelResponse {
            panic!("a bug in the model")
        }
    }
    let plugin = guest(ASK);
    assert!(catch_unwind(AssertUnwindSafe(|| run(&plugin, &mut Panics))).is_err());
    assert_eq!(
        text_of(run(&plugin, &mut Script::of([answered("so")])).unwrap()),
        "so"
    );
}

/// The caller needs what the model recorded, even if the guest had no access.
#[test]
fn a_call_returns_its_model() {
    for granted in [true, false] {
        let (unit, limits) = (unit(), Limits::default());
        let call = Call {
            unit: &unit,
            inputs: &[],
            config: "{}",
            limits: &limits,
            grants: if granted { Grants::ALL } else { Grants::NONE },
        };
        let model = Script::of([answered("so"), ModelResponse::Suspend]);
        let executed = guest(ASK).execute(&call, model);
        assert_eq!(executed.run.is_ok(), granted);
        assert_eq!(executed.model.requests.len(), usize::from(granted));
        assert_eq!(
            executed.model.responses.last(),
            Some(&ModelResponse::Suspend)
        );
    }
}
