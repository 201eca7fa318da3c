//! The sandbox as its callers see it, with the guests of [`super::fixture`].

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use proptest::prelude::*;

use super::fixture::{ASK, ASK_AND_SPIN, ASK_BOTH, Guest, SPIN};
use super::*;
use synix_core::artifact::{Artifact, Content};
use synix_core::ids::UnitKey;
use synix_core::request::{Answer, Ending, GuestRequest, Part, Usage};
use synix_test_edits as edits;

/// Gives its verdicts one after the other and keeps what was asked.
#[derive(Default)]
struct Script {
    verdicts: Vec<Verdict>,
    asked: Vec<GuestRequest>,
}

impl Script {
    fn of(verdicts: impl IntoIterator<Item = Verdict>) -> Self {
        Self {
            verdicts: verdicts.into_iter().collect(),
            asked: Vec::new(),
        }
    }
}

impl Model for Script {
    fn complete(&mut self, asked: Vec<GuestRequest>) -> Verdict {
        self.asked.extend(asked);
        self.verdicts.remove(0)
    }
}

fn answer(text: &str) -> Answer {
    Answer {
        text: text.to_owned(),
        ending: Ending::Complete,
        model: "m".to_owned(),
        usage: Usage::default(),
        details: serde_json::Map::new(),
    }
}

fn answered(text: &str) -> Verdict {
    Verdict::Answered(vec![answer(text)])
}

fn sandbox() -> Sandbox {
    Sandbox::new(1, None).unwrap()
}

fn load(guest: &Guest) -> Plugin {
    sandbox().load("guest", &guest.component()).unwrap()
}

fn guest(execute: &'static str) -> Plugin {
    load(&Guest {
        execute,
        ..Guest::default()
    })
}

fn unit() -> UnitSpec {
    UnitSpec {
        key: UnitKey::parse("u").unwrap(),
        inputs: Vec::new(),
        config: None,
    }
}

fn run_within<M: Model + Default>(
    plugin: &Plugin,
    limits: &Limits,
    model: &mut M,
) -> Result<Run, PluginError> {
    let call = Call {
        unit: &unit(),
        inputs: &[],
        config: "{}",
        limits,
        grants_llm: true,
    };
    let executed = plugin.execute(&call, std::mem::take(model));
    *model = executed.model;
    executed.run
}

fn run<M: Model + Default>(plugin: &Plugin, model: &mut M) -> Result<Run, PluginError> {
    run_within(plugin, &Limits::default(), model)
}

fn text_of(run: Run) -> String {
    match run {
        Run::Done { outputs, .. } => {
            String::from_utf8(outputs[0].content.as_bytes().to_vec()).unwrap()
        }
        Run::Suspended => panic!("suspended"),
    }
}

/// Runs a guest that fails, within limits that every failing guest here breaks soon.
fn fault_within(execute: &'static str, limits: &Limits) -> Fault {
    let error = run_within(&guest(execute), limits, &mut Script::default()).unwrap_err();
    assert_eq!(error.plugin.as_deref(), Some("guest"));
    *error.fault
}

fn fault(execute: &'static str) -> Fault {
    fault_within(execute, &Limits::default())
}

fn headers(labels: &[&str]) -> Vec<Header> {
    let header = |label: &&str| Header {
        label: Label::parse(label).unwrap(),
        kind: Kind::parse("text").unwrap(),
        digest: Digest::of(b""),
        metadata: Metadata::new(),
    };
    labels.iter().map(header).collect()
}

#[test]
fn the_contract_is_the_one_in_wit() {
    let wit = include_str!("../../../wit/world.wit");
    assert!(wit.contains(&format!("package {};", Sandbox::contract())));
}

#[test]
fn a_plugin_is_described_when_it_is_loaded() {
    let plugin = load(&Guest::default());
    let descriptor = plugin.descriptor();
    assert_eq!(
        (descriptor.name.as_str(), descriptor.version.as_str()),
        ("guest", "1.0.0")
    );
    assert_eq!(
        (descriptor.shape, descriptor.declares_llm()),
        (Shape::Grouped, true)
    );
}

/// I9: nothing is left of an earlier run.
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
fn a_run_without_its_answer_is_suspended_and_ends_when_run_again() {
    let plugin = guest(ASK);
    let mut model = Script::of([Verdict::Suspend, answered("so")]);
    assert_eq!(run(&plugin, &mut model).unwrap(), Run::Suspended);
    assert_eq!(text_of(run(&plugin, &mut model).unwrap()), "so");
    assert_eq!(model.asked[0], model.asked[1]);
    assert_eq!(
        model.asked[0].messages[0].parts,
        [Part::Text("question".to_owned())]
    );
}

#[test]
fn requests_of_one_round_are_asked_and_answered_in_their_order() {
    let mut model = Script::of([Verdict::Answered(vec![answer("one"), answer("two")])]);
    assert_eq!(text_of(run(&guest(ASK_BOTH), &mut model).unwrap()), "two");
    let samples: Vec<_> = model.asked.iter().map(|ask| ask.sample).collect();
    assert_eq!(samples, [0, 1]);
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
fn a_run_that_ends_keeps_each_log_line_once() {
    let plugin = guest(ASK);
    let mut model = Script::of([Verdict::Suspend, answered("so")]);
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
fn an_input_reaches_the_guest_by_value() {
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
        grants_llm: false,
    };
    assert_eq!(
        text_of(plugin.execute(&call, Script::default()).run.unwrap()),
        "the content"
    );
}

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
fn only_running_out_of_time_is_passing() {
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
fn a_guest_that_hoards_memory_runs_out_of_it() {
    const HOARD: &str = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)";
    let limits = Limits {
        memory_bytes: 8 << 20,
        ..Limits::default()
    };
    assert!(
        matches!(fault_within(HOARD, &limits), Fault::OutOfMemory { limit } if limit == 8 << 20)
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

/// W17: what the host does for a guest is paid by it, so a storm of calls ends alike on every machine.
#[test]
fn a_storm_of_calls_of_the_host_runs_out_of_fuel() {
    let limits = Limits {
        fuel: 20_000_000,
        ..Limits::default()
    };
    const LOGS: &str = "(loop $again (call $log (i32.const 2) (i32.const 0) (i32.const 0)) (br $again)) (unreachable)";
    const ASKS: &str = "(loop $again (call $complete_all (i32.const 1024) (i32.const 0) (i32.const 2336)) (br $again)) (unreachable)";
    for storm in [LOGS, ASKS] {
        let fault = fault_within(storm, &limits);
        assert!(
            matches!(fault, Fault::OutOfFuel { limit: 20_000_000 }),
            "{fault:?}"
        );
    }
}

/// The end of a run does not hang on when a tick came.
#[test]
fn calls_of_the_host_are_in_the_fuel_of_a_run() {
    let fuel_of = |execute: &'static str| {
        let plugin = guest(execute);
        let limits = Limits::default();
        let call = Call {
            unit: &unit(),
            inputs: &[],
            config: "{}",
            limits: &limits,
            grants_llm: true,
        };
        plugin.execute(&call, Script::default()).fuel
    };
    const QUIET: &str = "(call $done (i32.const 336) (i32.const 3))";
    const LOUD: &str = "(call $log (i32.const 2) (i32.const 0) (i32.const 5)) (call $done (i32.const 336) (i32.const 3))";
    let more = fuel_of(LOUD) - fuel_of(QUIET);
    assert!((1005..1100).contains(&more), "{more}");
}

/// X19: memories made on demand keep to the same limits as those of the pool.
#[test]
fn a_sandbox_without_a_pool_gives_the_same_results() {
    use super::compile::Compiler;
    use super::engine::Memories;

    let sandbox = Sandbox::open(1, None, Compiler::InProcess, Memories::OnDemand).unwrap();
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
                grants_llm: true,
            };
            let measured = plugin.execute(&call, Script::of([answered("so")]));
            let run = measured.run.map_err(|error| error.to_string());
            (format!("{run:?}"), measured.fuel)
        })
    };
    for execute in [
        ASK,
        SPIN_A_LITTLE,
        "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)",
        "(drop (i32.load (i32.const -4))) (unreachable)",
        "(drop (call $recurse (i64.const 0))) (unreachable)",
    ] {
        let [on_demand, pooled] = run_of(execute);
        assert_eq!(on_demand, pooled, "{execute}");
    }
}

/// Grows, counts, and gives what it counted.
const SPIN_A_LITTLE: &str = "(drop (memory.grow (i32.const 3)))
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
fn a_crash_carries_what_the_guest_logged_last() {
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
fn a_guest_that_hands_over_too_much_at_once_is_stopped() {
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
fn a_guest_that_hands_over_too_much_bit_by_bit_is_stopped() {
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
fn requests_count_as_handed_over() {
    #[derive(Default)]
    struct Always;
    impl Model for Always {
        fn complete(&mut self, asked: Vec<GuestRequest>) -> Verdict {
            Verdict::Answered(asked.iter().map(|_| answer("so")).collect())
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
fn a_guest_that_calls_the_host_while_it_hands_over_values_is_stopped() {
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
fn a_guests_own_error_keeps_its_case_and_words() {
    let fault = fault("(call $fail (i32.const 384) (i32.const 8))");
    assert_eq!(fault.to_string(), "invalid-answer: question");
}

#[test]
fn a_model_needs_both_the_declaration_and_the_grant() {
    let undeclared = load(&Guest {
        capabilities: 0,
        execute: ASK,
        ..Guest::default()
    });
    let error = run(&undeclared, &mut Script::default()).unwrap_err();
    assert!(matches!(*error.fault, Fault::NotGranted), "{error}");

    let (unit, limits) = (unit(), Limits::default());
    let call = Call {
        unit: &unit,
        inputs: &[],
        config: "{}",
        limits: &limits,
        grants_llm: false,
    };
    let error = guest(ASK)
        .execute(&call, Script::default())
        .run
        .unwrap_err();
    assert!(matches!(*error.fault, Fault::NotGranted), "{error}");
}

/// A guest that takes the refusal for an answer and goes on would hide that it asked.
#[test]
fn a_guest_cannot_pass_over_that_it_may_not_ask() {
    let plugin = load(&Guest {
        capabilities: 0,
        execute: "(call $ask) (call $done (i32.const 0) (i32.const 0))",
        ..Guest::default()
    });
    let error = run(&plugin, &mut Script::default()).unwrap_err();
    assert!(matches!(*error.fault, Fault::NotGranted), "{error}");
}

#[test]
fn a_request_beyond_the_tokens_of_its_unit_is_refused() {
    let limits = Limits {
        tokens: Some(10),
        ..Limits::default()
    };
    let twice = guest("(call $ask) (call $ask) (call $fail (i32.const 0) (i32.const 0))");
    let mut model = Script::of([Verdict::Answered(vec![Answer {
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
    assert_eq!(model.asked.len(), 1);
}

#[test]
fn a_refusal_reaches_the_guest_as_a_value() {
    let refusal = Refusal::UnknownRole("cheap".to_owned());
    let error = run(
        &guest(ASK),
        &mut Script::of([Verdict::Refused(refusal.clone())]),
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
        &mut Script::of([Verdict::Answered(Vec::new())]),
    )
    .unwrap_err();
    assert!(matches!(*error.fault, Fault::Host { .. }));
}

#[test]
fn a_model_that_panics_leaves_the_plugin_usable() {
    #[derive(Default)]
    struct Panics;
    impl Model for Panics {
        fn complete(&mut self, _: Vec<GuestRequest>) -> Verdict {
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

#[test]
fn more_calls_than_the_sandbox_holds_fail_for_now() {
    struct Nested(Plugin);
    impl Nested {
        fn run(self) -> Result<Run, PluginError> {
            let call = Call {
                unit: &unit(),
                inputs: &[],
                config: "{}",
                limits: &Limits::default(),
                grants_llm: true,
            };
            self.0.clone().execute(&call, self).run
        }
    }
    impl Model for Nested {
        fn complete(&mut self, _: Vec<GuestRequest>) -> Verdict {
            let inner = Self(self.0.clone()).run();
            answered(&inner.map_or_else(|error| error.is_transient().to_string(), text_of))
        }
    }
    assert_eq!(text_of(Nested(guest(ASK)).run().unwrap()), "true");
}

/// What a model learned in a call is of use to its owner, whether or not the guest could ask it.
#[test]
fn a_call_hands_back_its_model() {
    for grants_llm in [true, false] {
        let (unit, limits) = (unit(), Limits::default());
        let call = Call {
            unit: &unit,
            inputs: &[],
            config: "{}",
            limits: &limits,
            grants_llm,
        };
        let model = Script::of([answered("so"), Verdict::Suspend]);
        let executed = guest(ASK).execute(&call, model);
        assert_eq!(executed.run.is_ok(), grants_llm);
        assert_eq!(executed.model.asked.len(), usize::from(grants_llm));
        assert_eq!(executed.model.verdicts.last(), Some(&Verdict::Suspend));
    }
}

/// The limit of fuel decides the same on every run.
#[test]
fn two_runs_use_the_same_fuel() {
    let fuel_left = || {
        let plugin = guest(ASK);
        let (unit, limits) = (convert::unit(&unit()).unwrap(), Limits::default());
        let entry = plugin.entry(&limits, plugin.digest());
        let model = Script::of([answered("so")]);
        let (ended, _) = entry.enter(model, true, |transform, store| {
            transform.call_execute(store, &unit, &[], "{}")
        });
        ended.fuel_left
    };
    let first = fuel_left();
    assert!(first < Limits::default().fuel);
    assert_eq!(first, fuel_left());
}

#[test]
fn a_split_is_checked() {
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
fn a_plugin_for_each_input_is_not_asked_to_split() {
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

fn load_fault(bytes: &[u8]) -> Fault {
    *sandbox().load("guest", bytes).unwrap_err().fault
}

#[test]
fn damaged_bytes_are_corrupt() {
    let component = Guest::default().component();
    assert!(matches!(
        load_fault(&component[..component.len() - 100]),
        Fault::Corrupt { .. }
    ));
}

#[test]
fn another_world_is_named() {
    let fault = |text: &str| load_fault(&wat::parse_str(text).unwrap());
    assert!(matches!(
        fault("(component)"),
        Fault::MissingExport { name: "describe" }
    ));
    assert!(matches!(
        fault(r#"(component (import "wasi:http/types@0.2.0" (instance)))"#),
        Fault::UnexpectedImport { name } if name == "wasi:http/types@0.2.0"
    ));
    assert!(matches!(
        fault(r#"(component (import "synix:plugin/llm@0.2.0" (instance)))"#),
        Fault::ContractVersion { found, .. } if found == "synix:plugin/llm@0.2.0"
    ));
    let with = |import: &str| {
        format!(
            r#"(component {import}
                (core module $m (func (export "f") (result i32) (i32.const 0)))
                (core instance $i (instantiate $m))
                (func $f (result u32) (canon lift (core func $i "f")))
                (export "describe" (func $f)) (export "split" (func $f)) (export "execute" (func $f)))"#
        )
    };
    assert!(matches!(fault(&with("")), Fault::WrongType { .. }));
    for newer in ["synix:plugin/search@0.1.9", "synix:plugin/log@0.1.9"] {
        let import = format!(r#"(import "{newer}" (instance (export "read" (func))))"#);
        assert!(matches!(
            fault(&with(&import)),
            Fault::ContractVersion { found, .. } if found == newer
        ));
    }
}

mod cache {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    fn open(folder: &Path) -> Sandbox {
        let cache = CompileCache {
            folder: folder.join("cache"),
            secrets: folder.join("secrets"),
        };
        Sandbox::new(1, Some(cache)).unwrap()
    }

    fn is_cached(folder: &Path, component: &[u8]) -> bool {
        let sandbox = open(folder);
        let core = sandbox.core();
        core.cache
            .as_ref()
            .unwrap()
            .get(&core.engine, Digest::of(component))
            .is_some()
    }

    fn only_file(folder: &Path) -> PathBuf {
        let files: Vec<_> = fs::read_dir(folder.join("cache"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }

    #[test]
    fn compiled_code_outlives_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let component = Guest {
            execute: ASK,
            ..Guest::default()
        }
        .component();
        let compiled = open(folder.path()).load("guest", &component).unwrap();
        assert!(is_cached(folder.path(), &component));

        let cached = open(folder.path()).load("guest", &component).unwrap();
        assert_eq!(cached.descriptor(), compiled.descriptor());
        assert_eq!(
            text_of(run(&cached, &mut Script::of([answered("so")])).unwrap()),
            "so"
        );
    }

    #[test]
    fn a_damaged_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let component = Guest::default().component();
        open(folder.path()).load("guest", &component).unwrap();
        let file = only_file(folder.path());
        let whole = fs::read(&file).unwrap();
        let damages: [&[u8]; 3] = [b"", &whole[..27], &whole[..whole.len() - 1]];
        for damage in damages {
            synix_disk::replace(&file, damage).unwrap();
            assert!(!is_cached(folder.path(), &component));
        }
        for at in [0, 30, 70, whole.len() / 2, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            synix_disk::replace(&file, &damaged).unwrap();
            assert!(!is_cached(folder.path(), &component), "byte {at}");
        }
        open(folder.path()).load("guest", &component).unwrap();
        assert!(is_cached(folder.path(), &component));
    }

    /// W19: a file is bound to the component that it was compiled from.
    #[test]
    fn files_that_were_exchanged_are_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let one = Guest::default().component();
        let other = Guest {
            execute: ASK,
            ..Guest::default()
        }
        .component();
        open(folder.path()).load("one", &one).unwrap();
        let of_one = only_file(folder.path());
        let bytes = fs::read(&of_one).unwrap();
        fs::remove_file(&of_one).unwrap();
        open(folder.path()).load("other", &other).unwrap();
        let of_other = only_file(folder.path());
        assert!(is_cached(folder.path(), &other));
        synix_disk::replace(&of_other, &bytes).unwrap();
        assert!(!is_cached(folder.path(), &other));
        synix_disk::replace(&of_one, &bytes).unwrap();
        assert!(is_cached(folder.path(), &one));
    }

    /// W1: whoever fills a folder does not know the user's secret.
    #[test]
    fn a_folder_that_was_filled_elsewhere_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let component = Guest::default().component();
        open(folder.path()).load("guest", &component).unwrap();
        let secret = folder.path().join("secrets/compile-cache-secret");
        let known = fs::read(&secret).unwrap();
        synix_disk::replace_private(&secret, &[7; 32]).unwrap();
        assert!(!is_cached(folder.path(), &component));
        synix_disk::replace_private(&secret, &known).unwrap();
        assert!(is_cached(folder.path(), &component));
    }

    /// W19: whoever could read the secret could have sealed the file.
    #[cfg(unix)]
    #[test]
    fn a_secret_that_others_may_read_is_made_anew() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let component = Guest::default().component();
        open(folder.path()).load("guest", &component).unwrap();
        let secret = folder.path().join("secrets/compile-cache-secret");
        let known = fs::read(&secret).unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(!is_cached(folder.path(), &component));
        assert_ne!(fs::read(&secret).unwrap(), known);
        let mode = fs::metadata(&secret).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    /// W19: the folder is closed to others, also one of an earlier synix.
    #[cfg(unix)]
    #[test]
    fn compiled_code_is_its_owner_s_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("cache");
        fs::create_dir(&cache).unwrap();
        fs::set_permissions(&cache, fs::Permissions::from_mode(0o775)).unwrap();
        let component = Guest::default().component();
        open(folder.path()).load("guest", &component).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            (mode(&cache), mode(&only_file(folder.path()))),
            (0o700, 0o600)
        );
        assert!(is_cached(folder.path(), &component));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_write_is_not_run() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let component = Guest::default().component();
        open(folder.path()).load("guest", &component).unwrap();
        fs::set_permissions(only_file(folder.path()), fs::Permissions::from_mode(0o666)).unwrap();
        assert!(!is_cached(folder.path(), &component));
    }

    #[test]
    fn a_folder_that_cannot_be_written_means_no_cache() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        synix_disk::replace(&file, b"").unwrap();
        assert!(
            open(&file.join("cache"))
                .load("guest", &Guest::default().component())
                .is_ok()
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_changed_component_is_a_plugin_or_refused_with_its_name(edits in edits::edits()) {
        let good = Guest::default().component();
        let bytes = edits::changed(&good, &edits);
        match sandbox().load("changed", &bytes) {
            Ok(plugin) => prop_assert!(plugin.descriptor().config_schema.is_object()),
            Err(error) => prop_assert!(error.to_string().starts_with("plugin changed: ")),
        }
    }
}

/// What is compiled without limits is compiled because somebody chose that.
#[test]
fn a_sandbox_without_a_compiler_says_so() {
    let sandbox = Sandbox::with_compiler(1, None, Compiler::default()).unwrap();
    let error = sandbox
        .load("guest", &Guest::default().component())
        .unwrap_err();
    let Fault::NotCompiled(failure) = *error.fault else {
        panic!("{error:?}");
    };
    assert!(matches!(&failure, CompileFailure::Nobody { .. }));
    assert!(
        failure.to_string().contains("Options::compiler"),
        "{failure}"
    );
}

/// Calls that were stopped say nothing about their plugin, and go on once that is lifted.
#[test]
fn an_interrupted_call_is_no_failure_of_the_plugin() {
    let sandbox = sandbox();
    let guest = Guest {
        execute: ASK,
        ..Guest::default()
    };
    let plugin = sandbox.load("guest", &guest.component()).unwrap();
    sandbox.interruption().stop();
    let error = run(&plugin, &mut Script::default()).unwrap_err();
    assert!(error.is_interrupted() && error.is_transient(), "{error:?}");
    sandbox.interruption().lift();
    assert!(run(&plugin, &mut Script::of([answered("so")])).is_ok());
}

/// An endless guest, with no limit in sight, is stopped by what another thread says after it has begun.
#[test]
fn a_call_that_runs_is_interrupted() {
    #[derive(Default)]
    struct Begun(Option<std::sync::mpsc::Sender<()>>);
    impl Model for Begun {
        fn complete(&mut self, _: Vec<GuestRequest>) -> Verdict {
            self.0.take().unwrap().send(()).unwrap();
            answered("so")
        }
    }
    let sandbox = sandbox();
    let guest = Guest {
        execute: ASK_AND_SPIN,
        ..Guest::default()
    };
    let plugin = sandbox.load("guest", &guest.component()).unwrap();
    let limits = Limits {
        fuel: u64::MAX,
        wall: Duration::from_secs(86_400),
        ..Limits::default()
    };
    let (sender, begun) = std::sync::mpsc::channel();
    let error = std::thread::scope(|scope| {
        let interruption = sandbox.interruption();
        scope.spawn(move || {
            begun.recv().unwrap();
            interruption.stop();
        });
        run_within(&plugin, &limits, &mut Begun(Some(sender))).unwrap_err()
    });
    assert!(error.is_interrupted(), "{error:?}");
}
