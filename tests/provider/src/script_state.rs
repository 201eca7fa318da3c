//! A script in force: which rules and faults have fired how often.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use memchr::memmem::Finder;
use tokio::sync::watch;

use crate::clock::mix;
use crate::endpoint::Endpoint;
use crate::script::{FaultKind, Mode, Rule, Script};

/// A script with its counters.
#[derive(Debug)]
pub(crate) struct ScriptState {
    pub(crate) script: Script,
    finders: Vec<Finder<'static>>,
    fired: Vec<AtomicU64>,
    calls: Vec<AtomicU64>,
    replaced: watch::Sender<bool>,
}

impl ScriptState {
    pub(crate) fn new(script: Script) -> Self {
        Self {
            finders: script
                .rules
                .iter()
                .map(|rule| Finder::new(&rule.contains).into_owned())
                .collect(),
            fired: script.rules.iter().map(|_| AtomicU64::new(0)).collect(),
            calls: script.faults.iter().map(|_| AtomicU64::new(0)).collect(),
            replaced: watch::Sender::new(false),
            script,
        }
    }

    /// Releases all replies that are held.
    pub(crate) fn replace(&self) {
        self.replaced.send_replace(true);
    }

    /// Waits until another script is in force.
    pub(crate) async fn until_replaced(&self) {
        // The sender lives as long as this borrow of it.
        let _ = self
            .replaced
            .subscribe()
            .wait_for(|replaced| *replaced)
            .await;
    }

    /// Finds the rule for a message and counts it as fired.
    pub(crate) fn rule(&self, message: &str, mode: Mode) -> Option<&Rule> {
        let rules = self.script.rules.iter().zip(&self.finders).zip(&self.fired);
        rules
            .filter(|((rule, finder), _)| {
                rule.only.is_none_or(|only| only == mode)
                    && finder.find(message.as_bytes()).is_some()
            })
            .find(|((rule, _), fired)| {
                rule.times.is_none_or(|times| {
                    let more = |count| (count < times).then_some(count + 1);
                    fired
                        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
                        .is_ok()
                })
            })
            .map(|((rule, _), _)| rule)
    }

    /// Counts a call of `endpoint` and returns the faults that hit it.
    pub(crate) fn faults(&self, endpoint: Endpoint) -> Vec<FaultKind> {
        let faults = self
            .script
            .faults
            .iter()
            .zip(&self.calls)
            .filter(|(fault, _)| fault.endpoint == endpoint);
        let hits =
            faults.filter(|(fault, calls)| fault.hits(calls.fetch_add(1, Ordering::Relaxed) + 1));
        hits.map(|(fault, _)| fault.fault.clone()).collect()
    }

    /// Tells whether a model is known.
    pub(crate) fn knows(&self, model: &str) -> bool {
        self.script.models.is_empty() || self.script.models.iter().any(|known| known == model)
    }

    /// Draws a time between `least` and `most` milliseconds, the same for the same `number`.
    pub(crate) fn draw(&self, [least, most]: [u64; 2], number: u64) -> Duration {
        let width = most.saturating_sub(least).saturating_add(1);
        Duration::from_millis(least + mix(self.script.seed ^ number) % width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::{Fault, Reply};

    #[test]
    fn a_rule_that_has_run_out_gives_way_to_the_next() {
        let script = Script::new()
            .rule(Rule::on("bob").text("first").times(1))
            .rule(Rule::any().text("second"));
        let script_state = ScriptState::new(script);
        let texts: Vec<_> = (0..2)
            .map(|_| {
                script_state
                    .rule("about bob", Mode::Sync)
                    .unwrap()
                    .reply
                    .clone()
            })
            .collect();
        assert_eq!(
            texts,
            [Reply::Text("first".into()), Reply::Text("second".into())]
        );
    }

    #[test]
    fn a_rule_for_batches_leaves_single_calls_alone() {
        let script_state = ScriptState::new(Script::new().rule(Rule::any().only(Mode::Batch)));
        assert!(script_state.rule("text", Mode::Sync).is_none());
    }

    #[test]
    fn two_faults_can_hit_one_call() {
        let script = Script::new()
            .fault(Fault::on(Endpoint::BatchesCreate, FaultKind::LoseReply).once())
            .fault(Fault::on(Endpoint::BatchesCreate, FaultKind::NoCounts));
        let script_state = ScriptState::new(script);
        assert_eq!(
            script_state.faults(Endpoint::BatchesCreate),
            [FaultKind::LoseReply, FaultKind::NoCounts]
        );
        assert_eq!(
            script_state.faults(Endpoint::BatchesCreate),
            [FaultKind::NoCounts]
        );
    }

    #[test]
    fn draws_stay_in_their_range() {
        let script_state = ScriptState::new(Script::new().seed(7));
        let drawn = (0..50).map(|number| script_state.draw([3, 5], number).as_millis());
        assert_eq!(
            drawn.collect::<std::collections::BTreeSet<_>>(),
            [3, 4, 5].into()
        );
    }
}
