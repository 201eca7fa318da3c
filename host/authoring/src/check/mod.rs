//! A conformance run: what a plugin must keep to, tried on a component.
//!
//! The sandbox makes most faults impossible to hide: the model is a script, so
//! each run can be cut off at any question, repeated and compared. Configs and
//! inputs are made from the plugin's own schema unless they are given.

mod answers;
mod bench;
mod case;
mod config;
mod inputs;
mod junit;
mod odd;
mod ordinary;
mod report;
mod runs;
mod sample;
mod schema;
mod script;
mod settings;
mod units;
mod variants;

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use synix_core::artifact::Artifact;
use synix_sandbox::{Fault, InvalidDescriptor, Limits, Plugin, PluginError, Sandbox};

pub use junit::{TestCase, TestOutcome, junit, junit_of};
pub use report::{Finding, Outcome, Point, Progress, Report};

use bench::{Bench, Broken, Cause};
use case::Case;
use report::{Deadline, Notes};

/// What a check is to use in place of what it would make up.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// The layer's config, files it names already read.
    pub config: Option<Map<String, Value>>,
    /// The inputs, in label order; empty: made up.
    pub inputs: Vec<Artifact>,
    /// What a unit may use.
    pub limits: Limits,
    /// What the model answers in the ordinary way: to the first question the first, to all beyond the last; empty: made up.
    pub replies: Vec<String>,
    /// How long the check may take; `None`: as long as it takes.
    pub timeout: Option<Duration>,
}

/// Checks the component in `bytes`; `name` stands for it where it cannot be loaded.
///
/// The sandbox should have no cache: a cached component does not describe itself again.
/// `seen` is told what is tried, before each call of the plugin.
pub fn check(
    sandbox: &Sandbox,
    name: &str,
    bytes: &[u8],
    setup: &Setup,
    seen: &dyn Fn(Progress),
) -> Report {
    let deadline = setup.timeout.map(Deadline::after).unwrap_or_default();
    let mut notes = Notes::until(deadline);
    seen(Progress {
        stage: "loading it",
        runs: 0,
    });
    let plugin = match sandbox.load(name, bytes) {
        Ok(plugin) => plugin,
        Err(error) => {
            unloadable(&error, &mut notes);
            let reason = "not tried: the component cannot be loaded";
            return notes.finish_in_time(name.to_owned(), None, reason);
        }
    };
    let (called, version) = {
        let descriptor = plugin.descriptor();
        (descriptor.name.clone(), descriptor.version.clone())
    };
    notes.pass(
        Point::Component,
        format!("fits {} and can be called", Sandbox::contract()),
    );
    described(&plugin, &mut notes);
    schema::check(&plugin.descriptor().config_schema, &mut notes);
    let bench = Bench {
        plugin: &plugin,
        limits: setup.limits.clone(),
        replies: Arc::from(setup.replies.as_slice()),
        deadline,
        seen,
        runs: Cell::new(0),
        stage: Cell::new("loading it"),
    };
    bench.enter("ordinary units");
    let is_unusable = notes.has_failed(Point::ConfigSchema)
        && setup.config.is_none()
        && sample::configs(&plugin.descriptor().config_schema).is_empty();
    if is_unusable {
        let reason = "not tried: no config fits the schema";
        return notes.finish_in_time(called, Some(version), reason);
    }
    let reason = match case::find(&bench, setup) {
        Ok(case) => {
            if ordinary::settle(&bench, &case, bytes, &mut notes) {
                bench.enter("repeated and cut runs");
                runs::all(&bench, &case, &mut notes);
                bench.enter("odd answers");
                answers::all(&bench, &case, &mut notes);
                bench.enter("units");
                units::all(&bench, &case, &mut notes);
                bench.enter("odd inputs");
                odd::all(&bench, &case, &mut notes);
                bench.enter("odd configs");
                config::all(&bench, &case, &mut notes);
                if !notes.has_failed(Point::Limits) {
                    notes.pass(Point::Limits, "no run reached a limit");
                }
            }
            "not tried: ordinary units do not end as they should"
        }
        Err((point, detail)) => {
            notes.fail(point, detail);
            "not tried: there is nothing to try it with"
        }
    };
    notes.finish_in_time(called, Some(version), reason)
}

/// Names the point that a failure belongs to; `crash` is where a crash does.
const fn point_of(broken: &Broken, crash: Point) -> Point {
    match broken.cause {
        Cause::Grant => Point::Capabilities,
        Cause::Limit => Point::Limits,
        Cause::Output | Cause::Unseen => Point::Outputs,
        Cause::Label => Point::Labels,
        Cause::Split => Point::Split,
        Cause::Said(_) | Cause::Crash => crash,
    }
}

/// Names the point that a failure under odd circumstances belongs to, with what is wrong; the plugin's own refusal belongs
/// to none where it says why. `given` are the bytes of what it may have repeated.
fn fault_of(broken: &Broken, crash: Point, given: usize) -> Option<(Point, String)> {
    match (&broken.cause, broken.misspoken(given)) {
        // The host refuses such a name in words of its own.
        (Cause::Said(_), None) | (Cause::Unseen, _) => None,
        (Cause::Said(_), Some(what)) => Some((crash, what.to_owned())),
        (_, _) => Some((point_of(broken, crash), broken.words.clone())),
    }
}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "whatever else keeps a component from being loaded is wrong with the component"
)]
fn unloadable(error: &PluginError, notes: &mut Notes) {
    let mut words = Broken::of(&error.fault).words;
    let point = match error.fault.as_ref() {
        Fault::BadDescriptor(invalid) => match invalid {
            InvalidDescriptor::SchemaJson(_) | InvalidDescriptor::Schema(_) => Point::ConfigSchema,
            InvalidDescriptor::UnknownCapability(_) => Point::Capabilities,
            _ => Point::Descriptor,
        },
        Fault::NotGranted => Point::Capabilities,
        Fault::OutOfFuel { .. }
        | Fault::OutOfTime { .. }
        | Fault::OutOfMemory { .. }
        | Fault::HostcallTooLarge { .. } => Point::Limits,
        Fault::Trapped { .. } | Fault::StackOverflow | Fault::Interface { .. } => Point::Descriptor,
        _ => Point::Component,
    };
    if point != Point::Component {
        notes.pass(Point::Component, format!("fits {}", Sandbox::contract()));
        if !matches!(error.fault.as_ref(), Fault::BadDescriptor(_)) {
            words = format!("`describe`: {words}");
        }
    }
    notes.fail(point, words);
}

fn described(plugin: &Plugin, notes: &mut Notes) {
    let descriptor = plugin.descriptor();
    if descriptor.summary.trim().is_empty() {
        notes.fail(
            Point::Descriptor,
            "its summary is empty: say in one line what it does",
        );
    } else if !is_version(&descriptor.version) {
        notes.fail(
            Point::Descriptor,
            format!("its version {:?} is not like 1.2.3", descriptor.version),
        );
    }
}

/// Tells whether a version is three numbers, perhaps with more behind them.
fn is_version(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<&str> = core.split('.').collect();
    let digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let rest = text.strip_prefix(core).unwrap_or_default();
    let is_whole = rest
        .split(['-', '+', '.'])
        .skip(1)
        .all(|part| !part.is_empty());
    numbers.len() == 3 && numbers.iter().all(digits) && is_whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_three_numbers_and_what_follows_is_whole() {
        for good in ["1.2.3", "0.1.0-rc.1", "1.0.0+7", "1.0.0-a+b.c"] {
            assert!(is_version(good), "{good}");
        }
        for bad in [
            "",
            "1.0",
            "1.0.0.0",
            "latest",
            "1.0.0-",
            "1.0.0-a..b",
            "v1.0.0",
        ] {
            assert!(!is_version(bad), "{bad}");
        }
    }
}
