//! A guest's request becomes an [`GuestRequest`], or is refused with the rule it breaks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::model::Refusal;
use crate::values;
use synix_contract::bindings::synix::plugin::llm as wit;
use synix_core::request::{GuestRequest, Message, Part, Role};

/// Text and pictures of one request.
const CONVERSATION_BYTES: usize = 16 << 20;
const MESSAGES: usize = 4096;
const STOPS: usize = 16;
const STOP_BYTES: usize = 1024;
const JSON_BYTES: usize = 1 << 20;
const ROLE_BYTES: usize = 64;

/// Returns the bytes that a request makes the host hold.
pub(super) fn size(request: &wit::Request) -> usize {
    let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let stops: usize = request.stop.iter().map(String::len).sum();
    conversation(request) + stops + optional(&request.response_format) + optional(&request.options)
}

fn conversation(request: &wit::Request) -> usize {
    let part = |part: &wit::Part| match part {
        wit::Part::Text(text) => text.len(),
        wit::Part::Image(blob) => blob.media_type.len() + blob.data.len(),
        wit::Part::Other(other) => other.type_.len() + other.value.len(),
    };
    request
        .messages
        .iter()
        .flat_map(|message| &message.parts)
        .map(part)
        .sum()
}

/// Checks every rule of a request.
pub(super) fn admit(request: wit::Request) -> Result<GuestRequest, Refusal> {
    let bytes = conversation(&request);
    if bytes > CONVERSATION_BYTES {
        return Err(Refusal::OverLimit(format!(
            "{bytes} bytes in one request; {CONVERSATION_BYTES} are allowed"
        )));
    }
    check(request.max_tokens != Some(0), "max-tokens is 0")?;
    check(
        request.messages.len() <= MESSAGES,
        "more than 4096 messages",
    )?;
    Ok(GuestRequest {
        messages: messages(request.messages)?,
        max_tokens: request.max_tokens,
        temperature: request.temperature.map(temperature).transpose()?,
        stop: stop(request.stop)?,
        response_format: request
            .response_format
            .map(|text| object("response-format", &text).map(Value::Object))
            .transpose()?,
        model: request.model.map(role_name).transpose()?,
        sample: request.sample,
        options: request
            .options
            .map_or_else(|| Ok(Map::new()), |text| object("options", &text))?,
    })
}

fn check(holds: bool, rule: &str) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(invalid(rule)) }
}

fn invalid(rule: impl Into<String>) -> Refusal {
    Refusal::InvalidRequest(rule.into())
}

fn messages(messages: Vec<wit::Message>) -> Result<Vec<Message>, Refusal> {
    let asks = messages
        .iter()
        .any(|message| message.role == wit::Role::User);
    check(asks, "no message has the role `user`")?;
    // Some providers answer nothing and are paid, others refuse it hours later in a batch.
    let mut parts = messages
        .iter()
        .filter(|message| message.role == wit::Role::User)
        .flat_map(|message| &message.parts)
        .peekable();
    check(
        parts.peek().is_none() || !parts.all(is_blank),
        "the question is empty: its prompt makes no text but white space of this input",
    )?;
    messages.into_iter().map(message).collect()
}

/// Says whether a part shows a model nothing.
fn is_blank(part: &wit::Part) -> bool {
    match part {
        wit::Part::Text(text) => text.chars().all(|c| c.is_whitespace() || is_unseen(c)),
        wit::Part::Image(_) | wit::Part::Other(_) => false,
    }
}

/// Says whether a character takes no room, such as a byte order mark.
const fn is_unseen(c: char) -> bool {
    matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\0')
}

fn message(message: wit::Message) -> Result<Message, Refusal> {
    check(!message.parts.is_empty(), "a message has no parts")?;
    let role = match message.role {
        wit::Role::System => Role::System,
        wit::Role::User => Role::User,
        wit::Role::Assistant => Role::Assistant,
    };
    Ok(Message {
        role,
        parts: message
            .parts
            .into_iter()
            .map(part)
            .collect::<Result<_, _>>()?,
    })
}

fn part(part: wit::Part) -> Result<Part, Refusal> {
    match part {
        wit::Part::Text(text) => Ok(Part::Text(text)),
        wit::Part::Image(blob) => {
            let is_image =
                values::is_media_type(&blob.media_type) && blob.media_type.starts_with("image/");
            check(
                is_image,
                "a picture's media type does not start with `image/`",
            )?;
            check(!blob.data.is_empty(), "a picture has no data")?;
            Ok(Part::Image {
                media_type: blob.media_type,
                data: STANDARD.encode(blob.data),
            })
        }
        wit::Part::Other(other) => {
            let name: String = other.type_.chars().take(80).collect();
            Err(invalid(format!(
                "this host does not know the part type {name:?}"
            )))
        }
    }
}

fn temperature(value: f64) -> Result<f64, Refusal> {
    check(
        (0.0..=2.0).contains(&value),
        "temperature is not between 0 and 2",
    )?;
    // A negative zero has the key of zero, so it is kept as zero.
    Ok(value.abs())
}

fn stop(stop: Vec<String>) -> Result<Vec<String>, Refusal> {
    check(stop.len() <= STOPS, "more than 16 stop texts")?;
    check(
        stop.iter()
            .all(|text| (1..=STOP_BYTES).contains(&text.len())),
        "a stop text has not 1 to 1024 bytes",
    )?;
    Ok(stop)
}

fn role_name(name: String) -> Result<String, Refusal> {
    check(
        (1..=ROLE_BYTES).contains(&name.len()),
        "the name of the model role has not 1 to 64 bytes",
    )?;
    Ok(name)
}

fn object(what: &str, text: &str) -> Result<Map<String, Value>, Refusal> {
    values::parse_object(text, JSON_BYTES).map_err(|error| invalid(format!("{what}: {error}")))
}

#[cfg(test)]
mod tests {
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
        admit(request).unwrap_err().to_string()
    }

    /// I4: the bytes of a message are kept as they are.
    #[test]
    fn a_messages_text_is_kept_byte_for_byte() {
        let text = " a \r\n\u{a0}b\0 ";
        let asked = admit(wit::Request {
            messages: vec![user(vec![wit::Part::Text(text.to_owned())])],
            ..request()
        });
        assert_eq!(
            asked.unwrap().messages[0].parts,
            [Part::Text(text.to_owned())]
        );
    }

    #[test]
    fn a_picture_is_kept_in_base64_with_padding() {
        let asked = admit(wit::Request {
            messages: vec![user(vec![picture("image/png", b"\xff\xfe")])],
            ..request()
        });
        let image = Part::Image {
            media_type: "image/png".to_owned(),
            data: "//4=".to_owned(),
        };
        assert_eq!(asked.unwrap().messages[0].parts, [image]);
    }

    #[test]
    fn a_conversation_has_a_user_and_no_empty_message() {
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

    /// X15: an empty question is no question, whatever the system message says.
    #[test]
    fn a_question_holds_more_than_white_space() {
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
            let asked = wit::Request {
                messages: blank,
                ..request()
            };
            assert!(refused(asked).contains("the question is empty: its prompt"));
        }
        for said in [
            vec![user(vec![text(""), picture("image/png", b"x")])],
            vec![user(vec![text(" ")]), user(vec![text("Why?")])],
        ] {
            let asked = wit::Request {
                messages: said,
                ..request()
            };
            assert!(admit(asked).is_ok());
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
                admit(wit::Request {
                    temperature: Some(bad),
                    ..request()
                })
                .is_err(),
                "{bad}"
            );
        }
        let zero = admit(wit::Request {
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
    fn stop_texts_and_role_names_are_bounded() {
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
    fn a_conversation_is_bounded_in_bytes_and_messages() {
        let long = |bytes: usize| wit::Request {
            messages: vec![user(vec![wit::Part::Text("x".repeat(bytes))])],
            ..request()
        };
        assert!(admit(long(CONVERSATION_BYTES)).is_ok());
        assert!(matches!(
            admit(long(CONVERSATION_BYTES + 1)),
            Err(Refusal::OverLimit(text)) if text.contains("16777217 bytes in one request")
        ));
        let many = |count: usize| wit::Request {
            messages: (0..count)
                .map(|_| user(vec![wit::Part::Text("x".to_owned())]))
                .collect(),
            ..request()
        };
        assert!(admit(many(MESSAGES)).is_ok());
        assert!(refused(many(MESSAGES + 1)).contains("more than 4096 messages"));
    }
}
