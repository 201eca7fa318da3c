//! Contract types to ours and back.
//!
//! Checks what a value is; whether a request may be asked is for [`super::imports`].

use std::collections::HashSet;

use serde_json::Value;

use super::Header;
use super::descriptor::{self, Shape};
use super::error::Fault;
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

pub(super) fn claimed_descriptor(claimed: wit::Descriptor) -> descriptor::Claimed {
    descriptor::Claimed {
        name: claimed.name,
        version: claimed.version,
        summary: claimed.summary,
        config_schema: claimed.config_schema,
        capabilities: claimed.capabilities,
        shape: match claimed.shape {
            wit::Shape::PerInput => Shape::PerInput,
            wit::Shape::Grouped => Shape::Grouped,
            wit::Shape::All => Shape::All,
        },
    }
}

pub(super) fn claimed_units(units: Vec<wit::Unit>) -> Vec<split::Claimed> {
    let claimed = |unit: wit::Unit| split::Claimed {
        key: unit.key,
        inputs: unit.inputs,
        config: unit.config,
    };
    units.into_iter().map(claimed).collect()
}

pub(super) fn transform_error(error: wit::TransformError) -> Fault {
    let (code, message) = match error {
        wit::TransformError::InvalidConfig(message) => ("invalid-config".to_owned(), message),
        wit::TransformError::InvalidInput(message) => ("invalid-input".to_owned(), message),
        wit::TransformError::InvalidAnswer(message) => ("invalid-answer".to_owned(), message),
        wit::TransformError::Other(other) => (other.code, other.message),
    };
    let cut = |text: String, chars: usize| text.chars().take(chars).collect();
    // So an SDK tells what nobody caught: words where a trap has none, but a crash all the same.
    if code == "crashed" {
        return Fault::Trapped {
            trap: "nobody caught an exception".to_owned(),
            message: Some(cut(message, 4096)),
        };
    }
    Fault::Transform {
        code: cut(code, 64),
        message: cut(message, 4096),
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
    let mut room = values::METADATA_VALUES;
    for (position, output) in outputs.into_iter().enumerate() {
        let invalid = |source| Fault::InvalidOutput { position, source };
        let artifact = artifact(output, &mut room).map_err(invalid)?;
        if !labels.insert(artifact.label.clone()) {
            return Err(invalid(InvalidOutput::DuplicateLabel(
                artifact.label.as_str().to_owned(),
            )));
        }
        artifacts.push(artifact);
    }
    Ok(artifacts)
}

fn artifact(output: wit::Output, room: &mut usize) -> Result<Artifact, InvalidOutput> {
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
        metadata: values::metadata(entries, room)?,
    })
}

fn output_bytes(output: &wit::Output) -> usize {
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
mod tests {
    use super::*;

    fn output(label: &str) -> wit::Output {
        wit::Output {
            label: label.to_owned(),
            kind: "k".to_owned(),
            content: wit::Content::Text("text".to_owned()),
            metadata: Vec::new(),
        }
    }

    #[test]
    fn labels_are_unique_within_a_unit() {
        let fault = artifacts(vec![output("a"), output("a")], &Limits::default()).unwrap_err();
        assert!(matches!(
            fault,
            Fault::InvalidOutput {
                position: 1,
                source: InvalidOutput::DuplicateLabel(_)
            }
        ));
    }

    #[test]
    fn a_label_with_a_line_break_is_refused() {
        let fault = artifacts(vec![output("a\n")], &Limits::default()).unwrap_err();
        assert!(matches!(
            fault,
            Fault::InvalidOutput {
                position: 0,
                source: InvalidOutput::Name(_)
            }
        ));
    }

    #[test]
    fn outputs_are_counted_together() {
        let limits = Limits {
            output_bytes: 11,
            ..Limits::default()
        };
        assert!(artifacts(vec![output("a")], &limits).is_ok());
        let fault = artifacts(vec![output("a"), output("b")], &limits).unwrap_err();
        assert!(matches!(
            fault,
            Fault::OutputTooLarge {
                bytes: 12,
                limit: 11
            }
        ));
    }

    #[test]
    fn an_artifact_crosses_into_the_contract_whole() {
        let artifact = Artifact {
            label: Label::parse("a").unwrap(),
            kind: Kind::parse("k").unwrap(),
            content: Content::Bytes {
                media_type: "image/png".to_owned(),
                data: vec![0, 255],
            },
            metadata: Metadata::from([("x".to_owned(), serde_json::json!([1.0, "y"]))]),
        };
        let crossed = input(&artifact, artifact.digest().unwrap()).unwrap();
        let back = wit::Output {
            label: crossed.header.label,
            kind: crossed.header.kind,
            content: crossed.content,
            metadata: crossed.header.metadata,
        };
        let back = artifacts(vec![back], &Limits::default()).unwrap().remove(0);
        assert_eq!(back.digest().unwrap(), artifact.digest().unwrap());
    }

    #[test]
    fn all_that_an_output_has_counts() {
        let within = |output_bytes| Limits {
            output_bytes,
            ..Limits::default()
        };
        let size_of = |output: wit::Output| match artifacts(vec![output], &within(0)) {
            Err(Fault::OutputTooLarge { bytes, .. }) => bytes,
            other => panic!("{other:?}"),
        };
        assert!(artifacts(vec![output("a")], &within(6)).is_ok());
        assert_eq!(size_of(output("a")), 6);
        assert_eq!(size_of(output("abc")), 8);
        let mut described = output("a");
        described.metadata.push(wit::MetadataEntry {
            key: "key".to_owned(),
            value: "12345".to_owned(),
        });
        assert_eq!(size_of(described), 6 + 3 + 5);
        let picture = wit::Content::Bytes(wit::Blob {
            media_type: "image/png".to_owned(),
            data: vec![0; 7],
        });
        let picture = wit::Output {
            content: picture,
            ..output("a")
        };
        assert_eq!(size_of(picture), 2 + 9 + 7);
    }

    /// An SDK hands over what nobody caught instead of trapping without words.
    #[test]
    fn an_exception_that_nobody_caught_is_a_crash() {
        let other = wit::TransformError::Other(wit::OtherError {
            code: "crashed".to_owned(),
            message: "TypeError: x\n  at f (plugin.js:3)".to_owned(),
        });
        let fault = transform_error(other);
        assert!(matches!(fault, Fault::Trapped { .. }));
        assert_eq!(
            fault.to_string(),
            "crashed: nobody caught an exception: TypeError: x\n  at f (plugin.js:3)"
        );
    }

    #[test]
    fn a_guests_own_error_is_cut() {
        let other = wit::TransformError::Other(wit::OtherError {
            code: "ä".repeat(1000),
            message: "ä".repeat(100_000),
        });
        let Fault::Transform { code, message } = transform_error(other) else {
            panic!("another fault")
        };
        assert_eq!((code.chars().count(), message.chars().count()), (64, 4096));
    }
}
