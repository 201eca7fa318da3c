//! Messages as programs write them.

use super::*;

fn letter(text: &str) -> Letter {
    Letter::from_message(text.as_bytes()).unwrap()
}

#[test]
fn encoded_words_and_charsets_are_read() {
    let raw = b"From: =?iso-8859-1?Q?J=F6rg?= <j@x.org>\nSubject: =?UTF-8?B?8J+YgA==?= =?utf-8?q?_caf=C3=A9?=\n\
        Content-Type: text/plain; charset=windows-1251\n\n\xcf\xf0\xe8\xe2\xe5\xf2\n";
    let letter = Letter::from_message(raw).unwrap();
    assert_eq!(letter.from.as_deref(), Some("Jörg <j@x.org>"));
    assert_eq!(letter.subject.as_deref(), Some("😀 café"));
    assert_eq!(letter.text, "Привет");
}

#[test]
fn quoted_printable_and_base64_are_decoded() {
    let text = "Content-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; charset=utf-8\n\nGr=C3=BC=C3=9Fe, =\nAnn\n";
    assert_eq!(letter(&format!("Subject: a\n{text}")).text, "Grüße, Ann");
    let text = "Content-Transfer-Encoding: base64\nContent-Type: text/plain; charset=utf-8\n\nR3LDvMOfZQ==\n";
    assert_eq!(letter(&format!("Subject: a\n{text}")).text, "Grüße");
}

#[test]
fn a_letter_in_html_alone_is_read_as_text() {
    let text = "Subject: a\nContent-Type: text/html; charset=utf-8\n\n<p>Hello <b>Ann</b> &amp; Bob</p><p>x";
    assert_eq!(letter(text).text, "Hello **Ann** & Bob\n\nx");
}

#[test]
fn of_two_forms_of_a_text_the_plain_one_is_taken() {
    let text = "Subject: a\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nplain\n\
        --b\nContent-Type: text/html\n\n<p>html\n--b--\n";
    assert_eq!(letter(text).text, "plain");
    let empty = text.replace("\nplain\n", "\n\n");
    assert_eq!(letter(&empty).text, "html");
}

#[test]
fn attachments_are_named_and_pictures_in_the_text_are_not() {
    let text = "Subject: a\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nSee this.\n\
        --b\nContent-Type: application/pdf; name=\"=?utf-8?q?Pl=C3=A4ne=2Epdf?=\"\nContent-Disposition: attachment\n\n%PDF\n\
        --b\nContent-Type: image/png; name=logo.png\nContent-ID: <1>\n\nx\n\
        --b\nContent-Type: message/rfc822\n\nSubject: Older letter\n\nOlder text\n--b--\n";
    let letter = letter(text);
    assert_eq!(letter.text, "See this.");
    assert_eq!(letter.attachments, ["Pläne.pdf", "Older letter"]);
}

#[test]
fn paragraphs_that_a_program_broke_are_joined() {
    let text = "Subject: a\nContent-Type: text/plain; format=flowed\n\none \ntwo\nthree\n> a \n> b\n-- \nAnn";
    assert_eq!(letter(text).text, "one two\nthree\n> a b\n--\nAnn");
    let text = "Subject: a\nContent-Type: text/plain; format=flowed; delsp=yes\n\n日 \n本\n";
    assert_eq!(letter(text).text, "日本");
}

#[test]
fn an_encrypted_letter_says_so() {
    let text = "Subject: a\nContent-Type: multipart/encrypted; boundary=b; protocol=\"application/pgp-encrypted\"\n\n\
        --b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b\nContent-Type: application/octet-stream; name=encrypted.asc\n\nxx\n--b--\n";
    let letter = letter(text);
    assert!(letter.encrypted && letter.text.is_empty(), "{letter:?}");
}

#[test]
fn the_messages_that_are_answered_are_named_from_the_first_on() {
    let letter = letter("Message-ID: <c@x>\nIn-Reply-To: <b@x>\nReferences: <a@x>\n <b@x>\n\nx");
    assert_eq!(letter.id.as_deref(), Some("c@x"));
    assert_eq!(letter.answers, ["a@x", "b@x", "b@x"]);
    let letter = Letter::from_message(b"In-Reply-To: Your message of Friday\n\nx").unwrap();
    assert!(letter.answers.is_empty(), "{letter:?}");
}

#[test]
fn times_are_in_utc_and_impossible_ones_are_none() {
    let date = |text: &str| letter(&format!("Date: {text}\n\nx")).date.and_then(time);
    assert_eq!(
        date("Fri, 16 Sep 2016 22:26:51 +0200").as_deref(),
        Some("2016-09-16T20:26:51Z")
    );
    assert_eq!(
        date("Fri, 16 Sep 2016 22:26:51 EST").as_deref(),
        Some("2016-09-17T03:26:51Z")
    );
    for wrong in [
        "soon",
        "Fri, 46 Sep 2016 22:26:51 +0200",
        "",
        "16 Sep 99999 22:26:51 +0000",
    ] {
        assert_eq!(date(wrong), None, "{wrong}");
    }
}

#[test]
fn control_characters_are_taken_out() {
    let letter = letter(
        "Subject: a\u{7}b\u{0}c\nFrom: \"x\u{1b}[31m\" <a@b>\n\none\u{1b}[2Jtwo\u{0}\tthree\n",
    );
    assert!(!format!("{letter:?}").contains("\\u{"), "{letter:?}");
    assert_eq!(letter.text, "one[2Jtwo\tthree");
}

#[test]
fn a_mailing_names_no_more_people_than_one_can_read() {
    let many: Vec<String> = (0..500).map(|number| format!("p{number}@x.org")).collect();
    let letter = letter(&format!("To: {}\n\nx", many.join(", ")));
    assert_eq!(letter.to.unwrap().split(", ").count(), RECIPIENTS);
}

#[test]
fn any_beginning_of_a_message_is_read_without_a_panic() {
    let text = "From: =?iso-8859-1?Q?J=F6rg?= <j@x.org>\nDate: Fri, 16 Sep 2016 22:26:51 +0200\nReferences: <a@x> <b\n\
        Content-Type: multipart/mixed; boundary=\"b\"\n\n--b\nContent-Type: message/rfc822\n\nSubject: x\n\
        Content-Type: text/html; charset=utf-16\n\n<p>x\n--b\nContent-Transfer-Encoding: base64\n\nAAA=\n--b--\n";
    for end in 0..text.len() {
        let _ = Letter::from_message(&text.as_bytes()[..end]);
        let _ = Letter::from_headers(&text.as_bytes()[..end]);
        let _ = Letter::from_message(&text.as_bytes()[end..]);
    }
}
