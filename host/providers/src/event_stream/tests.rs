use serde_json::json;

use super::*;

fn read(text: &str) -> Result<Value, String> {
    assert!(is_stream(text.as_bytes()), "{text}");
    assemble(parse(text.as_bytes())?)
}

const CHUNKS: &str = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}],\"usage\":null}\n\n\
    data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n\
    data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"}}]}\n\n\
    data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"},\"finish_reason\":\"stop\"}]}\n\n\
    data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n";

/// X3
#[test]
fn openai_chunks_become_one_completion() {
    let expected = json!({
        "id": "c", "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    });
    for stream in [
        format!("{CHUNKS}data: [DONE]\n\n"),
        CHUNKS.to_owned(),
        format!(": waiting\n\n{}", CHUNKS.replace("\n\n", "\r\n\r\n")),
        CHUNKS.replace("data: ", "data:").replace("\n\n", "\n"),
        format!("event: x\nid: 7\n{CHUNKS}data: [DONE]\nbye"),
    ] {
        assert_eq!(read(&stream).as_ref(), Ok(&expected), "{stream}");
    }
}

/// X3: an incomplete reply is not an answer.
#[test]
fn a_stream_that_is_cut_off_is_an_error() {
    let (first, _) = CHUNKS.split_at(CHUNKS.find("\"lo\"").unwrap());
    let (first, _) = first.rsplit_once("data:").unwrap();
    assert_eq!(read(first), Err("without its end".to_owned()));
    assert_eq!(
        read("data: {\"x\":1}\n\n"),
        Err("without an answer".to_owned())
    );
    assert!(
        read("data: {\"choices\":[\n\n")
            .unwrap_err()
            .starts_with("chunk 1 cannot")
    );
}

/// X3
#[test]
fn anthropic_events_become_one_message() {
    let events = [
        json!({"type": "message_start", "message": {"type": "message", "model": "m", "content": [],
            "stop_reason": null, "usage": {"input_tokens": 3, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "ping"}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hel"}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "lo"}}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null}, "usage": {"output_tokens": 2}}),
        json!({"type": "message_stop"}),
    ];
    let stream: String = events
        .iter()
        .map(|event| format!("event: {}\ndata: {event}\n\n", kind(event)))
        .collect();
    let whole = read(&stream).unwrap();
    assert_eq!(
        whole["content"][1],
        json!({"type": "text", "text": "Hello"})
    );
    assert_eq!(whole["stop_reason"], "end_turn");
    assert_eq!(
        whole["usage"],
        json!({"input_tokens": 3, "output_tokens": 2})
    );
    let (cut, _) = stream.split_once("event: message_delta").unwrap();
    assert_eq!(read(cut), Err("without its end".to_owned()));
}

#[test]
fn an_error_within_a_stream_is_the_reply() {
    let stream = format!("{CHUNKS}data: {{\"error\":{{\"code\":502,\"message\":\"gone\"}}}}\n\n");
    assert_eq!(read(&stream).unwrap()["error"]["code"], 502);
}

#[test]
fn a_complete_reply_in_one_event_is_the_reply() {
    let reply = json!({"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]});
    assert_eq!(
        read(&format!("data: {reply}\n\ndata: [DONE]\n\n")),
        Ok(reply.clone())
    );
    assert_eq!(read(&format!(": still at it\n\n{reply}")), Ok(reply));
}

#[test]
fn plain_json_is_not_a_stream() {
    for text in ["{\"data\": 1}", "{", "", "datum: 1", "<html>"] {
        assert!(!is_stream(text.as_bytes()), "{text}");
    }
}
