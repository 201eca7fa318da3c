//! `mail` as a host sees it.

use serde_json::Value;
use synix_plugin::reading::Reason;
use synix_plugin::testing::{ReaderRun, read};
use synix_plugin::{Content, Error, Output};

use super::Mail;

mod files;
mod left_out;

const MESSAGE: &str = r#"{"unit": "message"}"#;

fn run(name: &str, file: impl AsRef<[u8]>, config: &str) -> ReaderRun {
    read::<Mail>(name, file.as_ref().to_vec(), config)
}

fn read_all(file: &str, config: &str) -> ReaderRun {
    let ran = run("mail/all.mbox", file, config);
    assert!(ran.result.is_ok(), "{ran:?}");
    ran
}

fn labels(ran: &ReaderRun) -> Vec<&str> {
    ran.outputs
        .iter()
        .map(|output| output.label.as_str())
        .collect()
}

fn text(output: &Output) -> &str {
    match &output.content {
        Content::Text(text) => text,
        Content::Bytes(_) => panic!("bytes"),
    }
}

fn meta(output: &Output, key: &str) -> Option<Value> {
    let entry = output.metadata.iter().find(|entry| entry.key == key)?;
    Some(serde_json::from_str(&entry.value).unwrap())
}

fn metas(output: &Output, keys: &[&str]) -> Vec<String> {
    let text = |key: &&str| match meta(output, key) {
        Some(Value::String(text)) => text,
        other => panic!("{key}: {other:?}"),
    };
    keys.iter().map(text).collect()
}

fn reasons(ran: &ReaderRun) -> Vec<(&str, &str, Reason)> {
    let skipped = ran.skipped.iter();
    skipped
        .map(|skipped| {
            (
                skipped.place.as_str(),
                skipped.what.as_str(),
                skipped.reason.clone(),
            )
        })
        .collect()
}

fn error(ran: &ReaderRun) -> &str {
    match &ran.result {
        Err(Error::InvalidInput(text)) => text,
        other => panic!("{other:?}"),
    }
}

/// A message of a mailbox: its name, the names of those it answers, the hour, its text.
fn message(id: &str, answers: &str, hour: u8, text: &str) -> String {
    let references = if answers.is_empty() {
        String::new()
    } else {
        format!("References: {answers}\n")
    };
    format!(
        "From 1@xxx Fri Sep 16 22:26:51 +0000 2016\nMessage-ID: <{id}@x.org>\n{references}From: {id} <{id}@x.org>\n\
         To: all@x.org\nSubject: Re: Plans\nDate: Fri, 16 Sep 2016 {hour:02}:00:00 +0000\n\n{text}\n\n"
    )
}

#[test]
fn a_thread_is_one_artifact_in_the_order_of_time() {
    let file = [
        message(
            "b",
            "<a@x.org>",
            11,
            "Yes.\n\nOn Friday, 16 September 2016, a <a@x.org> wrote:\n> Shall we?",
        ),
        message("z", "", 9, "Something else."),
        message("c", "<a@x.org> <b@x.org>", 12, "Good."),
        message("a", "", 10, "Shall we?"),
    ];
    let ran = read_all(&file.concat(), "{}");
    assert_eq!(labels(&ran), ["thread-a@x.org", "thread-z@x.org"]);
    let thread = &ran.outputs[0];
    assert_eq!(
        text(thread),
        "## a <a@x.org> · 2016-09-16T10:00:00Z\n\nShall we?\n\n## b <b@x.org> · 2016-09-16T11:00:00Z\n\nYes.\n\n\
         ## c <c@x.org> · 2016-09-16T12:00:00Z\n\nGood."
    );
    assert_eq!(
        metas(
            thread,
            &[
                "subject",
                "from",
                "to",
                "date",
                "month",
                "created",
                "updated",
                "message_id",
                "file"
            ]
        ),
        [
            "Plans",
            "a <a@x.org>",
            "all@x.org",
            "2016-09-16",
            "2016-09",
            "2016-09-16T10:00:00Z",
            "2016-09-16T12:00:00Z",
            "a@x.org",
            "mail/all.mbox"
        ]
    );
    assert_eq!(thread.kind, "thread");
    assert_eq!(meta(thread, "messages"), Some(Value::from(3)));
    assert_eq!(
        meta(thread, "participants"),
        Some("a <a@x.org>, b <b@x.org>, c <c@x.org>".into())
    );
}

#[test]
fn each_message_is_an_artifact_if_the_layer_says_so() {
    let ran = read_all(
        &[
            message("a", "", 10, "One."),
            message("b", "<a@x.org>", 11, "Two."),
        ]
        .concat(),
        MESSAGE,
    );
    assert_eq!(labels(&ran), ["mail-a@x.org", "mail-b@x.org"]);
    assert_eq!(
        (ran.outputs[1].kind.as_str(), text(&ran.outputs[1])),
        ("message", "Two.")
    );
    assert_eq!(
        metas(&ran.outputs[1], &["subject", "from", "date", "message_id"]),
        ["Re: Plans", "b <b@x.org>", "2016-09-16", "b@x.org"]
    );
}

#[test]
fn the_thread_of_gmail_goes_before_what_messages_answer() {
    let of = |thread: &str, message: String| {
        message.replace(
            "\nMessage-ID",
            &format!("\nX-GM-THRID: {thread}\nMessage-ID"),
        )
    };
    let file = [
        of("17", message("a", "", 10, "One.")),
        of("18", message("b", "<a@x.org>", 11, "Two.")),
        of("17", message("c", "", 12, "Three.")),
    ];
    let ran = read_all(&file.concat(), "{}");
    assert_eq!(labels(&ran), ["thread-17", "thread-18"]);
    assert!(text(&ran.outputs[0]).contains("One.") && text(&ran.outputs[0]).contains("Three."));
}

#[test]
fn the_label_of_a_thread_stays_when_it_grows_and_its_first_message_is_missing() {
    let first = message("b", "<a@x.org>", 11, "Two.");
    let grown = first.clone() + &message("c", "<a@x.org> <b@x.org>", 12, "Three.");
    assert_eq!(labels(&read_all(&first, "{}")), ["thread-a@x.org"]);
    assert_eq!(labels(&read_all(&grown, "{}")), ["thread-a@x.org"]);
}

#[test]
fn a_mailbox_with_line_ends_of_two_bytes_is_read_alike() {
    let file = [
        message("a", "", 10, "One.\nTwo."),
        message("b", "<a@x.org>", 11, ">From here."),
    ]
    .concat();
    let (unix, dos) = (
        read_all(&file, "{}"),
        read_all(&file.replace('\n', "\r\n"), "{}"),
    );
    assert_eq!(format!("{:?}", unix.outputs), format!("{:?}", dos.outputs));
    assert!(
        text(&unix.outputs[0]).ends_with("\n\nFrom here."),
        "{unix:?}"
    );
}

#[test]
fn a_line_that_begins_with_from_is_text_unless_it_separates() {
    let body = "From here on it is text.\n\nFrom Monday to Friday.\n\nFrom a@b Fri Sep 16 22:26:51 2016\nas it says.";
    let ran = read_all(&message("a", "", 10, body), MESSAGE);
    assert_eq!(text(&ran.outputs[0]), body);
}

#[test]
fn a_byte_order_mark_and_empty_lines_before_a_mailbox_are_ignored() {
    let file = format!("\u{feff}\r\n\n{}", message("a", "", 10, "One."));
    assert_eq!(labels(&read_all(&file, "{}")), ["thread-a@x.org"]);
}
