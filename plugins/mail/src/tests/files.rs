//! Files as they come: empty, packed, cut off, none of mail.

use synix_plugin::reading::Reason;
use synix_reading::testing::{ZipMaker, assert_single_bytes_suffice, gzip};

use crate::Mail;

use super::{MESSAGE, error, labels, message, metas, read_all, reasons, run, text};

#[test]
fn an_empty_mailbox_is_skipped() {
    for file in ["", "\n\n", "\u{feff}"] {
        let ran = run("a.mbox", file, "{}");
        assert!(
            ran.result.is_ok() && ran.skipped[0].reason == Reason::Empty,
            "{ran:?}"
        );
    }
}

#[test]
fn mail_is_read_byte_by_byte_as_at_once() {
    let mailbox =
        message("a", "", 10, "One.\n\n>From here") + &message("b", "<a@x.org>", 11, "Two.");
    let single = "\u{feff}\nSubject: Hi\r\nMessage-ID: <a@x.org>\r\n\r\nText\r\n";
    let counted = "19\nSubject: Hi\n\nText.\n<plist/>";
    for (name, file) in [
        ("a.mbox", mailbox.as_str()),
        ("a.eml", single),
        ("1.emlx", counted),
    ] {
        for config in ["{}", MESSAGE] {
            assert_single_bytes_suffice::<Mail>(name, file.as_bytes(), config);
        }
    }
}

#[test]
fn what_is_no_mail_is_an_error_that_says_what_was_found() {
    for file in [
        "{\"a\": 1}",
        "Dear Ann: hello",
        "TODO: write\n\nlist",
        "\u{0}\u{1}\u{2}",
    ] {
        let ran = run("a.eml", file, "{}");
        let error = error(&ran);
        assert!(
            error.contains("this is no mail") && error.contains("mbox"),
            "{error}"
        );
    }
}

#[test]
fn a_file_of_one_message_is_read_and_keeps_its_own_label() {
    let file = "Return-Path: <a@x.org>\r\nMessage-ID: <b@x.org>\r\nReferences: <a@x.org>\r\nSubject: Hi\r\n\r\n>From here\r\n";
    let ran = run("a.eml", file, MESSAGE);
    assert_eq!(
        (labels(&ran), text(&ran.outputs[0])),
        (vec!["mail-b@x.org"], ">From here")
    );
    let ran = run("a.eml", file, "{}");
    assert_eq!(labels(&ran), ["thread-b@x.org"]);
    assert_eq!(text(&ran.outputs[0]), "## Unknown sender\n\n>From here");
}

#[test]
fn a_message_of_apple_mail_ends_where_it_says() {
    let message = "Subject: Hi\n\nText\n";
    let ran = run(
        "1.emlx",
        format!(
            "{}\n{message}<?xml version=\"1.0\"?><plist/>",
            message.len()
        ),
        MESSAGE,
    );
    assert_eq!(text(&ran.outputs[0]), "Text");
    let ran = run("1.emlx", format!("{}\n{message}", u64::MAX), MESSAGE);
    assert_eq!(text(&ran.outputs[0]), "Text");
}

#[test]
fn a_name_that_is_made_to_harm_becomes_a_harmless_label() {
    let ran = run(
        "a.eml",
        "Subject: x\nMessage-ID: <../../etc\u{202e}/passwd@x>\n\nText",
        MESSAGE,
    );
    let label = &ran.outputs[0].label;
    assert!(
        label.starts_with("mail-..-..-etc--passwd@x-") && !label.contains('/'),
        "{label}"
    );
}

#[test]
fn an_archive_of_mail_yields_what_its_files_yield() {
    let mailbox = [
        message("a", "", 10, "One."),
        message("c", "", 12, "Three."),
        message("b", "<a@x.org>", 11, "Two."),
    ]
    .concat();
    let zip = ZipMaker::default()
        .deflated("Takeout/Mail/All mail.mbox", mailbox.as_bytes())
        .stored(
            "Takeout/one.eml",
            b"Message-ID: <d@x.org>\nSubject: Hi\n\nFour.",
        )
        .stored("Takeout/archive_browser.html", b"<html>")
        .stored("__MACOSX/Takeout/._one.eml", b"Subject: no")
        .finish();
    let ran = run("takeout.zip", zip, "{}");
    assert!(ran.result.is_ok(), "{ran:?}");
    assert_eq!(
        labels(&ran),
        ["thread-c@x.org", "thread-a@x.org", "thread-d@x.org"]
    );
    let plain = read_all(&mailbox, "{}");
    assert_eq!(text(&plain.outputs[0]), text(&ran.outputs[1]));
    assert_eq!(metas(&ran.outputs[1], &["file"]), ["takeout.zip"]);
    assert_eq!(
        reasons(&ran),
        [(
            "Takeout/archive_browser.html",
            "Takeout/archive_browser.html",
            Reason::Unsupported
        )]
    );
}

#[test]
fn a_packed_mailbox_is_read() {
    let ran = run(
        "a.mbox.gz",
        gzip(message("a", "", 10, "One.").as_bytes()),
        MESSAGE,
    );
    assert_eq!(labels(&ran), ["mail-a@x.org"]);
}

#[test]
fn an_archive_without_mail_is_an_error() {
    let zip = ZipMaker::default().stored("a.txt", b"text").finish();
    assert!(error(&run("a.zip", zip, "{}")).contains("no mail in it"));
}

#[test]
fn a_mailbox_that_is_cut_off_keeps_what_is_whole() {
    let file = [message("a", "", 10, "One."), message("b", "", 11, "Two.")].concat();
    for end in (0..file.len()).step_by(7) {
        let ran = run("a.mbox", &file[..end], "{}");
        if end > file.len() / 2 + 60 {
            assert_eq!(labels(&ran)[0], "thread-a@x.org", "cut at {end}");
        }
    }
}

#[test]
fn the_mailboxes_of_an_archive_are_one_pile() {
    let (a, b, c) = (
        message("a", "", 10, "One."),
        message("b", "<a@x.org>", 11, "Two."),
        message("c", "<b@x.org>", 12, "Three."),
    );
    let zip = ZipMaker::default()
        .deflated("Inbox.mbox", [a.clone(), c].concat().as_bytes())
        .deflated("Important.mbox", [b, a].concat().as_bytes())
        .finish();
    let ran = run("takeout.zip", zip, "{}");
    assert_eq!(labels(&ran), ["thread-a@x.org"]);
    let thread = text(&ran.outputs[0]);
    assert!(
        thread.find("One.") < thread.find("Two.") && thread.find("Two.") < thread.find("Three."),
        "{thread}"
    );
    assert_eq!(
        reasons(&ran),
        [("Important.mbox, message 2", "Re: Plans", Reason::Duplicate)]
    );
}

#[test]
fn an_archive_with_more_text_than_may_wait_is_read_in_several_passes() {
    let long = "A line of a long letter, which is one of many in it.\n".repeat(500);
    let mut mailbox = String::new();
    for number in 0..8_u8 {
        mailbox += &message(
            &format!("m{number}"),
            "",
            number,
            &format!("{number}\n{long}"),
        );
    }
    for number in 0..8_u8 {
        mailbox += &message(
            &format!("n{number}"),
            &format!("<m{number}@x.org>"),
            number + 10,
            "Yes.",
        );
    }
    let ran = run(
        "a.zip",
        ZipMaker::default()
            .deflated("a.mbox", mailbox.as_bytes())
            .finish(),
        "{}",
    );
    assert!(ran.result.is_ok(), "{:?}", ran.result);
    let mut found = labels(&ran);
    found.sort_unstable();
    let expected: Vec<String> = (0..8)
        .map(|number| format!("thread-m{number}@x.org"))
        .collect();
    assert_eq!(found, expected);
    assert!(
        ran.outputs
            .iter()
            .all(|output| text(output).ends_with("Yes."))
    );
}
