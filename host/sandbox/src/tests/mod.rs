//! Tests of the sandbox through its public interface, with the guests of [`super::fixture`].

mod cache;
mod interruption;
mod limits;
mod load;
mod model;
mod runs;

use super::fixture::{ASK, ASK_AND_SPIN, ASK_BOTH, Guest, SPIN};
use super::*;
use synix_core::artifact::{Artifact, Content};
use synix_core::ids::UnitKey;
use synix_core::request::{Answer, Ending, GuestRequest, Part, Usage};

/// A model that returns prepared responses in order and records the requests.
#[derive(Default)]
struct Script {
    responses: Vec<ModelResponse>,
    requests: Vec<GuestRequest>,
}

impl Script {
    fn of(responses: impl IntoIterator<Item = ModelResponse>) -> Self {
        Self {
            responses: responses.into_iter().collect(),
            requests: Vec::new(),
        }
    }
}

impl Model for Script {
    fn complete(&mut self, requests: Vec<GuestRequest>) -> ModelResponse {
        self.requests.extend(requests);
        self.responses.remove(0)
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

fn answered(text: &str) -> ModelResponse {
    ModelResponse::Answered(vec![answer(text)])
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
        grants: Grants::ALL,
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

/// Runs a guest that fails, and returns the fault.
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
