//! Interrupting calls from another thread.

use std::time::Duration;

use super::*;

/// An interrupted call says nothing about its plugin, and calls succeed again after `resume`.
#[test]
fn an_interrupted_call_is_not_a_failure_of_the_plugin() {
    let sandbox = sandbox();
    let guest = Guest {
        execute: ASK,
        ..Guest::default()
    };
    let plugin = sandbox.load("guest", &guest.component()).unwrap();
    sandbox.interrupt_handle().stop();
    let error = run(&plugin, &mut Script::default()).unwrap_err();
    assert!(error.is_interrupted() && error.is_transient(), "{error:?}");
    sandbox.interrupt_handle().resume();
    assert!(run(&plugin, &mut Script::of([answered("so")])).is_ok());
}

/// Another thread interrupts an endless guest after it has started.
#[test]
fn a_running_call_is_interrupted() {
    #[derive(Default)]
    struct SignalStart(Option<std::sync::mpsc::Sender<()>>);
    impl Model for SignalStart {
        fn complete(&mut self, _: Vec<GuestRequest>) -> ModelResponse {
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
        let interruption = sandbox.interrupt_handle();
        scope.spawn(move || {
            begun.recv().unwrap();
            interruption.stop();
        });
        run_within(&plugin, &limits, &mut SignalStart(Some(sender))).unwrap_err()
    });
    assert!(error.is_interrupted(), "{error:?}");
}
