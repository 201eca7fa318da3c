//! Messages and threads as artifacts.

use std::fmt::Write as _;

use serde_json::{Value, json};
use synix_plugin::Output;

use crate::label::label;
use crate::letter::{Letter, time};
use crate::{Config, Unit};

/// A message that is written.
pub(crate) struct Message {
    /// Its own name, or one made from what it says.
    pub(crate) name: String,
    pub(crate) letter: Letter,
}

impl Message {
    /// Returns what people call it.
    pub(crate) fn title(&self) -> &str {
        self.letter.subject.as_deref().unwrap_or(&self.name)
    }
}

/// Returns one message as an artifact.
///
/// A thread that is known to have one message only, such as a file of its own, takes its label from that message: two
/// such files can be of one thread.
pub(crate) fn message(file: &str, message: &Message, config: &Config) -> Output {
    let letter = &message.letter;
    let output = match config.unit {
        Unit::Thread => {
            let text = format!("{}\n\n{}", heading(letter, None), escaped(&body(letter)));
            Output::text(label("thread", &message.name), "thread", text)
                .with_metadata("messages", &json!(1))
        }
        Unit::Message => Output::text(label("mail", &message.name), "message", body(letter)),
    };
    let subject = letter.subject.as_deref().map(|subject| match config.unit {
        Unit::Thread => base_subject(subject),
        Unit::Message => subject,
    });
    let output = about(output, file, letter, subject);
    let output = with(output, "updated", letter.date.and_then(time));
    with(output, "message_id", letter.id.clone())
}

/// Returns the messages of a thread as an artifact.
pub(crate) fn thread(file: &str, first: &Message, messages: &[Message]) -> Output {
    let letter = &first.letter;
    let subject = letter.subject.as_deref();
    let mut text = String::new();
    for message in messages {
        let letter = &message.letter;
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        // Writing to a String does not fail.
        let _ = write!(
            text,
            "{}\n\n{}",
            heading(letter, subject),
            escaped(&body(letter))
        );
    }
    let gmail = messages
        .iter()
        .find_map(|message| message.letter.gmail_thread.as_deref());
    let root = gmail
        .or(letter.answers.first().map(String::as_str))
        .unwrap_or(&first.name);
    let output = about(
        Output::text(label("thread", root), "thread", text),
        file,
        letter,
        subject.map(base_subject),
    );
    let last = messages
        .iter()
        .filter_map(|message| message.letter.date)
        .max();
    let output = with(output, "updated", last.and_then(time));
    let output = with(output, "message_id", letter.id.clone());
    let mut people: Vec<&str> = Vec::new();
    for from in messages
        .iter()
        .filter_map(|message| message.letter.from.as_deref())
    {
        if !people.contains(&from) && people.len() < 50 {
            people.push(from);
        }
    }
    let output = with(
        output,
        "participants",
        (!people.is_empty()).then(|| people.join(", ")),
    );
    output.with_metadata("messages", &json!(messages.len()))
}

fn about(output: Output, file: &str, letter: &Letter, subject: Option<&str>) -> Output {
    let output = with(output, "file", Some(file.to_owned()));
    let subject = subject.map(str::to_owned);
    let output = with(
        output,
        "subject",
        subject.filter(|subject| !subject.is_empty()),
    );
    let output = with(output, "from", letter.from.clone());
    let output = with(output, "to", letter.to.clone());
    let created = letter.date.and_then(time);
    let part = |length: usize| {
        created
            .as_deref()
            .and_then(|time| time.get(..length))
            .map(str::to_owned)
    };
    let output = with(output, "date", part(10));
    let output = with(output, "month", part(7));
    with(output, "created", created.clone())
}

fn with(output: Output, key: &str, value: Option<String>) -> Output {
    match value {
        Some(value) => output.with_metadata(key, &Value::String(value)),
        None => output,
    }
}

/// Returns the line above a message: who wrote it and when, and its subject where it is another one.
fn heading(letter: &Letter, thread: Option<&str>) -> String {
    let from = letter.from.as_deref().unwrap_or("Unknown sender");
    let mut heading = format!("## {from}");
    if let Some(time) = letter.date.and_then(time) {
        let _ = write!(heading, " · {time}");
    }
    let own = letter.subject.as_deref().map(base_subject);
    if let (Some(own), Some(thread)) = (own, thread)
        && own != base_subject(thread)
    {
        let _ = write!(heading, " · {own}");
    }
    heading
}

/// Escapes the lines of a text that look like the line above a message: nobody can write in the name of another one.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with("## ") && line.contains('·') {
            escaped.push('\\');
            escaped.push_str(line.trim_start());
        } else {
            escaped.push_str(line);
        }
    }
    escaped
}

fn body(letter: &Letter) -> String {
    let mut text = letter.text.clone();
    for (number, name) in letter.attachments.iter().enumerate() {
        if !text.is_empty() {
            text.push_str(if number == 0 { "\n\n" } else { "\n" });
        }
        let _ = write!(text, "[attachment: {name}]");
    }
    text
}

/// Takes `Re:`, `AW:` and their like off a subject.
fn base_subject(subject: &str) -> &str {
    let mut rest = subject.trim();
    loop {
        let Some((word, after)) = rest.split_once(':') else {
            return rest;
        };
        let word =
            word.trim_end_matches(|char: char| char == ']' || char == '[' || char.is_ascii_digit());
        let known = [
            "re", "aw", "sv", "antw", "vs", "ref", "rif", "odp", "回复", "答复",
        ];
        if !known.contains(&word.trim().to_lowercase().as_str()) {
            return rest;
        }
        rest = after.trim();
    }
}
