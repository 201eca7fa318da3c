//! Which messages of ChatGPT are shown, and their text.

use synix_plugin::reading::Reason;

use super::marks;
use crate::body::{Body, Tool};
use crate::config::Config;
use crate::conversation::{Turn, Who};
use crate::json::Json;
use crate::when;

/// Returns the turn, nothing where there is nothing to show, or why it is left out.
pub(super) fn turn(message: &Json<'_>, config: &Config) -> Result<Option<Turn>, Reason> {
    let metadata = message.get("metadata");
    if metadata.is_true("is_visually_hidden_from_conversation")
        || message.number("weight") == Some(0.0)
    {
        return Err(Reason::Hidden);
    }
    let role = message
        .get("author")
        .text("role")
        .or_else(|| message.text("role"))
        .ok_or(Reason::Unreadable)?;
    let content = message.get("content");
    let mut body = Body::new(config);
    let who = match role {
        "user" => Who::User,
        "system" => {
            let own = metadata.is_true("is_user_system_message");
            let mut said = Body::new(config);
            fill(&mut said, message, content, &Who::User)?;
            if !own {
                return if said.is_empty() {
                    Ok(None)
                } else {
                    Err(Reason::Hidden)
                };
            }
            Who::User
        }
        "assistant" => Who::Assistant,
        "tool" | "function" => Who::Tool,
        _ => return Err(Reason::Unsupported),
    };
    fill(&mut body, message, content, &who)?;
    for attachment in metadata.list("attachments") {
        body.attach(attachment.text("name").unwrap_or("file"), None);
    }
    let at = when::of(message.get("create_time"));
    Ok(body.turn(who, at))
}

fn fill(
    body: &mut Body<'_>,
    message: &Json<'_>,
    content: &Json<'_>,
    who: &Who,
) -> Result<(), Reason> {
    let recipient = message.text("recipient").unwrap_or("all");
    let content_type = content.text("content_type").unwrap_or("text");
    if matches!(
        content_type,
        "user_editable_context" | "model_editable_context"
    ) {
        return Err(Reason::Hidden);
    }
    match content_type {
        "thoughts" => {
            for thought in content.list("thoughts") {
                let parts = [thought.text("summary"), thought.text("content")];
                let parts: Vec<_> = parts.into_iter().flatten().collect();
                body.think(&parts.join("\n\n"));
            }
        }
        "reasoning_recap" => body.think(content.text("content").unwrap_or_default()),
        _ if *who == Who::Tool => {
            let name = message.get("author").text("name").unwrap_or_default();
            body.tool(&Tool {
                name,
                text: &marks::remove(&plain(content)),
                is_result: true,
                is_code: content_type == "execution_output" || runs_code(name),
                ..Tool::default()
            });
        }
        _ if recipient != "all" && *who == Who::Assistant => call(body, recipient, content),
        "code" => {
            let language = content.text("language").unwrap_or_default();
            let language = if language == "unknown" { "" } else { language };
            body.say_code(language, content.text("text").unwrap_or_default());
        }
        "multimodal_text" => parts(body, message, content),
        _ => {
            let text = plain(content);
            let is_known = matches!(content_type, "text" | "execution_output" | "tether_quote");
            if text.trim().is_empty() && !is_known {
                return Err(Reason::Unsupported);
            }
            if *who == Who::Assistant {
                body.say(&marks::remove(&text));
            } else {
                body.say(&text);
            }
        }
    }
    Ok(())
}

fn call(body: &mut Body<'_>, recipient: &str, content: &Json<'_>) {
    let text = plain(content);
    let language = content.text("language").filter(|name| *name != "unknown");
    // The text of a canvas is within JSON.
    let canvas = Json::parse(text.as_bytes()).ok();
    let written = canvas.as_ref().and_then(|canvas| canvas.text("content"));
    let is_canvas = recipient.starts_with("canmore");
    body.tool(&Tool {
        name: recipient,
        language: language.unwrap_or_default(),
        text: written.filter(|_| is_canvas).unwrap_or(&text),
        is_result: false,
        is_code: is_canvas || runs_code(recipient),
    });
}

fn runs_code(tool: &str) -> bool {
    ["python", "canmore", "container"]
        .iter()
        .any(|name| tool.starts_with(name))
}

/// Adds the parts of a message with pictures or voice.
fn parts(body: &mut Body<'_>, message: &Json<'_>, content: &Json<'_>) {
    let has_names = !message.get("metadata").list("attachments").is_empty();
    let items = content.list("parts");
    let is_spoken = |part: &Json<'_>| part.text("content_type") == Some("audio_transcription");
    let has_words = items.iter().any(is_spoken);
    for part in items {
        if let Some(text) = part.as_text() {
            body.say(&marks::remove(text));
            continue;
        }
        match part.text("content_type").unwrap_or_default() {
            // The name of a picture is in the metadata, where there is one.
            "image_asset_pointer" if !has_names => body.attach("image", None),
            "image_asset_pointer" => {}
            kind if kind.contains("audio") && part.text("text").is_none() => {
                if !has_words {
                    body.attach("audio", None);
                }
            }
            "video_container_asset_pointer" if !has_names => body.attach("video", None),
            _ => body.say(&marks::remove(part.text("text").unwrap_or_default())),
        }
    }
}

/// Returns all text that a content has, whatever its type.
fn plain(content: &Json<'_>) -> String {
    let texts: Vec<_> = content
        .list("parts")
        .iter()
        .filter_map(|part| part.as_text().or_else(|| part.text("text")))
        .filter(|text| !text.is_empty())
        .collect();
    if !texts.is_empty() {
        return texts.join("\n\n");
    }
    let fields = ["title", "text", "result", "content", "url"];
    let texts: Vec<_> = fields
        .iter()
        .filter_map(|field| content.text(field))
        .collect();
    if texts.is_empty() {
        return content.as_text().unwrap_or_default().to_owned();
    }
    texts.join("\n\n")
}
