//! The parts of a message: texts and pictures, in the shape of each wire format.

use serde_json::Value;

use crate::endpoint::Wire;

/// The media types that both providers take, and how their bytes begin in base64.
const IMAGE_TYPES: [(&str, &str); 4] = [
    ("image/png", "iVBOR"),
    ("image/jpeg", "/9j/"),
    ("image/gif", "R0lG"),
    ("image/webp", "UklG"),
];

/// Returns whether a content is a text, or a list of parts that a provider reads.
pub(crate) fn is_content(wire: Wire, content: &Value) -> bool {
    match content {
        Value::String(_) => true,
        Value::Array(parts) => !parts.is_empty() && parts.iter().all(|part| is_part(wire, part)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

fn is_part(wire: Wire, part: &Value) -> bool {
    let text = |pointer: &str| part.pointer(pointer).and_then(Value::as_str);
    match (wire, text("/type")) {
        (_, Some("text")) => text("/text").is_some(),
        (Wire::OpenAi, Some("image_url")) => {
            let parts = text("/image_url/url")
                .and_then(|url| url.strip_prefix("data:"))
                .and_then(|url| url.split_once(";base64,"));
            parts.is_some_and(|(media_type, data)| is_image(media_type, data))
        }
        (Wire::Anthropic, Some("image")) => {
            let source = (text("/source/media_type"), text("/source/data"));
            text("/source/type") == Some("base64")
                && matches!(source, (Some(media_type), Some(data)) if is_image(media_type, data))
        }
        _ => false,
    }
}

fn is_image(media_type: &str, data: &str) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    let known = IMAGE_TYPES.iter().find(|(name, _)| *name == media_type);
    known.is_some_and(|(_, start)| data.starts_with(start))
        && data.len().is_multiple_of(4)
        && data.bytes().all(is_base64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_wire_format_has_its_own_shape_of_a_picture() {
        let openai =
            json!([{"type": "image_url", "image_url": {"url": "data:image/gif;base64,R0lGODlh"}}]);
        let anthropic = json!([{"type": "image", "source": {"type": "base64", "media_type": "image/gif", "data": "R0lGODlh"}}]);
        assert!(is_content(Wire::OpenAi, &openai) && !is_content(Wire::Anthropic, &openai));
        assert!(is_content(Wire::Anthropic, &anthropic) && !is_content(Wire::OpenAi, &anthropic));
    }

    #[test]
    fn bytes_that_are_no_picture_of_their_type_are_refused() {
        let of = |url: &str| json!([{"type": "image_url", "image_url": {"url": url}}]);
        for url in [
            "data:image/png;base64,R0lGODlh",
            "data:image/gif;base64,R0lGODl",
            "data:image/gif;base64,R0lG ODl",
            "data:image/tiff;base64,R0lGODlh",
            "R0lGODlh",
        ] {
            assert!(!is_content(Wire::OpenAi, &of(url)), "{url}");
        }
        assert!(!is_content(Wire::OpenAi, &json!([])));
    }
}
