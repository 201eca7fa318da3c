//! A conformance run: what a plugin must keep to, tried on a component.
//!
//! The sandbox makes most faults impossible to hide: the model is a script, so
//! each run can be cut off at any question, repeated and compared. Configs and
//! inputs are made from the plugin's own schema unless they are given.

mod answers;
mod bench;
mod config;
mod inputs;
mod junit;
mod odd;
mod report;
mod runs;
mod sample;
mod schema;
mod script;
mod settings;
mod units;

use serde_json::{Map, Value};

use crate::artifact::Artifact;
use crate::plugin::{Fault, InvalidDescriptor, Limits, Plugin, PluginError, Refusal, Sandbox};

pub use junit::junit;
pub use report::{Finding, Outcome, Point, Report};

use bench::{Bench, Broken, Cause, End, Job, Trial};
use report::Notes;
use script::{Script, Style};

/// Units that one input may make; a pipeline with more of them was not meant.
const UNITS_OF_AN_INPUT: usize = 1000;
/// The log that is kept of a run, less what one line may be.
const LOG_BYTES: usize = (1 << 20) - (16 << 10);

/// What a check is to use in place of what it would make up.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// The layer's config, files it names already read.
    pub config: Option<Map<String, Value>>,
    /// The inputs, in label order; empty: made up.
    pub inputs: Vec<Artifact>,
    /// What a unit may use.
    pub limits: Limits,
}

/// Checks the component in `bytes`; `name` stands for it where it cannot be loaded.
///
/// The sandbox should have no cache: a cached component does not describe itself again.
pub fn check(sandbox: &Sandbox, name: &str, bytes: &[u8], setup: &Setup) -> Report {
    let mut notes = Notes::default();
    let plugin = match sandbox.load(name, bytes) {
        Ok(plugin) => plugin,
        Err(error) => {
            unloadable(&error, &mut notes);
            let reason = "not tried: the component cannot be loaded";
            return notes.finish(name.to_owned(), None, reason);
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
    };
    let is_unusable = notes.has_failed(Point::ConfigSchema)
        && setup.config.is_none()
        && sample::configs(&plugin.descriptor().config_schema).is_empty();
    if is_unusable {
        let reason = "not tried: no config fits the schema";
        return notes.finish(called, Some(version), reason);
    }
    let reason = match ordinary(&bench, setup) {
        Ok(case) => {
            if settle_ordinary(&bench, &case, bytes, &mut notes) {
                runs::all(&bench, &case, &mut notes);
                answers::all(&bench, &case, &mut notes);
                units::all(&bench, &case, &mut notes);
                odd::all(&bench, &case, &mut notes);
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
    notes.finish(called, Some(version), reason)
}

/// A config and inputs with which units end well, and how they did.
struct Case {
    config: Map<String, Value>,
    /// Whether the config was made up.
    made_up: bool,
    inputs: Vec<Artifact>,
    style: Style,
    jobs: Vec<(Job, Trial)>,
}

impl Case {
    fn is_well(&self) -> bool {
        let well = |(_, trial): &(Job, Trial)| matches!(trial.end, End::Done(_));
        !self.jobs.is_empty() && self.jobs.iter().all(well)
    }

    /// Returns how bad it is: what the plugin itself turns down may only be unsuitable.
    fn rank(&self) -> u8 {
        let turned_down = |(_, trial): &(Job, Trial)| match &trial.end {
            End::Broken(broken) => broken.is_said(),
            End::Done(_) | End::Suspended => false,
        };
        match self.is_well() {
            true => 0,
            false if self.jobs.iter().any(turned_down) => 2,
            false => 1,
        }
    }
}

/// Finds a config, inputs and a style of answers with which ordinary units end well.
///
/// A crash is taken at once; what the plugin turns down is tried otherwise.
fn ordinary(bench: &Bench<'_>, setup: &Setup) -> Result<Case, (Point, String)> {
    let schema = &bench.plugin.descriptor().config_schema;
    let configs = match &setup.config {
        Some(config) => vec![config.clone()],
        None => sample::configs(schema),
    };
    if configs.is_empty() {
        let detail = "no config that fits the schema could be made up: give one with --config";
        return Err((Point::OrdinaryUnits, detail.to_owned()));
    }
    let mut best: Option<Case> = None;
    let mut turned_down = None;
    for config in configs {
        if best.as_ref().is_some_and(|case| case.rank() < 2) {
            break;
        }
        let sets = if setup.inputs.is_empty() {
            inputs::ordinary(&config)
        } else {
            vec![setup.inputs.clone()]
        };
        for inputs in sets {
            if best.as_ref().is_some_and(|case| case.rank() < 2) {
                break;
            }
            let jobs = match bench.jobs(&inputs, &config) {
                Ok(jobs) if jobs.len() > UNITS_OF_AN_INPUT * inputs.len() => {
                    let detail = format!(
                        "`split` makes {} units of {} inputs",
                        jobs.len(),
                        inputs.len()
                    );
                    return Err((Point::Split, detail));
                }
                Ok(jobs) => jobs,
                Err(broken) if broken.is_said() => {
                    turned_down.get_or_insert(broken.words);
                    continue;
                }
                Err(broken) => {
                    let detail = format!("`split` of ordinary inputs: {}", broken.words);
                    return Err((point_of(&broken, Point::Split), detail));
                }
            };
            for style in [
                Style::Plain,
                Style::Json,
                Style::Fixed("1"),
                Style::Fixed("yes"),
            ] {
                let case = Case {
                    jobs: trials(bench, &jobs, &config, style),
                    config: config.clone(),
                    made_up: setup.config.is_none(),
                    inputs: inputs.clone(),
                    style,
                };
                let asks = case.jobs.iter().any(|(_, trial)| !trial.rounds.is_empty());
                let (rank, least) = (case.rank(), best.as_ref().map(Case::rank));
                if least.is_none_or(|least| rank < least) {
                    best = Some(case);
                }
                if rank < 2 || !asks {
                    break;
                }
            }
        }
    }
    best.ok_or_else(|| {
        let words = turned_down.unwrap_or_else(|| "there are no units".to_owned());
        let detail =
            format!("no input gets into a unit ({words}): give --config and --input that suit it");
        (Point::OrdinaryUnits, detail)
    })
}

/// Runs units until one fails in another way than in its own words.
fn trials(
    bench: &Bench<'_>,
    jobs: &[Job],
    config: &Map<String, Value>,
    style: Style,
) -> Vec<(Job, Trial)> {
    let mut trials = Vec::with_capacity(jobs.len());
    for job in jobs {
        let trial = bench.run(job, config, Script::all(style));
        let is_fatal = matches!(&trial.end, End::Broken(broken) if !broken.is_said());
        trials.push((job.clone(), trial));
        if is_fatal {
            break;
        }
    }
    trials
}

/// Says of the ordinary units what there is to say; tells whether the rest can be tried.
fn settle_ordinary(bench: &Bench<'_>, case: &Case, bytes: &[u8], notes: &mut Notes) -> bool {
    capabilities(bench, case, bytes, notes);
    for (job, trial) in &case.jobs {
        let End::Broken(broken) = &trial.end else {
            continue;
        };
        let unit = job.unit.key.as_str();
        let undeclared = notes.has_failed(Point::Capabilities) && trial.refusal.is_some();
        let detail = match &broken.cause {
            Cause::Said(_) => match (broken.misspoken(0), &trial.refusal) {
                (Some(what), _) => format!("unit {unit:?}: {what}: {}", broken.words),
                (None, Some(_)) => format!("unit {unit:?}: {}", broken.words),
                (None, None) => format!(
                    "unit {unit:?}: {}; if that is right, give --config and --input that suit it",
                    broken.words
                ),
            },
            Cause::Grant
            | Cause::Crash
            | Cause::Limit
            | Cause::Output
            | Cause::Label
            | Cause::Split => {
                format!("unit {unit:?}: {}", broken.words)
            }
        };
        let point = match &trial.refusal {
            Some(Refusal::OverLimit(_)) => Point::Limits,
            _ => point_of(broken, Point::OrdinaryUnits),
        };
        if !undeclared {
            notes.fail(point, detail);
        }
        return false;
    }
    if let Some(detail) = flooded_log(case) {
        notes.fail(Point::Limits, detail);
        return false;
    }
    if let Some(detail) = unusable_format(case) {
        notes.fail(Point::OrdinaryUnits, detail);
        return false;
    }
    let units = case.jobs.len();
    if case.is_well() {
        notes.pass(
            Point::OrdinaryUnits,
            format!("{units} of {units} units of {} inputs", case.inputs.len()),
        );
    } else {
        notes.fail(Point::Split, "`split` made no unit of ordinary inputs");
    }
    case.is_well()
}

/// Finds a unit whose log was cut; each further run of it would take its time.
fn flooded_log(case: &Case) -> Option<String> {
    let logged = case.jobs.iter().map(|(job, trial)| {
        let bytes: usize = trial.log.iter().map(|line| line.message.len() + 64).sum();
        (job.unit.key.as_str(), bytes)
    });
    let (unit, bytes) = logged.into_iter().find(|(_, bytes)| *bytes >= LOG_BYTES)?;
    Some(format!(
        "unit {unit:?} logs more than is kept of a run: {bytes} bytes and more"
    ))
}

/// Finds a question whose answer should have a form that no provider takes.
fn unusable_format(case: &Case) -> Option<String> {
    let formats = case.jobs.iter().flat_map(|(job, trial)| {
        let asked = trial.rounds.iter().flatten();
        asked.filter_map(move |ask| Some((job, ask.response_format.as_ref()?)))
    });
    let mut formats = formats.map(|(job, format)| (job, script::schema_of(format)));
    let (job, schema) = formats.find(|(_, schema)| sample::validator(schema).is_none())?;
    let shown: String = schema.to_string().chars().take(120).collect();
    Some(format!(
        "unit {:?}: the response format of its question is no JSON Schema: {shown}",
        job.unit.key.as_str()
    ))
}

/// Compares what is declared with what is used.
fn capabilities(bench: &Bench<'_>, case: &Case, bytes: &[u8], notes: &mut Notes) {
    let declares = bench.plugin.descriptor().declares_llm();
    let asked = case.jobs.iter().any(|(_, trial)| !trial.rounds.is_empty());
    let refused = case.jobs.iter().any(|(_, trial)| trial.refusal.is_some());
    let imports = super::inspect::imports(bytes);
    let imports_llm = imports.is_ok_and(|names| {
        names
            .iter()
            .any(|name| name.starts_with("synix:plugin/llm@"))
    });
    let point = Point::Capabilities;
    match (declares, asked) {
        (false, _) if refused => {
            notes.fail(point, "it asks a model and does not declare `llm`");
        }
        // A unit that ends badly may have been about to ask.
        (true, false) if !case.is_well() => {
            notes.skip(
                point,
                "it declares `llm` and asked nothing before it failed",
            );
        }
        (true, false) if !imports_llm => {
            notes.fail(point, "it declares `llm` and never calls it");
        }
        (true, false) => notes.skip(point, "it declares `llm` and asked nothing here"),
        (true, true) => notes.pass(point, "declares and uses `llm`"),
        (false, _) if imports_llm => {
            notes.pass(
                point,
                "declares nothing and asks nothing, though it imports `llm`",
            );
        }
        (false, _) => notes.pass(point, "declares nothing and asks nothing"),
    }
}

/// Names the point that a failure belongs to; `crash` is where a crash does.
const fn point_of(broken: &Broken, crash: Point) -> Point {
    match broken.cause {
        Cause::Grant => Point::Capabilities,
        Cause::Limit => Point::Limits,
        Cause::Output => Point::Outputs,
        Cause::Label => Point::Labels,
        Cause::Split => Point::Split,
        Cause::Said(_) | Cause::Crash => crash,
    }
}

/// Names the point that a failure under odd circumstances belongs to, with what is wrong; the plugin's own refusal belongs
/// to none where it says why. `given` are the bytes of what it may have repeated.
fn fault_of(broken: &Broken, crash: Point, given: usize) -> Option<(Point, String)> {
    match (&broken.cause, broken.misspoken(given)) {
        (Cause::Said(_), None) => None,
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
