//! A WhatsApp chat: lines with a date, a time, a name and a text, as the telephone's language writes them.
//!
//! `stamp` reads the start of a line, `order` decides which number is the day.

mod order;
mod stamp;

use synix_plugin::Error;
use synix_plugin::reading::Reason;

use self::stamp::Stamp;
use crate::body::Body;
use crate::collection::{Collection, name_of};
use crate::conversation::{Conversation, Head, Names, Turn};
use crate::format::Format;
use crate::when::Moment;

/// Lines that must begin like those of a chat.
const LEAST_STAMPS: usize = 2;
/// Lines that are looked at to tell what a text is.
const LOOKED_AT: usize = 40;

/// Returns whether a text is a chat.
pub(crate) fn is_chat(text: &str) -> bool {
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    let stamps = lines()
        .take(LOOKED_AT)
        .filter(|line| stamp::read(line).is_some())
        .count();
    let first = lines()
        .next()
        .is_some_and(|line| stamp::read(line).is_some());
    // A chat of one line is one, too.
    first && (stamps >= LEAST_STAMPS || lines().nth(1).is_none())
}

struct Message<'t> {
    stamp: Stamp,
    rest: &'t str,
    /// The lines that follow.
    more: Vec<&'t str>,
    number: usize,
}

/// Reads a chat. `name` is what tells it from others.
pub(crate) fn read(text: &str, name: &str, collection: &mut Collection<'_>) -> Result<(), Error> {
    let mut messages: Vec<Message<'_>> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        match (stamp::read(line), messages.last_mut()) {
            (Some((stamp, rest)), _) => messages.push(Message {
                stamp,
                rest,
                more: Vec::new(),
                number,
            }),
            (None, Some(message)) => message.more.push(line),
            (None, None) => {}
        }
    }
    let stamps = messages.iter().map(|message| message.stamp.date);
    let order = order::find(&stamps, collection.config.date_order)
        .map_err(|text| Error::InvalidInput(format!("the WhatsApp chat {name}: {text}")))?;
    let title = title(name);
    let head = Head::new(Format::WhatsApp, name).with_title(Some(title));
    let label = name_of(&head);
    let mut names = Names::default();
    let mut turns = Vec::new();
    for message in &messages {
        let Some(at) = order.moment(&message.stamp) else {
            collection.message(
                &format!("{label} line {}", message.number),
                Reason::Unreadable,
            );
            continue;
        };
        match turn(message, at, &mut names, collection) {
            Ok(turn) => turns.extend(turn),
            Err(reason) => collection.message(&format!("{label} line {}", message.number), reason),
        }
    }
    collection.conversation(Conversation { head, turns });
    Ok(())
}

fn turn(
    message: &Message<'_>,
    at: Moment,
    names: &mut Names,
    collection: &Collection<'_>,
) -> Result<Option<Turn>, Reason> {
    // Without a name it is a line of the program.
    let Some((sender, said)) = message.rest.split_once(": ").or_else(|| {
        let sender = message.rest.strip_suffix(':')?;
        Some((sender, ""))
    }) else {
        return Err(Reason::Hidden);
    };
    let is_marked = said.starts_with(MARK);
    let first = said.trim_start_matches(MARK).trim();
    let more = message.more.join("\n");
    let has_more = !more.trim().is_empty();
    let mut body = Body::new(collection.config);
    if is_media(first, is_marked) {
        body.say(&more);
        if !has_more {
            return Err(Reason::NoText);
        }
    } else if is_marked && !has_more {
        return Err(Reason::Hidden);
    } else {
        body.say(&format!("{first}\n{more}").replace(MARK, ""));
    }
    let who = names.who(sender.trim_start_matches(['~', ' ', MARK]));
    Ok(body.turn(who, Some(at)))
}

/// The mark that the program puts before words of its own.
const MARK: char = '\u{200e}';

/// Recognises what is written in the place of a picture, whatever the language.
fn is_media(text: &str, is_marked: bool) -> bool {
    // `<Media omitted>`, `<attached: 0001-PHOTO.jpg>`.
    let is_bracketed = text.starts_with('<') && text.ends_with('>') && !text.contains(['/', '=']);
    if is_bracketed && (text.contains(' ') || !text.is_ascii()) {
        return true;
    }
    // `IMG-20260101-WA0001.jpg (file attached)`.
    let (file, note) = text.split_once(" (").unwrap_or((text, ""));
    let has_ending = file.rsplit_once('.').is_some_and(|(stem, ending)| {
        !stem.is_empty()
            && (2..=5).contains(&ending.len())
            && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    let is_file = has_ending && note.ends_with(')') && (is_marked || file.contains("-WA"));
    // `image omitted`, in any language two or three words, always marked.
    let omitted = [
        "omitted",
        "weggelassen",
        "omitid",
        "omess",
        "absent",
        "omis",
        "weggelaten",
        "пропущен",
        "utelatt",
    ];
    is_file || (is_marked && omitted.iter().any(|word| text.contains(word)) && text.len() < 60)
}

/// Finds the name of the chat in that of its file.
fn title(name: &str) -> &str {
    let stem = name.rsplit('/').next().unwrap_or(name);
    for start in [
        "WhatsApp Chat with ",
        "WhatsApp Chat - ",
        "WhatsApp-Chat mit ",
        "Chat de WhatsApp con ",
        "Discussion WhatsApp avec ",
    ] {
        if let Some(rest) = stem.strip_prefix(start)
            && !rest.trim().is_empty()
        {
            return rest;
        }
    }
    stem
}
