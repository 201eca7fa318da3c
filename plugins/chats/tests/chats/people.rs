//! Chats between people: WhatsApp, Telegram, Slack.

use serde_json::{Value, json};
use synix_plugin::reading::Reason;
use synix_reading::testing::ZipMaker;

use crate::support::{content, meta, read, read_with, said, turns};

#[test]
fn a_whatsapp_chat_of_an_iphone_is_read() {
    let text = "[24.12.25, 18:03:09] Anna: \u{200e}Messages and calls are end-to-end encrypted.\r\n\
        [24.12.25, 18:03:10] Anna: Hello\r\nsecond line\r\n\r\nfourth\r\n\
        \u{200e}[24.12.25, 18:04:00] Ben: \u{200e}image omitted\r\n\
        \u{200e}[24.12.25, 18:05:00] Ben: \u{200e}<attached: 001-PHOTO.jpg>\r\n\
        [25.12.25, 0:00:01] Ben: Merry: Christmas\r\n";
    let run = read("chats/WhatsApp Chat - Anna.txt", text);
    let output = run.only();
    assert_eq!(output.label, "whatsapp-WhatsApp Chat - Anna");
    assert_eq!(meta(output, "title"), "Anna");
    assert_eq!(meta(output, "created"), "2025-12-24T18:03:10Z");
    assert_eq!(
        turns(output),
        [
            ("Anna".into(), "Hello\nsecond line\n\nfourth".into()),
            ("Ben".into(), "Merry: Christmas".into())
        ]
    );
    assert_eq!(
        (run.count(&Reason::Hidden), run.count(&Reason::NoText)),
        (1, 2)
    );
}

#[test]
fn a_whatsapp_chat_of_android_is_read() {
    let text = "12/31/25, 11:58\u{202f}PM - Messages are end-to-end encrypted. No one outside can read them.\n\
        12/31/25, 11:59\u{202f}PM - +1 555 010: <Media omitted>\n\
        12/31/25, 11:59\u{202f}PM - Zoë: IMG-20251231-WA0001.jpg (file attached)\nLook at this\n\
        1/1/26, 12:00\u{202f}AM - Zoë: Happy new year\n";
    let run = read("WhatsApp Chat with Zoë.txt", text);
    assert_eq!(said(run.only()), ["Look at this", "Happy new year"]);
    assert!(content(run.only()).contains("## Zoë · 2026-01-01T00:00:00Z"));
    assert_eq!(meta(run.only(), "title"), "Zoë");
}

#[test]
fn dates_that_can_be_read_in_two_ways_are_asked_for() {
    let text = "1/2/2025, 10:00 - A: x\n3/4/2025, 10:00 - B: y\n";
    let error = read("a.txt", text).error();
    assert!(error.contains("date_order"), "{error}");
    let run = read_with("a.txt", text, r#"{"date_order": "mdy"}"#);
    assert_eq!(meta(run.only(), "date"), "2025-01-02");
}

#[test]
fn a_zipped_whatsapp_chat_has_the_name_of_its_archive() {
    let zip = ZipMaker::default()
        .deflated("_chat.txt", b"[24.12.25, 18:03:09] Anna: Hello")
        .stored("001-PHOTO.jpg", b"\xff\xd8\xff\0")
        .finish();
    let run = read("x/WhatsApp Chat - Anna.zip", zip);
    assert_eq!(run.labels(), ["whatsapp-WhatsApp Chat - Anna"]);
    assert_eq!(run.count(&Reason::Unsupported), 1);
}

fn telegram(id: i64) -> Value {
    json!({"name": "Anna", "type": "personal_chat", "id": id, "messages": [
        {"id": 1, "type": "service", "date": "2026-01-02T03:04:05", "action": "create_group"},
        {"id": 2, "type": "message", "date": "2026-01-02T04:04:05", "date_unixtime": "1767323045", "from": "Anna", "from_id": "user1", "text": ["See ", {"type": "link", "text": "https://a.b"}, " ", {"type": "text_link", "text": "this", "href": "https://c.d"}]},
        {"id": 3, "type": "message", "date": "2026-01-02T04:05:05", "from": null, "from_id": "user2", "photo": "photos/p.jpg", "text": ""},
        5
    ]})
}

#[test]
fn a_telegram_chat_is_read_alone_and_in_an_account() {
    let account = json!({"about": "x", "personal_information": {"user_id": 1}, "chats": {"about": "y", "list": [telegram(7), 5, telegram(8)]}});
    for (text, labels) in [
        (telegram(7).to_string(), vec!["telegram-7"]),
        (account.to_string(), vec!["telegram-7", "telegram-8"]),
    ] {
        let run = read("result.json", text);
        assert_eq!(run.labels(), labels);
        let output = &run.outputs[0];
        assert_eq!(
            turns(output),
            [
                ("Anna".into(), "See https://a.b [this](https://c.d)".into()),
                ("user2".into(), "[attachment: p.jpg]".into())
            ]
        );
        assert_eq!(meta(output, "created"), "2026-01-02T03:04:05Z");
        assert_eq!(run.count(&Reason::Hidden), labels.len());
    }
}

#[test]
fn of_a_telegram_chat_that_is_cut_off_the_start_is_kept() {
    // The order of the members is that of a real export.
    let text = r#"{"name": "A", "type": "x", "id": 7, "messages": [{"id": 1, "type": "message", "from": "A", "text": "Hi", "date_unixtime": "1767323045"}, {"id": 2, "ty"#;
    let run = read("result.json", text);
    assert_eq!(run.labels(), ["telegram-7"]);
    assert_eq!(run.count(&Reason::Unreadable), 1);
}

fn slack(ts: &str, thread: Option<&str>, text: &str) -> Value {
    json!({"type": "message", "user": "U1", "ts": ts, "thread_ts": thread, "text": text})
}

#[test]
fn a_slack_channel_is_a_conversation_with_replies_below_their_parent() {
    let day1 = json!([
        {"type": "message", "subtype": "channel_join", "user": "U2", "ts": "1767323000.0", "text": "joined"},
        slack("1767323045.000100", Some("1767323045.000100"), "Question &amp; <@U2>"),
        slack("1767323050.000100", None, "Other"),
    ]);
    let day2 = json!([slack(
        "1767409445.000100",
        Some("1767323045.000100"),
        "Answer"
    )]);
    let users = json!([{"id": "U1", "name": "anna", "profile": {"real_name": "Anna A", "display_name": "Anna"}}, {"id": "U2", "name": "ben", "profile": {"real_name": "Ben B", "display_name": ""}}]);
    let channels = json!([{"id": "C1", "name": "general", "created": 1, "members": ["U1"]}]);
    // The order in the archive is not that of the days.
    let zip = ZipMaker::default()
        .deflated("general/2026-01-03.json", day2.to_string().as_bytes())
        .deflated("general/2026-01-02.json", day1.to_string().as_bytes())
        .stored(
            "random/2026-01-02.json",
            json!([slack("1767323045.000200", None, "Hi")])
                .to_string()
                .as_bytes(),
        )
        .stored("channels.json", channels.to_string().as_bytes())
        .stored("users.json", users.to_string().as_bytes())
        .finish();
    let run = read("slack.zip", zip);
    assert_eq!(run.labels(), ["slack-general", "slack-random"]);
    let general = &run.outputs[0];
    assert_eq!(said(general), ["Question & @Ben B", "Answer", "Other"]);
    assert!(
        content(general).contains("## Anna · 2026-01-03T03:04:05Z · reply\n\nAnswer"),
        "{}",
        content(general)
    );
    assert_eq!(meta(general, "title"), "#general");
    assert_eq!(run.count(&Reason::Hidden), 1);
}

#[test]
fn a_day_of_slack_that_is_a_file_of_its_own_is_a_conversation() {
    let run = read(
        "export/general/2026-01-02.json",
        json!([slack("1767323045.000200", None, "Hi")]).to_string(),
    );
    assert_eq!(run.labels(), ["slack-general-2026-01-02"]);
}
