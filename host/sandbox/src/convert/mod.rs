//! Converts between the types of the contract and those of the host.
//!
//! Checks each value of a guest, except for requests, which [`super::imports`] checks.

use std::collections::HashSet;

use serde_json::Value;

use super::Header;
use super::descriptor::{self, Shape};
use super::fault::Fault;
use super::limits::Limits;
use super::split::{self, UnitSpec};
use super::values::{self, InvalidOutput};
use synix_contract::bindings::synix::plugin::types as wit;
use synix_core::artifact::{Artifact, Content, Metadata};
use synix_core::digest::Digest;
use synix_core::ids::{Kind, Label};
use synix_core::json::{self, UnsafeNumber};

pub(super) fn header(header: &Header) -> Result<wit::Header, UnsafeNumber> {
    wit_header(&header.label, &header.kind, header.digest, &header.metadata)
}

pub(super) fn input(artifact: &Artifact, digest: Digest) -> Result<wit::Input, UnsafeNumber> {
    let content = match &artifact.content {
        Content::Text(text) => wit::Content::Text(text.clone()),
        Content::Bytes { media_type, data } => wit::Content::Bytes(wit::Blob {
            media_type: media_type.clone(),
            data: data.clone(),
        }),
    };
    Ok(wit::Input {
        header: wit_header(&artifact.label, &artifact.kind, digest, &artifact.metadata)?,
        content,
    })
}

pub(super) fn unit(unit: &UnitSpec) -> Result<wit::Unit, UnsafeNumber> {
    let config = unit
        .config
        .as_ref()
        .map(|members| json::canonical(&Value::Object(members.clone())))
        .transpose()?;
    Ok(wit::Unit {
        key: unit.key.as_str().to_owned(),
        inputs: unit.inputs.clone(),
        config,
    })
}

fn wit_header(
    label: &Label,
    kind: &Kind,
    digest: Digest,
    metadata: &Metadata,
) -> Result<wit::Header, UnsafeNumber> {
    let entry = |(key, value): (&String, &Value)| {
        Ok(wit::MetadataEntry {
            key: key.clone(),
            value: json::canonical(value)?,
        })
    };
    Ok(wit::Header {
        label: label.as_str().to_owned(),
        kind: kind.as_str().to_owned(),
        digest: digest.to_string(),
        metadata: metadata.iter().map(entry).collect::<Result<_, _>>()?,
    })
}

pub(super) fn raw_descriptor(raw: wit::Descriptor) -> descriptor::RawDescriptor {
    descriptor::RawDescriptor {
        name: raw.name,
        version: raw.version,
        summary: raw.summary,
        config_schema: raw.config_schema,
        capabilities: raw.capabilities,
        shape: match raw.shape {
            wit::Shape::PerInput => Shape::PerInput,
            wit::Shape::Grouped => Shape::Grouped,
            wit::Shape::All => Shape::All,
        },
    }
}

pub(super) fn raw_units(units: Vec<wit::Unit>) -> Vec<split::RawUnit> {
    let raw = |unit: wit::Unit| split::RawUnit {
        key: unit.key,
        inputs: unit.inputs,
        config: unit.config,
    };
    units.into_iter().map(raw).collect()
}

pub(super) fn transform_error(error: wit::TransformError) -> Fault {
    let (code, message) = match error {
        wit::TransformError::InvalidConfig(message) => ("invalid-config".to_owned(), message),
        wit::TransformError::InvalidInput(message) => ("invalid-input".to_owned(), message),
        wit::TransformError::InvalidAnswer(message) => ("invalid-answer".to_owned(), message),
        wit::TransformError::Other(other) => (other.code, other.message),
    };
    let truncate = |text: String, chars: usize| text.chars().take(chars).collect();
    // An SDK returns this code for an exception that the plugin does not catch: a trap would have no message. It is a
    // crash nevertheless.
    if code == "crashed" {
        return Fault::Trapped {
            trap: "uncaught exception".to_owned(),
            message: Some(truncate(message, 4096)),
        };
    }
    Fault::Transform {
        code: truncate(code, 64),
        message: truncate(message, 4096),
    }
}

/// Checks the outputs of one unit.
pub(super) fn artifacts(
    outputs: Vec<wit::Output>,
    limits: &Limits,
) -> Result<Vec<Artifact>, Fault> {
    let bytes = outputs.iter().map(output_bytes).sum();
    if bytes > limits.output_bytes {
        return Err(Fault::OutputTooLarge {
            bytes,
            limit: limits.output_bytes,
        });
    }
    let mut labels = HashSet::with_capacity(outputs.len());
    let mut artifacts = Vec::with_capacity(outputs.len());
    let mut values_left = values::METADATA_VALUES;
    for (position, output) in outputs.into_iter().enumerate() {
        let invalid = |source| Fault::InvalidOutput { position, source };
        let artifact = artifact(output, &mut values_left).map_err(invalid)?;
        if !labels.insert(artifact.label.clone()) {
            return Err(invalid(InvalidOutput::DuplicateLabel(
                artifact.label.as_str().to_owned(),
            )));
        }
        artifacts.push(artifact);
    }
    Ok(artifacts)
}

pub(super) fn artifact(
    output: wit::Output,
    values_left: &mut usize,
) -> Result<Artifact, InvalidOutput> {
    let content = match output.content {
        wit::Content::Text(text) => Content::Text(text),
        wit::Content::Bytes(blob) if values::is_media_type(&blob.media_type) => Content::Bytes {
            media_type: blob.media_type,
            data: blob.data,
        },
        wit::Content::Bytes(blob) => {
            return Err(InvalidOutput::MediaType(
                blob.media_type.chars().take(80).collect(),
            ));
        }
    };
    let entries = output
        .metadata
        .into_iter()
        .map(|entry| (entry.key, entry.value));
    Ok(Artifact {
        label: Label::parse(&output.label)?,
        kind: Kind::parse(&output.kind)?,
        content,
        metadata: values::metadata(entries, values_left)?,
    })
}

pub(super) fn output_bytes(output: &wit::Output) -> usize {
    let content = match &output.content {
        wit::Content::Text(text) => text.len(),
        wit::Content::Bytes(blob) => blob.media_type.len() + blob.data.len(),
    };
    let metadata: usize = output
        .metadata
        .iter()
        .map(|entry| entry.key.len() + entry.value.len())
        .sum();
    output.label.len() + output.kind.len() + content + metadata
}

#[cfg(test)]
mod tests;
