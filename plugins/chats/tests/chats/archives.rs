//! Archives of exports.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::{Value, json};
use synix_plugin::reading::Reason;
use synix_plugin::testing::FileBytes;
use synix_reading::testing::ZipMaker;

use crate::support::{Run, content, read, said};

fn chatgpt(id: &str, updated: f64, texts: &[&str]) -> Value {
    let mut mapping = serde_json::Map::new();
    for (at, text) in texts.iter().enumerate() {
        let parent = at.checked_sub(1).map(|at| at.to_string());
        mapping.insert(at.to_string(), json!({"id": at.to_string(), "parent": parent, "message": {"author": {"role": "user"}, "content": {"content_type": "text", "parts": [text]}}}));
    }
    json!({"id": id, "title": "T", "create_time": 1.7e9, "update_time": updated, "mapping": mapping})
}

fn claude(id: &str) -> Value {
    json!({"uuid": id, "name": "N", "chat_messages": [{"uuid": "m", "sender": "human", "text": "Hi"}]})
}

fn list(values: &[Value]) -> Vec<u8> {
    Value::from(values.to_vec()).to_string().into_bytes()
}

#[test]
fn a_zip_of_chatgpt_is_read_with_its_shards_and_what_it_has_beside() {
    let zip = ZipMaker::default()
        .deflated(
            "conversations-000.json",
            &list(&[chatgpt("a", 1.7e9, &["x"])]),
        )
        .deflated(
            "conversations-001.json",
            &list(&[chatgpt("b", 1.7e9, &["y"])]),
        )
        .stored("user.json", br#"{"id": "u", "email": "a@b"}"#)
        .stored(
            "message_feedback.json",
            br#"[{"id": "f", "conversation_id": "a", "rating": "up"}]"#,
        )
        .stored("shared_conversations.json", b"[]")
        .stored("chat.html", b"<html>the same again</html>")
        .stored("file-x.dat", b"\x89PNG\0\0")
        .stored("__MACOSX/._conversations-000.json", b"\0\x05\x16\x07")
        .finish();
    let run = read("export.zip", zip);
    assert_eq!(run.labels(), ["chatgpt-a", "chatgpt-b"]);
    assert_eq!(run.count(&Reason::Unsupported), 5);
    assert_eq!(run.count(&Reason::Empty), 0);
}

#[test]
fn a_zip_in_a_zip_is_read() {
    let inner = ZipMaker::default()
        .deflated("conversations.json", &list(&[chatgpt("a", 1.7e9, &["x"])]))
        .finish();
    let outer = ZipMaker::default()
        .stored(
            "User Online Activity/Conversations__x-chatgpt-0001.zip",
            &inner,
        )
        .stored("User Online Activity/report.html", b"<html></html>")
        .finish();
    assert_eq!(read("privacy.zip", outer).labels(), ["chatgpt-a"]);
}

#[test]
fn one_conversation_in_two_shards_is_handed_over_twice_with_both_places() {
    let zip = ZipMaker::default()
        .stored(
            "conversations-000.json",
            &list(&[chatgpt("a", 1.7e9, &["x"])]),
        )
        .stored(
            "conversations-001.json",
            &list(&[chatgpt("a", 1.8e9, &["x", "y"])]),
        )
        .finish();
    let run = read("export (1).zip", zip);
    assert_eq!(run.labels(), ["chatgpt-a", "chatgpt-a"]);
    assert_eq!(said(&run.outputs[1]), ["x", "y"]);
}

#[test]
fn the_place_of_an_artifact_names_the_entry_and_the_conversation() {
    let zip = ZipMaker::default()
        .stored("c.json", &list(&[chatgpt("a", 1.7e9, &[""]), claude("b")]))
        .finish();
    let run = read("export.zip", zip);
    assert_eq!(run.skipped[0].place, "c.json, conversation 1");
}

#[test]
fn the_parts_of_a_claude_export_are_read_together_or_alone() {
    let project = json!({"uuid": "p", "name": "P", "prompt_template": "Be kind.", "docs": []});
    let zip = ZipMaker::default()
        .deflated("conversations.json", &list(&[claude("a")]))
        .deflated("projects/p.json", project.to_string().as_bytes())
        .deflated(
            "memories.json",
            json!([{"account_uuid": "acc", "conversations_memory": "M"}])
                .to_string()
                .as_bytes(),
        )
        .deflated(
            "users.json",
            json!([{"uuid": "acc", "full_name": "A", "email_address": "a@b"}])
                .to_string()
                .as_bytes(),
        )
        .finish();
    let run = read("data.zip", zip);
    assert_eq!(
        run.labels(),
        ["claude-a", "claude-project-p", "claude-memory-acc"]
    );
    assert_eq!(run.count(&Reason::Unsupported), 1);
    // A zip of conversations alone has no users.
    let zip = ZipMaker::default()
        .deflated("conversations.json", &list(&[claude("a")]))
        .finish();
    assert_eq!(
        read("conversations-000 (1).zip", zip).labels(),
        ["claude-a"]
    );
}

#[test]
fn a_part_that_holds_no_conversations_by_design_is_unsupported_and_no_error() {
    let manifest = json!({"total_files": 1, "data_files": [{"category": "x", "filename": "y", "export_url": "https://z"}]});
    let run = read("manifest-1.json", manifest.to_string());
    assert_eq!(run.labels(), Vec::<&str>::new());
    assert_eq!(run.count(&Reason::Unsupported), 1);
}

#[test]
fn a_zip_without_a_conversation_is_an_error_that_names_what_was_found() {
    let zip = ZipMaker::default()
        .stored("a.json", br#"[{"lorem": 1}]"#)
        .stored("b.png", b"\x89PNG\0")
        .finish();
    let error = read("some.zip", zip).error();
    assert!(
        error.contains("`lorem`") && error.contains("some.zip"),
        "{error}"
    );
}

/// The host names the place as well, so what is left out does not repeat it.
#[test]
fn the_rest_of_an_entry_that_is_cut_off_is_named_by_its_place() {
    let whole = list(&[claude("a"), claude("b")]);
    let (start, _) = whole.split_at(whole.len() - 9);
    let zip = ZipMaker::default()
        .deflated("conversations.json", start)
        .finish();
    let run = read("export.zip", zip);
    assert_eq!(run.labels(), ["claude-a"]);
    let [rest] = &run.skipped[..] else {
        panic!("{:?}", run.skipped)
    };
    assert_eq!(rest.place, "conversations.json, the rest");
    assert!(rest.what.starts_with("the rest ("), "{}", rest.what);
    assert_eq!(rest.reason, Reason::Unreadable);
    let alone = read("conversations.json", start);
    assert_eq!(alone.skipped[0].place, "the rest");
    assert_eq!(alone.skipped[0].what, rest.what);
}

#[test]
fn of_a_zip_that_is_cut_off_what_was_whole_is_kept() {
    let mut zip = ZipMaker::default()
        .stored("a.json", &list(&[claude("a")]))
        .stored("b.json", &list(&[claude("b"), claude("c")]))
        .finish();
    zip.truncate(zip.len() - 230);
    let run = read("cut.zip", zip);
    assert!(run.labels().contains(&"claude-a"));
    assert!(run.count(&Reason::Unreadable) >= 1);
}

#[test]
fn gzip_is_opened() {
    let packed = synix_reading::testing::gzip(&list(&[claude("a")]));
    assert_eq!(read("a.json.gz", packed).labels(), ["claude-a"]);
}

#[test]
fn a_home_of_claude_code_in_a_zip_has_a_session_for_each_file() {
    let line = |session: &str, text: &str| {
        json!({"type": "user", "uuid": text, "parentUuid": null, "sessionId": session, "message": {"content": text}}).to_string()
    };
    let zip = ZipMaker::default()
        .stored("projects/-p/s1.jsonl", line("s1", "one").as_bytes())
        .stored("projects/-p/s2.jsonl", line("s2", "two").as_bytes())
        .stored(
            "projects/-p/s1/subagents/agent-a.meta.json",
            br#"{"agentType": "x"}"#,
        )
        .finish();
    let run = read("claude.zip", zip);
    assert_eq!(run.labels(), ["claude-code-s1", "claude-code-s2"]);
    assert_eq!(run.count(&Reason::Unsupported), 1);
}

#[test]
fn an_empty_list_is_empty_and_no_error() {
    let run: Run = read("memories.json", "[]");
    assert_eq!(run.labels(), Vec::<&str>::new());
    assert_eq!(run.count(&Reason::Empty), 1);
}

#[test]
fn the_content_is_the_same_from_a_file_and_from_an_archive() {
    let bytes = list(&[chatgpt("a", 1.7e9, &["x", "y"])]);
    let zip = ZipMaker::default()
        .deflated("conversations.json", &bytes)
        .finish();
    assert_eq!(
        content(read("a.json", &bytes).only()),
        content(read("b.zip", zip).only())
    );
    assert_eq!(
        read("a.json", &bytes).outputs,
        read("c.json", &bytes).outputs
    );
}

/// A file that notes how far it was read.
struct Watched {
    bytes: Vec<u8>,
    read: Rc<Cell<u64>>,
}

impl FileBytes for Watched {
    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read(&self, offset: u64, length: u32) -> Vec<u8> {
        let bytes = FileBytes::read(&self.bytes, offset, length);
        // The directory of a zip is at its end, and read first.
        if offset + u64::from(length) < self.size() / 2 {
            self.read.set(offset + bytes.len() as u64);
        }
        bytes
    }
}

#[test]
fn conversations_are_handed_over_while_the_file_is_read() {
    let all: Vec<_> = (0..400)
        .map(|at| chatgpt(&at.to_string(), 1.7e9, &[&"x".repeat(30_000)]))
        .collect();
    let bytes = list(&all);
    let zip = ZipMaker::default()
        .stored("conversations.json", &bytes)
        .finish();
    for (name, bytes) in [("conversations.json", bytes), ("export.zip", zip)] {
        let read = Rc::new(Cell::new(0));
        let first = Rc::new(Cell::new(None));
        let file = Watched {
            bytes,
            read: Rc::clone(&read),
        };
        let seen = Rc::clone(&first);
        let ran = synix_plugin::testing::read_each::<synix_chats::Chats>(
            name,
            file,
            "{}",
            move |_, _| {
                seen.set(seen.get().or(Some(read.get())));
            },
        );
        assert_eq!(ran.result, Ok(()));
        // Of 12 MB, no more than a buffer or two were read for the first.
        let read = first.get().unwrap();
        assert!(read > 0 && read < 2_000_000, "{name}: {read}");
    }
}
