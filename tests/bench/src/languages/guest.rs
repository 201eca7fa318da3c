//! Calls a plugin as a build does: in a fresh instance for each unit, with answers from memory.

use std::time::Duration;

use synix_core::artifact::{Artifact, Content};
use synix_core::digest::Digest;
use synix_core::ids::{Kind, Label, UnitKey};
use synix_core::request::{Answer, Ending, GuestRequest, Usage};
use synix_sandbox::{Call, Limits, Model, ModelResponse, Plugin, Run, UnitSpec};

use super::{ANSWER, LABEL, QUESTION};
use crate::Outcome;

/// The number of instances at a time while memory is measured.
pub(super) const DEPTH: usize = 8;

/// The page size of Linux, the unit of `statm`.
const PAGE_KB: u64 = 4;

/// Returns the time for one unit.
pub(super) fn time(plugin: &Plugin, least: Duration) -> Outcome<Duration> {
    let input = input()?;
    super::per_unit(least, || execute(plugin, &input, FixedModel).map(|_| ()))
}

/// Returns the memory of an instance in KB while it waits for an answer.
pub(super) fn memory(plugin: &Plugin) -> Outcome<u64> {
    let input = input()?;
    let nested = Nested {
        plugin: plugin.clone(),
        input: input.clone(),
        depth: 1,
        seen: Vec::new(),
    };
    let seen = execute(plugin, &input, nested)?.seen;
    // The memory of the first instance includes what all instances share.
    match (seen.first(), seen.last()) {
        (Some(first), Some(last)) if seen.len() == DEPTH => {
            Ok(last.saturating_sub(*first) * PAGE_KB / (DEPTH as u64 - 1))
        }
        _ => Err("memory was not measured".into()),
    }
}

fn execute<M: Model>(plugin: &Plugin, input: &(Artifact, Digest), model: M) -> Outcome<M> {
    let unit = UnitSpec {
        key: UnitKey::parse(LABEL)?,
        inputs: vec![0],
        config: None,
    };
    let call = Call {
        unit: &unit,
        inputs: std::slice::from_ref(input),
        config: "{}",
        limits: &Limits::default(),
        grants: synix_sandbox::Grants::ALL,
    };
    let executed = plugin.execute(&call, model);
    match executed.run? {
        Run::Done { outputs, .. } if outputs.len() == 1 => Ok(executed.model),
        run @ (Run::Done { .. } | Run::Suspended) => {
            Err(format!("one output was expected: {run:?}").into())
        }
    }
}

fn input() -> Outcome<(Artifact, Digest)> {
    let artifact = Artifact {
        label: Label::parse(LABEL)?,
        kind: Kind::parse("text")?,
        content: Content::Text(QUESTION.to_owned()),
        metadata: Default::default(),
    };
    let digest = artifact.digest()?;
    Ok((artifact, digest))
}

struct FixedModel;

impl Model for FixedModel {
    fn complete(&mut self, asked: Vec<GuestRequest>) -> ModelResponse {
        ModelResponse::Answered(asked.iter().map(|_| answer()).collect())
    }
}

/// Runs the next instance while the previous one waits for its answer.
struct Nested {
    plugin: Plugin,
    input: (Artifact, Digest),
    depth: usize,
    seen: Vec<u64>,
}

impl Model for Nested {
    fn complete(&mut self, asked: Vec<GuestRequest>) -> ModelResponse {
        self.seen.extend(resident_pages());
        if self.depth < DEPTH {
            let deeper = Self {
                plugin: self.plugin.clone(),
                input: self.input.clone(),
                depth: self.depth + 1,
                seen: std::mem::take(&mut self.seen),
            };
            // If an instance fails, its missing measurement is detected later.
            self.seen = execute(&self.plugin, &self.input, deeper)
                .map_or_else(|_| Vec::new(), |deeper| deeper.seen);
        }
        FixedModel.complete(asked)
    }
}

fn resident_pages() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    statm.split_whitespace().nth(1)?.parse().ok()
}

fn answer() -> Answer {
    Answer {
        text: ANSWER.to_owned(),
        ending: Ending::Complete,
        model: "gpt-4o-mini".to_owned(),
        usage: Usage::default(),
        details: serde_json::Map::new(),
    }
}
