//! `mail` as a host sees it.

use serde_json::Value;
use synix_plugin::reading::Reason;
use synix_plugin::testing::{ReaderRun, read};
use synix_plugin::{Content, Error, Output};

use super::Mail;

mod files;

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

#[test]
fn the_same_message_twice_is_counted_once() {
    let ran = read_all(&message("a", "", 10, "One.").repeat(2), MESSAGE);
    assert_eq!(labels(&ran), ["mail-a@x.org"]);
    assert_eq!(
        reasons(&ran),
        [("message 2", "Re: Plans", Reason::Duplicate)]
    );
}

#[test]
fn messages_without_an_identifier_are_told_apart_by_what_they_say() {
    let of = |text: &str| format!("From a@b Fri Sep 16 22:26:51 2016\nSubject: x\n\n{text}\n\n");
    let ran = read_all(&[of("one"), of("two"), of("one")].concat(), MESSAGE);
    assert_eq!(ran.outputs.len(), 2);
    assert_ne!(ran.outputs[0].label, ran.outputs[1].label);
    assert_eq!(ran.skipped[0].reason, Reason::Duplicate);
    assert_eq!(meta(&ran.outputs[0], "message_id"), None);
    // The line of the mailbox says when it came.
    assert_eq!(
        metas(&ran.outputs[0], &["created"]),
        ["2016-09-16T22:26:51Z"]
    );
}

#[test]
fn unwanted_labels_of_gmail_are_left_out_and_counted() {
    let of = |labels: &str, message: String| {
        message.replace(
            "\nMessage-ID",
            &format!("\nX-Gmail-Labels: {labels}\nMessage-ID"),
        )
    };
    let file = [
        of("Inbox,Important", message("a", "", 10, "One.")),
        of("Spam", message("b", "", 11, "Two.")),
        of(
            "=?UTF-8?Q?Papierkorb,Ge=C3=B6ffnet?=",
            message("c", "", 12, "Three."),
        ),
    ]
    .concat();
    let ran = read_all(&file, MESSAGE);
    assert_eq!(labels(&ran), ["mail-a@x.org", "mail-c@x.org"]);
    assert_eq!(
        reasons(&ran),
        [("message 2", "Re: Plans", Reason::Filtered)]
    );
    let ran = read_all(
        &file,
        r#"{"unit": "message", "exclude_labels": ["Papierkorb"]}"#,
    );
    assert_eq!(labels(&ran), ["mail-a@x.org", "mail-b@x.org"]);
}

#[test]
fn quoted_history_stays_if_the_layer_says_so() {
    let file = message("a", "", 10, "Yes.\n\n> Shall we?");
    assert_eq!(text(&read_all(&file, MESSAGE).outputs[0]), "Yes.");
    let ran = read_all(&file, r#"{"unit": "message", "quotes": "keep"}"#);
    assert_eq!(text(&ran.outputs[0]), "Yes.\n\n> Shall we?");
}

#[test]
fn a_message_without_text_is_left_out_and_the_others_are_kept() {
    let ran = read_all(
        &[message("a", "", 10, ""), message("b", "", 11, "Two.")].concat(),
        MESSAGE,
    );
    assert_eq!(labels(&ran), ["mail-b@x.org"]);
    assert_eq!(reasons(&ran), [("message 1", "Re: Plans", Reason::Empty)]);
}

#[test]
fn a_message_that_cannot_be_read_is_left_out_and_the_others_are_kept() {
    let deep = "Content-Type: message/rfc822\n\n".repeat(200);
    let file = [
        format!("From a@b Fri Sep 16 22:26:51 2016\n{deep}"),
        message("b", "", 11, "Two."),
    ];
    let ran = read_all(&file.concat(), MESSAGE);
    assert_eq!(labels(&ran), ["mail-b@x.org"]);
    assert_eq!(
        reasons(&ran),
        [("message 1", "message 1", Reason::Unreadable)]
    );
}

#[test]
fn a_mailbox_that_yields_nothing_is_an_error_with_counts() {
    let ran = run(
        "a.mbox",
        [message("a", "", 10, ""), message("b", "", 11, "")].concat(),
        "{}",
    );
    assert_eq!(
        error(&ran),
        "the mailbox yields nothing: 2 messages found, 0 unreadable, 2 empty"
    );
    let ran = run("a.mbox", "From a@b Fri Sep 16 22:26:51 2016\n", "{}");
    assert_eq!(
        error(&ran),
        "the mailbox yields nothing: 0 messages found, 0 unreadable, 0 empty"
    );
}

#[test]
fn nobody_writes_in_the_name_of_another() {
    let ran = read_all(
        &message(
            "a",
            "",
            10,
            "One.\n## b <b@x.org> · 2016-09-16T11:00:00Z\n\nForged.",
        ),
        "{}",
    );
    assert!(
        text(&ran.outputs[0]).contains("\n\\## b <b@x.org> ·"),
        "{ran:?}"
    );
}
