//! What a guest can pass is accepted, and nothing else.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::imports::log::Level;
use crate::values::InvalidOutput;

fn any_raw_request() -> impl Strategy<Value = wit::Request> {
    let part = prop_oneof![
        "[ -~\u{feff}ß]{0,20}".prop_map(wit::Part::Text),
        any::<Vec<u8>>().prop_map(|data| wit::Part::Image(types::Blob {
            media_type: "image/png".to_owned(),
            data,
        })),
    ];
    let role = prop_oneof![
        Just(wit::Role::System),
        Just(wit::Role::User),
        Just(wit::Role::Assistant)
    ];
    let message = (role, prop::collection::vec(part, 0..3));
    let message = message.prop_map(|(role, parts)| wit::Message { role, parts });
    let object = prop_oneof![
        Just("{}".to_owned()),
        Just(r#"{"a": 1e20, "b": [1E-7, "ü"]}"#.to_owned()),
        Just(r#"{"seed": 7}"#.to_owned()),
    ];
    let settings = (
        prop::option::of(0_u32..3),
        prop::option::of(-0.5..2.5),
        prop::option::of("[a-z]{0,3}"),
        any::<u32>(),
    );
    (
        prop::collection::vec(message, 0..3),
        prop::collection::vec("[a-z]{0,3}", 0..3),
        settings,
        (prop::option::of(object.clone()), prop::option::of(object)),
    )
        .prop_map(
            |(
                messages,
                stop,
                (max_tokens, temperature, model, sample),
                (response_format, options),
            )| {
                wit::Request {
                    messages,
                    max_tokens,
                    temperature,
                    stop,
                    response_format,
                    model,
                    sample,
                    options,
                }
            },
        )
}

proptest! {
    #[test]
    fn a_request_that_the_sandbox_passes_is_accepted(raw in any_raw_request()) {
        if let Ok(request) = check_request(raw) {
            prop_assert!(check_completion(&request).is_ok(), "{request:?}");
        }
    }

    /// It would be refused with the same reason.
    #[test]
    fn a_request_that_the_sandbox_refuses_is_refused(raw in any_raw_request()) {
        let Err(refusal) = check_request(raw.clone()) else { return Ok(()) };
        let parts = raw.messages.iter().flat_map(|message| &message.parts);
        let images = parts.filter(|part| matches!(part, wit::Part::Image(_)));
        prop_assume!(images.count() == 0);
        let text = |part: &wit::Part| match part {
            wit::Part::Text(text) => Part::Text(text.clone()),
            wit::Part::Image(_) | wit::Part::Other(_) => Part::Text(String::new()),
        };
        let message = |message: &wit::Message| Message {
            role: match message.role {
                wit::Role::System => Role::System,
                wit::Role::User => Role::User,
                wit::Role::Assistant => Role::Assistant,
            },
            parts: message.parts.iter().map(text).collect(),
        };
        let request = GuestRequest {
            is_embedding: false,
            messages: raw.messages.iter().map(message).collect(),
            max_tokens: raw.max_tokens,
            temperature: raw.temperature,
            stop: raw.stop,
            response_format: None,
            model: raw.model,
            sample: raw.sample,
            options: serde_json::Map::new(),
        };
        match check_completion(&request) {
            Err(Unacceptable::Request(found)) => prop_assert_eq!(found, refusal),
            other => prop_assert!(false, "{other:?}"),
        }
    }
}

#[test]
fn a_request_for_an_embedding_has_nothing_but_its_text() {
    let good = GuestRequest::embedding("text", Some("role".to_owned()));
    let role = good.model.clone();
    let check = |request: GuestRequest| check_embeddings(&[request], role.as_ref());
    assert!(check(good.clone()).is_ok());
    let mut long = good.clone();
    long.messages.push(long.messages[0].clone());
    let others = [
        GuestRequest {
            sample: 1,
            ..good.clone()
        },
        GuestRequest {
            model: None,
            ..good.clone()
        },
        GuestRequest {
            is_embedding: false,
            ..good.clone()
        },
        GuestRequest {
            temperature: Some(1.0),
            ..good
        },
        long,
    ];
    for other in others {
        let refused = check(other.clone());
        assert!(matches!(refused, Err(Unacceptable::NotNormal)), "{other:?}");
    }
    let blank = check_embeddings(&[GuestRequest::embedding(" ", None)], None);
    assert!(matches!(blank, Err(Unacceptable::Request(_))), "{blank:?}");
}

fn output(metadata: Value) -> Artifact {
    Artifact {
        label: "a".parse().unwrap(),
        kind: "note".parse().unwrap(),
        content: Content::Text("text".to_owned()),
        metadata: serde_json::from_value(metadata).unwrap(),
    }
}

/// JSON that a guest may pass can be longer once it is printed again.
#[test]
fn metadata_may_have_grown_and_is_still_limited() {
    let limits = Limits::default();
    let numbers = |count: usize| output(json!({ "n": vec![1e15; count] }));
    // A guest passes `1e15`, which is printed with 18 characters.
    let grown = vec![numbers(METADATA_BYTES / 5)];
    assert_eq!(check_outputs(grown.clone(), &limits).unwrap(), grown);
    let too_many = check_outputs(vec![numbers(METADATA_VALUES + 1)], &limits);
    assert!(
        matches!(
            &too_many,
            Err(Unacceptable::Outputs(Fault::InvalidOutput {
                source: InvalidOutput::MetadataValues { .. } | InvalidOutput::MetadataBytes { .. },
                ..
            }))
        ),
        "{too_many:?}"
    );
}

#[test]
fn outputs_have_the_limits_of_a_guest() {
    let limits = Limits {
        output_bytes: 8,
        ..Limits::default()
    };
    // The label, the kind and the content count.
    let refused = check_outputs(vec![output(json!({}))], &limits);
    assert!(
        matches!(
            refused,
            Err(Unacceptable::Outputs(Fault::OutputTooLarge {
                bytes: 9,
                limit: 8
            }))
        ),
        "{refused:?}"
    );
}

#[test]
fn a_log_has_the_limits_of_a_guest() {
    let line = |bytes: usize| LogLine {
        level: Level::Info,
        message: "x".repeat(bytes),
    };
    assert!(check_log(&vec![line(8 << 10); 127]).is_ok());
    for long in [
        vec![line(8 << 10); 128],
        vec![line(0); 20_000],
        vec![line((8 << 10) + 1)],
    ] {
        assert!(check_log(&long).is_err());
    }
}
