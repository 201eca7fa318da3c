//! The body of a chat completion.

use serde_json::{Map, Value, json};

use crate::body::{merge_options, plain_text};
use synix_core::request::{Message, Part, Request, Role};

/// The two names of the token limit. A body with both is refused.
const LIMIT_NAMES: [&str; 2] = ["max_tokens", "max_completion_tokens"];

/// Returns whether a model reasons before it answers, judged by its name.
///
/// Such models refuse `max_tokens` and `temperature`.
pub fn is_reasoning_model(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    let is_in = |family: &&str| name.starts_with(*family);
    ["o1", "o3", "o4"].iter().any(is_in)
        || (name.starts_with("gpt-5") && !name.starts_with("gpt-5-chat"))
}

pub(crate) fn body(request: &Request) -> Value {
    let is_reasoning = is_reasoning_model(&request.model);
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(request.model));
    let messages = request.messages.iter().map(message).collect();
    body.insert("messages".to_owned(), Value::Array(messages));
    if let Some(limit) = request.max_tokens
        && !LIMIT_NAMES
            .iter()
            .any(|name| request.options.contains_key(*name))
    {
        let name = if is_reasoning {
            "max_completion_tokens"
        } else {
            "max_tokens"
        };
        body.insert(name.to_owned(), json!(limit));
    }
    if let Some(temperature) = request.temperature
        && !is_reasoning
    {
        body.insert("temperature".to_owned(), json!(temperature));
    }
    if !request.stop.is_empty() {
        body.insert("stop".to_owned(), json!(request.stop));
    }
    if let Some(schema) = &request.response_format {
        let format = json!({"name": "answer", "strict": true, "schema": schema});
        let format = json!({"type": "json_schema", "json_schema": format});
        body.insert("response_format".to_owned(), format);
    }
    merge_options(&mut body, &request.options);
    Value::Object(body)
}

fn message(message: &Message) -> Value {
    let role = match message.role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    let content = match plain_text(&message.parts) {
        Some(text) => Value::String(text),
        None => message.parts.iter().map(part).collect(),
    };
    json!({"role": role, "content": content})
}

fn part(part: &Part) -> Value {
    match part {
        Part::Text(text) => json!({"type": "text", "text": text}),
        Part::Image { media_type, data } => json!({
            "type": "image_url",
            "image_url": {"url": format!("data:{media_type};base64,{data}")},
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
            messages: vec![text(Role::System, "Be brief."), text(Role::User, "Hi\n")],
            max_tokens: Some(100),
            temperature: Some(0.3),
            stop: vec!["END".to_owned()],
            ..request(Wire::OpenAi, "")
        }
    }

    #[test]
    fn a_conversation_becomes_a_chat_completion() {
        let expected = json!({
            "model": "gpt-4o-mini",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Hi\n"},
            ],
            "max_tokens": 100,
            "temperature": 0.3,
            "stop": ["END"],
        });
        assert_eq!(body(&conversation()), expected);
    }

    #[test]
    fn a_reasoning_model_gets_max_completion_tokens_and_no_temperature() {
        let request = Request {
            model: "o3-mini".to_owned(),
            ..conversation()
        };
        let body = body(&request);
        assert_eq!(body["max_completion_tokens"], 100);
        assert_eq!(
            (body.get("max_tokens"), body.get("temperature")),
            (None, None)
        );
    }

    #[test]
    fn reasoning_models_are_recognized_by_name() {
        for name in [
            "o1",
            "o3-mini",
            "o4-mini-2025-04-16",
            "gpt-5",
            "gpt-5.1-mini",
            "openai/o3",
        ] {
            assert!(is_reasoning_model(name), "{name}");
        }
        for name in ["gpt-4o", "gpt-5-chat-latest", "llama-3", "olmo", "gpt-4.1"] {
            assert!(!is_reasoning_model(name), "{name}");
        }
    }

    #[test]
    fn an_image_becomes_a_data_url() {
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
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
        ]);
        assert_eq!(body(&request)["messages"][0]["content"], expected);
    }

    #[test]
    fn text_parts_are_joined_byte_for_byte() {
        let parts = vec![Part::Text("a ".to_owned()), Part::Text("b".to_owned())];
        let messages = vec![Message {
            role: Role::User,
            parts,
        }];
        let request = Request {
            messages,
            ..conversation()
        };
        assert_eq!(body(&request)["messages"][0]["content"], "a b");
    }

    #[test]
    fn a_schema_becomes_a_strict_response_format() {
        let request = Request {
            response_format: Some(json!({"type": "object"})),
            ..conversation()
        };
        let expected = json!({"type": "json_schema", "json_schema": {
            "name": "answer", "strict": true, "schema": {"type": "object"},
        }});
        assert_eq!(body(&request)["response_format"], expected);
    }

    #[test]
    fn options_replace_other_members() {
        let options = json!({"temperature": 1, "max_completion_tokens": 7, "seed": 3});
        let request = Request {
            options: options.as_object().unwrap().clone(),
            ..conversation()
        };
        let body = body(&request);
        assert_eq!(
            (&body["temperature"], &body["seed"]),
            (&json!(1), &json!(3))
        );
        assert_eq!(
            (&body["max_completion_tokens"], body.get("max_tokens")),
            (&json!(7), None)
        );
    }
}
