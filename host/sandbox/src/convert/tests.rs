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
fn the_bytes_of_all_outputs_count_together() {
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
fn a_converted_artifact_keeps_its_digest() {
    let artifact = Artifact {
        label: Label::parse("a").unwrap(),
        kind: Kind::parse("k").unwrap(),
        content: Content::Bytes {
            media_type: "image/png".to_owned(),
            data: vec![0, 255],
        },
        metadata: Metadata::from([("x".to_owned(), serde_json::json!([1.0, "y"]))]),
    };
    let converted = input(&artifact, artifact.digest().unwrap()).unwrap();
    let back = wit::Output {
        label: converted.header.label,
        kind: converted.header.kind,
        content: converted.content,
        metadata: converted.header.metadata,
    };
    let back = artifacts(vec![back], &Limits::default()).unwrap().remove(0);
    assert_eq!(back.digest().unwrap(), artifact.digest().unwrap());
}

#[test]
fn every_part_of_an_output_counts() {
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

/// An SDK returns an uncaught exception instead of trapping without a message.
#[test]
fn an_uncaught_exception_is_a_crash() {
    let other = wit::TransformError::Other(wit::OtherError {
        code: "crashed".to_owned(),
        message: "TypeError: x\n  at f (plugin.js:3)".to_owned(),
    });
    let fault = transform_error(other);
    assert!(matches!(fault, Fault::Trapped { .. }));
    assert_eq!(
        fault.to_string(),
        "crashed: uncaught exception: TypeError: x\n  at f (plugin.js:3)"
    );
}

#[test]
fn an_error_of_a_guest_is_truncated() {
    let other = wit::TransformError::Other(wit::OtherError {
        code: "ä".repeat(1000),
        message: "ä".repeat(100_000),
    });
    let Fault::Transform { code, message } = transform_error(other) else {
        panic!("another fault")
    };
    assert_eq!((code.chars().count(), message.chars().count()), (64, 4096));
}
