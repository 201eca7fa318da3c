//! The body of a messages call.

use serde_json::{Map, Value, json};

use crate::body::{merge_options, plain_text};
use synix_core::request::{Message, Part, Request, Role};

/// The limit of a request without one, because the API requires a limit.
const DEFAULT_MAX_TOKENS: u32 = 4096;

pub(crate) fn body(request: &Request) -> Value {
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(request.model));
    let limit = request.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS);
    body.insert("max_tokens".to_owned(), json!(limit));
    if let Some(system) = system(&request.messages) {
        body.insert("system".to_owned(), Value::String(system));
    }
    let messages = request.messages.iter().filter_map(message).collect();
    body.insert("messages".to_owned(), Value::Array(messages));
    if let Some(temperature) = request.temperature {
        body.insert("temperature".to_owned(), json!(temperature));
    }
    if !request.stop.is_empty() {
        body.insert("stop_sequences".to_owned(), json!(request.stop));
    }
    merge_options(&mut body, &request.options);
    if let Some(schema) = &request.response_format {
        set_format(&mut body, schema);
    }
    Value::Object(body)
}

/// Adds the format to `output_config`, which may have members from the options.
fn set_format(body: &mut Map<String, Value>, schema: &Value) {
    let config = body
        .entry("output_config")
        .or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(config) = config {
        config
            .entry("format")
            .or_insert_with(|| json!({"type": "json_schema", "schema": schema}));
    }
}

/// Joins the system messages, with an empty line between them.
fn system(messages: &[Message]) -> Option<String> {
    let texts: Vec<String> = messages
        .iter()
        .filter(|message| message.role == Role::System)
        .map(|message| message.parts.iter().filter_map(text).collect())
        .collect();
    (!texts.is_empty()).then(|| texts.join("\n\n"))
}

fn text(part: &Part) -> Option<&str> {
    match part {
        Part::Text(text) => Some(text),
        Part::Image { .. } => None,
    }
}

fn message(message: &Message) -> Option<Value> {
    let role = match message.role {
        Role::System => return None,
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    let content = match plain_text(&message.parts) {
        Some(text) => Value::String(text),
        None => message.parts.iter().map(block).collect(),
    };
    Some(json!({"role": role, "content": content}))
}

fn block(part: &Part) -> Value {
    match part {
        Part::Text(text) => json!({"type": "text", "text": text}),
        Part::Image { media_type, data } => json!({
            "type": "image",
            "source": {"type": "base64", "media_type": media_type, "data": data},
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::request;
    use synix_core::request::Wire;

    fn conversation() -> Request {
        let text = |role, text: &str| Message {
            role,
            parts: vec![Part::Text(text.to_owned())],
        };
        Request {
            messages: vec![
                text(Role::System, "Be brief."),
                text(Role::User, "Hi"),
                text(Role::System, "Be kind."),
            ],
            max_tokens: Some(100),
            temperature: Some(0.3),
            stop: vec!["END".to_owned()],
            ..request(Wire::Anthropic, "")
        }
    }

    #[test]
    fn a_conversation_becomes_a_messages_call() {
        let expected = json!({
            "model": "claude-haiku-4-5",
            "system": "Be brief.\n\nBe kind.",
            "messages": [{"role": "user", "content": "Hi"}],
            "max_tokens": 100,
            "temperature": 0.3,
            "stop_sequences": ["END"],
        });
        assert_eq!(body(&conversation()), expected);
    }

    #[test]
    fn every_body_has_a_token_limit() {
        let request = Request {
            max_tokens: None,
            ..conversation()
        };
        assert_eq!(body(&request)["max_tokens"], DEFAULT_MAX_TOKENS);
    }

    #[test]
    fn an_image_becomes_a_base64_source() {
        let image = Part::Image {
            media_type: "image/png".to_owned(),
            data: "AA==".to_owned(),
        };
        let parts = vec![Part::Text("See".to_owned()), image];
        let messages = vec![Message {
            role: Role::User,
            parts,
        }];
        let request = Request {
            messages,
            ..conversation()
        };
        let expected = json!([
            {"type": "text", "text": "See"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}},
        ]);
        assert_eq!(body(&request)["messages"][0]["content"], expected);
    }

    #[test]
    fn a_schema_is_added_to_the_output_config_of_the_options() {
        let request = Request {
            response_format: Some(json!({"type": "object"})),
            options: json!({"output_config": {"effort": "low"}})
                .as_object()
                .unwrap()
                .clone(),
            ..conversation()
        };
        let format = json!({"type": "json_schema", "schema": {"type": "object"}});
        let expected = json!({"effort": "low", "format": format});
        assert_eq!(body(&request)["output_config"], expected);
    }
}
