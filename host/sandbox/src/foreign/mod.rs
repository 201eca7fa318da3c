//! Checks what another machine reports about a run, as if a guest had passed it.
//!
//! A worker runs a unit, and its sandbox checks what the guest makes. The host checks it again with the same rules, so a
//! worker cannot do more than a guest can. JSON is the exception: the worker has parsed and printed it, so its length
//! may differ from the one that the guest passed, and its limits are wider here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Plugin;
use super::convert;
use super::fault::Fault;
use super::imports::embedding::check_texts;
use super::imports::log::{LogLine, fits};
use super::imports::request::{JSON_BYTES, check_request, size};
use super::limits::Limits;
use super::model::{Grants, Refusal};
use super::values::{self, METADATA_BYTES, METADATA_VALUES};
use synix_contract::bindings::synix::plugin::{llm as wit, types};
use synix_core::artifact::{Artifact, Content, Metadata};
use synix_core::json;
use synix_core::request::{GuestRequest, Message, Part, Role};

/// How much longer JSON can be once it is printed again: `1e20` has 21 digits then.
const JSON_GROWTH: usize = 8;

/// A report about a run has something that no guest could have passed.
#[derive(Debug, thiserror::Error)]
pub enum Unacceptable {
    /// The outputs break a rule.
    #[error(transparent)]
    Outputs(#[from] Fault),
    /// The log is too long.
    #[error("the log is longer than a plugin can make it")]
    Log,
    /// The round has no requests.
    #[error("a round has no requests")]
    NoRequest,
    /// The plugin may not make such requests.
    #[error("requests that the plugin may not make")]
    NotGranted,
    /// There are more requests than the unit may make.
    #[error("{count} requests in one round; the unit may make {limit}")]
    TooManyRequests {
        /// The number of requests.
        count: usize,
        /// The limit of the unit.
        limit: u32,
    },
    /// The requests have more bytes than the unit may pass to the host.
    #[error("{bytes} bytes in one round; the unit may pass {limit}")]
    TooManyBytes {
        /// The size of the requests.
        bytes: usize,
        /// The limit of the unit.
        limit: usize,
    },
    /// A request breaks a rule.
    #[error("a request that the sandbox refuses: {0}")]
    Request(Refusal),
    /// A request is not as the sandbox would have passed it.
    #[error("a request that the sandbox does not make")]
    NotNormal,
}

/// Checks the outputs of a unit that ran elsewhere.
pub fn check_outputs(
    outputs: Vec<Artifact>,
    limits: &Limits,
) -> Result<Vec<Artifact>, Unacceptable> {
    let (outputs, metadata): (Vec<types::Output>, Vec<Metadata>) =
        outputs.into_iter().map(without_metadata).unzip();
    let mut checked = convert::artifacts(outputs, limits)?;
    let mut values_left = METADATA_VALUES;
    for (position, (artifact, metadata)) in checked.iter_mut().zip(metadata).enumerate() {
        let entries = metadata.iter();
        let entries = entries.map(|(name, value)| (name.clone(), value.to_string()));
        let max_bytes = JSON_GROWTH * METADATA_BYTES;
        artifact.metadata = values::metadata_within(entries, &mut values_left, max_bytes)
            .map_err(|source| Fault::InvalidOutput { position, source })?;
    }
    Ok(checked)
}

/// Checks the log of a unit that ran elsewhere.
pub fn check_log(log: &[LogLine]) -> Result<(), Unacceptable> {
    if fits(log) {
        Ok(())
    } else {
        Err(Unacceptable::Log)
    }
}

impl Plugin {
    /// Checks a round of a unit that ran elsewhere.
    pub fn check_round(
        &self,
        requests: &[GuestRequest],
        grants: Grants,
        limits: &Limits,
    ) -> Result<(), Unacceptable> {
        let granted = self.descriptor().allowed(grants);
        let Some(first) = requests.first() else {
            return Err(Unacceptable::NoRequest);
        };
        if u32::try_from(requests.len()).map_or(true, |count| count > limits.requests) {
            return Err(Unacceptable::TooManyRequests {
                count: requests.len(),
                limit: limits.requests,
            });
        }
        if first.is_embedding {
            if !granted.embed {
                return Err(Unacceptable::NotGranted);
            }
            return check_embeddings(requests, first.model.as_ref());
        }
        if !granted.llm {
            return Err(Unacceptable::NotGranted);
        }
        let mut bytes = 0_usize;
        for request in requests {
            bytes = bytes.saturating_add(check_completion(request)?);
        }
        if bytes > limits.hostcall_bytes {
            return Err(Unacceptable::TooManyBytes {
                bytes,
                limit: limits.hostcall_bytes,
            });
        }
        Ok(())
    }
}

fn without_metadata(artifact: Artifact) -> (types::Output, Metadata) {
    let content = match artifact.content {
        Content::Text(text) => types::Content::Text(text),
        Content::Bytes { media_type, data } => {
            types::Content::Bytes(types::Blob { media_type, data })
        }
    };
    let output = types::Output {
        label: artifact.label.into(),
        kind: artifact.kind.into(),
        content,
        metadata: Vec::new(),
    };
    (output, artifact.metadata)
}

/// Checks texts whose vectors are requested, all of one model role.
fn check_embeddings(requests: &[GuestRequest], role: Option<&String>) -> Result<(), Unacceptable> {
    let mut texts = Vec::with_capacity(requests.len());
    for request in requests {
        let text = match request.messages.as_slice() {
            [Message { parts, .. }] => match parts.as_slice() {
                [Part::Text(text)] => text,
                _ => return Err(Unacceptable::NotNormal),
            },
            _ => return Err(Unacceptable::NotNormal),
        };
        if *request != GuestRequest::embedding(text, role.cloned()) {
            return Err(Unacceptable::NotNormal);
        }
        texts.push(text.as_str());
    }
    check_texts(&texts, role.cloned()).map_err(Unacceptable::Request)?;
    Ok(())
}

/// Checks a request for a completion, and returns how many bytes a guest passes for it, without its JSON.
fn check_completion(request: &GuestRequest) -> Result<usize, Unacceptable> {
    let options = Value::Object(request.options.clone());
    for value in request.response_format.iter().chain([&options]) {
        let canonical = json::canonical(value).map_err(|_| Unacceptable::NotNormal)?;
        if canonical.len() > JSON_GROWTH * JSON_BYTES {
            return Err(Unacceptable::NotNormal);
        }
    }
    if !matches!(request.response_format, None | Some(Value::Object(_))) {
        return Err(Unacceptable::NotNormal);
    }
    let raw = raw_request(request)?;
    let bytes = size(&raw);
    let checked = check_request(raw).map_err(Unacceptable::Request)?;
    // The sandbox makes a negative zero positive, and both are equal.
    if checked.temperature.map(f64::to_bits) != request.temperature.map(f64::to_bits) {
        return Err(Unacceptable::NotNormal);
    }
    let same = GuestRequest {
        response_format: request.response_format.clone(),
        options: request.options.clone(),
        ..checked
    };
    if same != *request {
        return Err(Unacceptable::NotNormal);
    }
    Ok(bytes)
}

/// Returns a request as a guest passes it, without its JSON.
fn raw_request(request: &GuestRequest) -> Result<wit::Request, Unacceptable> {
    let messages = request.messages.iter().map(|message| {
        let parts = message.parts.iter().map(raw_part);
        Ok(wit::Message {
            role: match message.role {
                Role::System => wit::Role::System,
                Role::User => wit::Role::User,
                Role::Assistant => wit::Role::Assistant,
            },
            parts: parts.collect::<Result<_, Unacceptable>>()?,
        })
    });
    Ok(wit::Request {
        messages: messages.collect::<Result<_, Unacceptable>>()?,
        max_tokens: request.max_tokens,
        temperature: request.temperature,
        stop: request.stop.clone(),
        response_format: None,
        model: request.model.clone(),
        sample: request.sample,
        options: None,
    })
}

fn raw_part(part: &Part) -> Result<wit::Part, Unacceptable> {
    Ok(match part {
        Part::Text(text) => wit::Part::Text(text.clone()),
        Part::Image { media_type, data } => wit::Part::Image(types::Blob {
            media_type: media_type.clone(),
            data: STANDARD.decode(data).map_err(|_| Unacceptable::NotNormal)?,
        }),
    })
}

#[cfg(test)]
mod tests;
