//! What is left out of a mailbox, and what is an error.

use super::*;

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
