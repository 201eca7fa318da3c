//! The limits of a call.

use std::time::Duration;

use super::*;

#[test]
fn an_endless_loop_runs_out_of_fuel() {
    let limits = Limits {
        fuel: 1_000_000,
        ..Limits::default()
    };
    assert!(matches!(
        fault_within(SPIN, &limits),
        Fault::OutOfFuel { limit: 1_000_000 }
    ));
}

#[test]
fn running_out_of_time_is_transient_and_out_of_fuel_is_not() {
    let limits = Limits {
        fuel: u64::MAX,
        wall: Duration::ZERO,
        ..Limits::default()
    };
    let fault = fault_within(SPIN, &limits);
    assert!(matches!(fault, Fault::OutOfTime { .. }) && fault.is_transient());
    let limits = Limits {
        fuel: 1,
        ..Limits::default()
    };
    assert!(!fault_within(SPIN, &limits).is_transient());
}

#[test]
fn memory_growth_beyond_the_limit_is_out_of_memory() {
    const GROW: &str = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)";
    let limits = Limits {
        memory_bytes: 8 << 20,
        ..Limits::default()
    };
    assert!(
        matches!(fault_within(GROW, &limits), Fault::OutOfMemory { limit } if limit == 8 << 20)
    );
    const ALL_AT_ONCE: &str = "(drop (memory.grow (i32.const 65536))) (unreachable)";
    assert!(matches!(fault(ALL_AT_ONCE), Fault::OutOfMemory { .. }));
}

#[test]
fn a_guest_whose_first_memory_is_too_large_does_not_start() {
    let limits = Limits {
        memory_bytes: 1 << 16,
        ..Limits::default()
    };
    let fault = fault_within("(call $done (i32.const 0) (i32.const 0))", &limits);
    assert!(matches!(fault, Fault::OutOfMemory { .. }));
}

/// W17: work of the host for a guest costs fuel, so many calls end in the same way on every machine.
#[test]
fn endless_calls_of_the_host_run_out_of_fuel() {
    let limits = Limits {
        fuel: 20_000_000,
        ..Limits::default()
    };
    const LOGS: &str = "(loop $again (call $log (i32.const 2) (i32.const 0) (i32.const 0)) (br $again)) (unreachable)";
    const ASKS: &str = "(loop $again (call $complete_all (i32.const 1024) (i32.const 0) (i32.const 2336)) (br $again)) (unreachable)";
    for execute in [LOGS, ASKS] {
        let fault = fault_within(execute, &limits);
        assert!(
            matches!(fault, Fault::OutOfFuel { limit: 20_000_000 }),
            "{fault:?}"
        );
    }
}

/// The result of a run must not depend on when a tick occurs.
#[test]
fn calls_of_the_host_count_as_fuel() {
    let fuel_of = |execute: &'static str| {
        let plugin = guest(execute);
        let limits = Limits::default();
        let call = Call {
            unit: &unit(),
            inputs: &[],
            config: "{}",
            limits: &limits,
            grants: Grants::ALL,
        };
        plugin.execute(&call, Script::default()).fuel
    };
    const QUIET: &str = "(call $done (i32.const 336) (i32.const 3))";
    const LOUD: &str = "(call $log (i32.const 2) (i32.const 0) (i32.const 5)) (call $done (i32.const 336) (i32.const 3))";
    let more = fuel_of(LOUD) - fuel_of(QUIET);
    assert!((1005..1100).contains(&more), "{more}");
}

/// X19: memories on demand have the same limits as those of the pool.
#[test]
fn a_sandbox_without_a_pool_gives_the_same_results() {
    use super::compile::Compiler;
    use super::engine::MemoryAllocation;

    let sandbox = Sandbox::open(1, None, Compiler::InProcess, MemoryAllocation::OnDemand).unwrap();
    let run_of = |execute: &'static str| {
        let guest = Guest {
            execute,
            ..Guest::default()
        };
        let on_demand = sandbox.load("guest", &guest.component()).unwrap();
        let pooled = load(&guest);
        [on_demand, pooled].map(|plugin| {
            let limits = Limits::default();
            let call = Call {
                unit: &unit(),
                inputs: &[],
                config: "{}",
                limits: &limits,
                grants: Grants::ALL,
            };
            let measured = plugin.execute(&call, Script::of([answered("so")]));
            let run = measured.run.map_err(|error| error.to_string());
            (format!("{run:?}"), measured.fuel)
        })
    };
    for execute in [
        ASK,
        GROW_ONCE,
        "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)",
        "(drop (i32.load (i32.const -4))) (unreachable)",
        "(drop (call $recurse (i64.const 0))) (unreachable)",
    ] {
        let [on_demand, pooled] = run_of(execute);
        assert_eq!(on_demand, pooled, "{execute}");
    }
}

/// Grows the memory and returns its new size.
const GROW_ONCE: &str = "(drop (memory.grow (i32.const 3)))
    (i32.store8 (i32.const 512) (i32.add (memory.size) (i32.const 48)))
    (call $done (i32.const 512) (i32.const 1))";

#[test]
fn deep_recursion_runs_out_of_stack() {
    assert!(matches!(
        fault("(drop (call $recurse (i64.const 0))) (unreachable)"),
        Fault::StackOverflow
    ));
}

#[test]
fn one_call_with_too_many_bytes_ends_the_run() {
    let limits = Limits {
        hostcall_bytes: 1 << 16,
        ..Limits::default()
    };
    let fault = fault_within(
        "(call $log (i32.const 0) (i32.const 0) (i32.const 100000)) (call $done (i32.const 0) (i32.const 0))",
        &limits,
    );
    assert!(matches!(fault, Fault::HostcallTooLarge { limit: 65536 }));
}

#[test]
fn many_calls_with_too_many_bytes_together_end_the_run() {
    let limits = Limits {
        hostcall_bytes: 1 << 16,
        ..Limits::default()
    };
    let fault = fault_within(
        "(loop $more (call $log (i32.const 0) (i32.const 0) (i32.const 1)) (br $more)) (unreachable)",
        &limits,
    );
    assert!(matches!(fault, Fault::HostcallTooLarge { .. }));
}

#[test]
fn requests_count_as_bytes_passed_to_the_host() {
    #[derive(Default)]
    struct Always;
    impl Model for Always {
        fn complete(&mut self, requests: Vec<GuestRequest>) -> ModelResponse {
            ModelResponse::Answered(requests.iter().map(|_| answer("so")).collect())
        }
    }
    let limits = Limits {
        hostcall_bytes: 1 << 12,
        requests: 100_000,
        ..Limits::default()
    };
    let asker = guest("(loop $more (call $ask) (br $more)) (unreachable)");
    let error = run_within(&asker, &limits, &mut Always).unwrap_err();
    assert!(
        matches!(*error.fault, Fault::HostcallTooLarge { limit: 4096 }),
        "{error}"
    );
}

#[test]
fn outputs_over_their_limit_are_refused() {
    let limits = Limits {
        output_bytes: 1000,
        ..Limits::default()
    };
    let fault = fault_within("(call $done (i32.const 65536) (i32.const 1001))", &limits);
    assert!(matches!(fault, Fault::OutputTooLarge { limit: 1000, .. }));
}

/// The fuel limit must have the same effect on every run.
#[test]
fn two_runs_use_the_same_fuel() {
    let fuel_left = || {
        let plugin = guest(ASK);
        let (unit, limits) = (convert::unit(&unit()).unwrap(), Limits::default());
        let invocation = plugin.invocation(&limits, plugin.digest());
        let model = Script::of([answered("so")]);
        let (call_result, _) = invocation.invoke(model, Grants::ALL, |transform, store| {
            transform.call_execute(store, &unit, &[], "{}")
        });
        call_result.fuel_left
    };
    let first = fuel_left();
    assert!(first < Limits::default().fuel);
    assert_eq!(first, fuel_left());
}

#[test]
fn too_many_calls_at_once_are_a_transient_failure() {
    struct Nested(Plugin);
    impl Nested {
        fn run(self) -> Result<Run, PluginError> {
            let call = Call {
                unit: &unit(),
                inputs: &[],
                config: "{}",
                limits: &Limits::default(),
                grants: Grants::ALL,
            };
            self.0.clone().execute(&call, self).run
        }
    }
    impl Model for Nested {
        fn complete(&mut self, _: Vec<GuestRequest>) -> ModelResponse {
            let inner = Self(self.0.clone()).run();
            answered(&inner.map_or_else(|error| error.is_transient().to_string(), text_of))
        }
    }
    assert_eq!(text_of(Nested(guest(ASK)).run().unwrap()), "true");
}
