//! Runs one unit of a chunk.

use std::time::Duration;

use serde_json::{Map, Value};

use synix_core::causes::with_causes;
use synix_sandbox::{Call, Fault, Grants, Limits, LogLine, Plugin, PluginError, Run, UnitSpec};
use synix_units::{
    DocumentError, Inputs, ObjectRef, TextPayload, TransformSettings, UnitEnd, UnitJob,
    WireArtifact, WireInput, WireLine, WireRequest,
};

use crate::error::WorkerError;
use crate::objects::ObjectReader;
use crate::rounds::KnownRounds;

/// The maximum length of the message of a failure, in bytes.
const MESSAGE_BYTES: usize = 64 << 10;

/// A transform of a chunk, ready to run units.
pub(crate) struct ReadyTransform {
    plugin: Plugin,
    config_text: String,
    config: Map<String, Value>,
    limits: Limits,
    grants: Grants,
}

impl ReadyTransform {
    pub(crate) fn new(
        plugin: Plugin,
        settings: &TransformSettings,
        objects: &ObjectReader,
    ) -> Result<Self, WorkerError> {
        let config_text = match &settings.config {
            TextPayload::Text(text) => text.clone(),
            TextPayload::Object(object) => {
                let bytes = objects.get(*object)?.to_vec();
                String::from_utf8(bytes).map_err(|_| DocumentError::Encoding {
                    what: "the config of a layer",
                    encoding: "UTF-8",
                })?
            }
        };
        let limits = settings.limits;
        let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        Ok(Self {
            plugin,
            config: json("the config of a layer", &config_text)?,
            config_text,
            limits: Limits {
                fuel: limits.fuel,
                memory_bytes: size(limits.memory_bytes),
                wall: Duration::from_millis(limits.wall_ms),
                hostcall_bytes: size(limits.hostcall_bytes),
                output_bytes: size(limits.output_bytes),
                requests: limits.requests,
                tokens: limits.tokens,
            },
            grants: Grants {
                llm: settings.grants.llm,
                embed: settings.grants.embed,
            },
        })
    }

    /// Runs a unit until it ends or comes to a round that is not answered.
    pub(crate) fn run(&self, job: UnitJob, objects: &ObjectReader) -> Result<UnitEnd, WorkerError> {
        let inputs = match job.inputs {
            Inputs::List(list) => list,
            Inputs::Object(object) => {
                let bytes = objects.get(object)?;
                serde_json::from_slice(&bytes).map_err(|source| DocumentError::Syntax {
                    what: "a list of inputs",
                    source,
                })?
            }
        };
        let fetch = |object: ObjectRef| Ok::<_, WorkerError>(objects.get(object)?.to_vec());
        let inputs = inputs
            .into_iter()
            .map(|input: WireInput| input.into_input(fetch));
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        let config = job.config.as_deref();
        let unit = UnitSpec {
            key: job.key,
            inputs: job.positions,
            config: config
                .map(|text| json("the config of a unit", text))
                .transpose()?,
        };
        let rounds = KnownRounds::read(job.rounds, objects)?;
        let config = unit.merged_config(&self.config);
        let call = Call {
            unit: &unit,
            inputs: &inputs,
            config: config.as_deref().unwrap_or(&self.config_text),
            limits: &self.limits,
            grants: self.grants,
        };
        let executed = self.plugin.execute(&call, rounds);
        end(executed.run, &executed.model)
    }
}

/// Returns how a run ended, for the host.
fn end(run: Result<Run, PluginError>, rounds: &KnownRounds) -> Result<UnitEnd, WorkerError> {
    if let Some(round) = rounds.diverged {
        return Ok(UnitEnd::Diverged { round });
    }
    let unused = rounds.next_unused();
    Ok(match run {
        Ok(Run::Suspended) => UnitEnd::Round {
            requests: rounds.asked.iter().flatten().map(WireRequest::of).collect(),
        },
        Ok(Run::Done { outputs, log }) => match unused {
            Some(round) => UnitEnd::Diverged { round },
            None => UnitEnd::Done {
                outputs: outputs.iter().map(WireArtifact::of).collect(),
                log: log.into_iter().map(line).collect(),
            },
        },
        Err(error) if error.is_interrupted() => return Err(WorkerError::Stopped),
        Err(error) if matches!(*error.fault, Fault::Busy { .. }) => {
            return Err(WorkerError::Busy(error));
        }
        Err(error) => {
            let mut message = with_causes(&error);
            message.truncate(message.floor_char_boundary(MESSAGE_BYTES));
            UnitEnd::Failed {
                message,
                transient: error.is_transient(),
            }
        }
    })
}

fn line(line: LogLine) -> WireLine {
    WireLine {
        level: line.level.to_string(),
        message: line.message,
    }
}

fn json(what: &'static str, text: &str) -> Result<Map<String, Value>, DocumentError> {
    serde_json::from_str(text).map_err(|source| DocumentError::Json { what, source })
}
