use super::*;

fn completion() -> Value {
    json!({"id": "c", "model": "m", "choices": [{"message": {"content": "Say \"hi\""}, "finish_reason": "stop"}]})
}

fn sent(raw: &RawReply) -> Vec<u8> {
    let mut completion = completion();
    raw.edit(&mut completion);
    raw.bytes(Placeholders {
        reply: &to_json(&completion),
        completion: &completion,
        wire: Wire::OpenAi,
        base: "http://here",
        id: "a",
    })
}

#[test]
fn placeholders_in_a_body_are_replaced() {
    let raw = RawReply::body("<<x:efbbbf>>{\"x\":NaN,<<members>>} <<text>> <<base>> <<id>>");
    let bytes = sent(&raw);
    assert_eq!(&bytes[..3], [0xef, 0xbb, 0xbf]);
    let text = String::from_utf8_lossy(&bytes[3..]);
    assert!(text.starts_with("{\"x\":NaN,\""), "{text}");
    assert!(text.ends_with("} Say \\\"hi\\\" http://here a"), "{text}");
}

#[test]
fn members_are_set_in_every_element() {
    let raw = RawReply::with("/choices/*/finish_reason", json!("STOP")).set("/usage", json!(1));
    let sent: Value = serde_json::from_slice(&sent(&raw)).unwrap();
    assert_eq!(sent["choices"][0]["finish_reason"], "STOP");
    assert_eq!(sent["usage"], 1);
}

#[test]
fn a_stream_has_the_text_in_pieces_and_an_end_marker() {
    let text = String::from_utf8(sent(&RawReply::body("<<events>>"))).unwrap();
    assert!(text.contains(r#""delta":{"content":"Say "}"#), "{text}");
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
}
