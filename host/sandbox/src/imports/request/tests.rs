use super::*;

fn request() -> wit::Request {
    wit::Request {
        messages: vec![user(vec![wit::Part::Text("Hi".to_owned())])],
        max_tokens: None,
        temperature: None,
        stop: Vec::new(),
        response_format: None,
        model: None,
        sample: 0,
        options: None,
    }
}

fn user(parts: Vec<wit::Part>) -> wit::Message {
    wit::Message {
        role: wit::Role::User,
        parts,
    }
}

fn picture(media_type: &str, data: &[u8]) -> wit::Part {
    wit::Part::Image(wit::Blob {
        media_type: media_type.to_owned(),
        data: data.to_vec(),
    })
}

fn refused(request: wit::Request) -> String {
    check_request(request).unwrap_err().to_string()
}

/// I4: the bytes of a message are not changed.
#[test]
fn the_text_of_a_message_is_not_changed() {
    let text = " a \r\n\u{a0}b\0 ";
    let converted = check_request(wit::Request {
        messages: vec![user(vec![wit::Part::Text(text.to_owned())])],
        ..request()
    });
    assert_eq!(
        converted.unwrap().messages[0].parts,
        [Part::Text(text.to_owned())]
    );
}

#[test]
fn a_picture_is_encoded_in_base64_with_padding() {
    let converted = check_request(wit::Request {
        messages: vec![user(vec![picture("image/png", b"\xff\xfe")])],
        ..request()
    });
    let image = Part::Image {
        media_type: "image/png".to_owned(),
        data: "//4=".to_owned(),
    };
    assert_eq!(converted.unwrap().messages[0].parts, [image]);
}

#[test]
fn a_conversation_has_a_user_message_and_no_empty_message() {
    let system = wit::Message {
        role: wit::Role::System,
        parts: vec![wit::Part::Text("x".to_owned())],
    };
    assert!(
        refused(wit::Request {
            messages: vec![],
            ..request()
        })
        .contains("`user`")
    );
    assert!(
        refused(wit::Request {
            messages: vec![system],
            ..request()
        })
        .contains("`user`")
    );
    assert!(
        refused(wit::Request {
            messages: vec![user(vec![])],
            ..request()
        })
        .contains("no parts")
    );
}

/// X15: an empty question is refused even if there is a system message.
#[test]
fn a_question_contains_more_than_white_space() {
    let text = |text: &str| wit::Part::Text(text.to_owned());
    let system = wit::Message {
        role: wit::Role::System,
        parts: vec![text("Answer in one word.")],
    };
    for blank in [
        vec![user(vec![text("")])],
        vec![user(vec![text(" \r\n\t\u{a0}\u{3000}\u{feff}")])],
        vec![user(vec![text(" "), text("\n")]), user(vec![text("")])],
        vec![system, user(vec![text("\n")])],
    ] {
        let converted = wit::Request {
            messages: blank,
            ..request()
        };
        assert!(refused(converted).contains("the question is empty: for this input its prompt"));
    }
    for filled in [
        vec![user(vec![text(""), picture("image/png", b"x")])],
        vec![user(vec![text(" ")]), user(vec![text("Why?")])],
    ] {
        let converted = wit::Request {
            messages: filled,
            ..request()
        };
        assert!(check_request(converted).is_ok());
    }
}

#[test]
fn a_part_of_an_unknown_type_is_refused() {
    let other = wit::Part::Other(wit::OtherPart {
        type_: "audio".to_owned(),
        value: "{}".to_owned(),
    });
    assert!(
        refused(wit::Request {
            messages: vec![user(vec![other])],
            ..request()
        })
        .contains("\"audio\"")
    );
    let text = picture("text/plain", b"x");
    assert!(
        refused(wit::Request {
            messages: vec![user(vec![text])],
            ..request()
        })
        .contains("image/")
    );
}

#[test]
fn a_temperature_is_between_zero_and_two() {
    for bad in [f64::NAN, f64::INFINITY, -0.1, 2.1] {
        assert!(
            check_request(wit::Request {
                temperature: Some(bad),
                ..request()
            })
            .is_err(),
            "{bad}"
        );
    }
    let zero = check_request(wit::Request {
        temperature: Some(-0.0),
        ..request()
    })
    .unwrap();
    assert!(zero.temperature.unwrap().is_sign_positive());
}

#[test]
fn response_format_and_options_are_objects_with_a_canonical_form() {
    for bad in ["", "[]", "{\"a\": 9007199254740993}"] {
        let options = wit::Request {
            options: Some(bad.to_owned()),
            ..request()
        };
        assert!(refused(options).contains("options"), "{bad}");
        let format = wit::Request {
            response_format: Some(bad.to_owned()),
            ..request()
        };
        assert!(refused(format).contains("response-format"), "{bad}");
    }
}

#[test]
fn stop_texts_and_role_names_have_limits() {
    for stop in [
        vec![String::new()],
        vec!["x".repeat(1025)],
        vec!["x".to_owned(); 17],
    ] {
        assert!(refused(wit::Request { stop, ..request() }).contains("stop"));
    }
    for model in [String::new(), "x".repeat(65)] {
        assert!(
            refused(wit::Request {
                model: Some(model),
                ..request()
            })
            .contains("role")
        );
    }
}

#[test]
fn a_conversation_has_limits_of_bytes_and_messages() {
    let long = |bytes: usize| wit::Request {
        messages: vec![user(vec![wit::Part::Text("x".repeat(bytes))])],
        ..request()
    };
    assert!(check_request(long(CONVERSATION_BYTES)).is_ok());
    assert!(matches!(
        check_request(long(CONVERSATION_BYTES + 1)),
        Err(Refusal::OverLimit(text)) if text.contains("16777217 bytes in one request")
    ));
    let many = |count: usize| wit::Request {
        messages: (0..count)
            .map(|_| user(vec![wit::Part::Text("x".to_owned())]))
            .collect(),
        ..request()
    };
    assert!(check_request(many(MESSAGES)).is_ok());
    assert!(refused(many(MESSAGES + 1)).contains("more than 4096 messages"));
}
