//! What a message says: its headers as texts, its text, the names of its attachments.

use mail_parser::{
    Address, DateTime, Message, MessageParser, MessagePart, MimeHeaders as _, PartType,
};

/// Recipients that are named; a mailing can have thousands.
const RECIPIENTS: usize = 50;

/// A message, parsed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) id: Option<String>,
    /// The messages that it answers, the first of the thread first.
    pub(crate) answers: Vec<String>,
    /// Gmail's own name of the thread.
    pub(crate) gmail_thread: Option<String>,
    pub(crate) gmail_labels: Vec<String>,
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) subject: Option<String>,
    /// Seconds since 1970.
    pub(crate) date: Option<i64>,
    pub(crate) text: String,
    pub(crate) attachments: Vec<String>,
    /// Whether the text is encrypted.
    pub(crate) encrypted: bool,
}

impl Letter {
    /// Reads the headers alone.
    pub(crate) fn from_headers(raw: &[u8]) -> Option<Self> {
        Some(Self::headers(&MessageParser::default().parse_headers(raw)?))
    }

    /// Reads a whole message.
    pub(crate) fn from_message(raw: &[u8]) -> Option<Self> {
        let message = MessageParser::default().parse(raw)?;
        let mut letter = Self::headers(&message);
        let mut texts = Vec::new();
        for part in message.text_bodies() {
            let text = text_of(part);
            if !text.trim().is_empty() {
                texts.push(text);
            }
        }
        // Some programs write an empty text beside the real one.
        if texts.is_empty() {
            let html = message.html_bodies().map(text_of);
            texts.extend(html.filter(|text| !text.trim().is_empty()));
        }
        letter.text = clean(&texts.join("\n\n"));
        letter.attachments = message.attachments().filter_map(attachment).collect();
        letter.encrypted = message.content_type().is_some_and(|kind| {
            let subtype = kind.subtype().unwrap_or_default();
            subtype == "encrypted" || subtype == "pkcs7-mime" || subtype == "x-pkcs7-mime"
        });
        Some(letter)
    }

    fn headers(message: &Message<'_>) -> Self {
        let ids = |value: &mail_parser::HeaderValue<'_>| -> Vec<String> {
            let many = value.as_text_list().unwrap_or_default();
            let ids = many.iter().map(|id| one_line(id));
            ids.filter(|id| !id.is_empty()).collect()
        };
        let text = |name: &'static str| {
            let value = message.header_raw(name).map(one_line);
            value.filter(|value| !value.is_empty())
        };
        let mut answers = ids(message.references());
        let direct = ids(message.in_reply_to());
        answers.extend(direct.into_iter().filter(|id| !id.contains(' ')));
        let decoded = message.header_as("X-Gmail-Labels", mail_parser::HeaderForm::Text);
        let labels = decoded.iter().filter_map(|value| value.as_text());
        Self {
            id: message
                .message_id()
                .map(one_line)
                .filter(|id| !id.is_empty()),
            answers,
            gmail_thread: text("X-GM-THRID"),
            gmail_labels: labels
                .flat_map(|labels| labels.split(','))
                .map(|label| label.trim().trim_matches('"').to_owned())
                .filter(|label| !label.is_empty())
                .collect(),
            from: message.from().or(message.sender()).and_then(people),
            to: message.to().and_then(people),
            subject: message
                .subject()
                .map(one_line)
                .filter(|subject| !subject.is_empty()),
            date: message
                .date()
                .filter(|date| date.is_valid())
                .map(DateTime::to_timestamp),
            ..Self::default()
        }
    }
}

/// Returns a time as `YYYY-MM-DDTHH:MM:SSZ`; years that this has no room for are no time.
pub(crate) fn time(seconds: i64) -> Option<String> {
    // From the year 1 to 9999.
    if !(-62_135_596_800..253_402_300_800).contains(&seconds) {
        return None;
    }
    let date = DateTime::from_timestamp(seconds);
    Some(format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        date.year, date.month, date.day, date.hour, date.minute, date.second
    ))
}

fn text_of(part: &MessagePart<'_>) -> String {
    match &part.body {
        PartType::Text(text) => match part.content_type() {
            Some(kind)
                if kind
                    .attribute("format")
                    .is_some_and(|form| form.eq_ignore_ascii_case("flowed")) =>
            {
                let delete = kind.attribute("delsp");
                unflowed(
                    text,
                    delete.is_some_and(|delete| delete.eq_ignore_ascii_case("yes")),
                )
            }
            _ => text.to_string(),
        },
        PartType::Html(html) => synix_markup::letter(html).unwrap_or_default(),
        PartType::Binary(_)
        | PartType::InlineBinary(_)
        | PartType::Message(_)
        | PartType::Multipart(_) => String::new(),
    }
}

/// Joins the lines of a paragraph that its program broke (RFC 3676).
fn unflowed(text: &str, delete_space: bool) -> String {
    let mut joined = String::with_capacity(text.len());
    let mut open: Option<usize> = None;
    for line in text.lines() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let depth = line.bytes().take_while(|&byte| byte == b'>').count();
        let rest = line.get(depth..).unwrap_or_default();
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        if open == Some(depth) {
            joined.push_str(rest);
        } else {
            if !joined.is_empty() {
                joined.push('\n');
            }
            joined.extend(std::iter::repeat_n('>', depth));
            if depth > 0 {
                joined.push(' ');
            }
            joined.push_str(rest);
        }
        // The line above a signature ends with a space, and the paragraph with it.
        let flows = rest.ends_with(' ') && rest != "-- ";
        if flows && delete_space {
            joined.pop();
        }
        open = flows.then_some(depth);
    }
    joined
}

/// Returns the name of an attachment; a picture inside the text is none.
fn attachment(part: &MessagePart<'_>) -> Option<String> {
    let shown = part
        .content_disposition()
        .is_some_and(|how| how.is_attachment());
    if let PartType::Message(message) = &part.body {
        let subject = message.subject().map(one_line);
        return Some(
            subject
                .filter(|subject| !subject.is_empty())
                .unwrap_or_else(|| "message".to_owned()),
        );
    }
    let kind = part.content_type();
    let picture = kind.is_some_and(|kind| kind.ctype() == "image");
    if picture && !shown && part.content_id().is_some() {
        return None;
    }
    let name = part.attachment_name().map(one_line);
    let name = name.filter(|name| !name.is_empty());
    if name.is_none() && (!shown || matches!(part.body, PartType::Html(_))) {
        return None;
    }
    Some(name.unwrap_or_else(|| "without a name".to_owned()))
}

fn people(address: &Address<'_>) -> Option<String> {
    let people = address.iter().filter_map(|person| {
        let name = person.name().map(one_line).filter(|name| !name.is_empty());
        let address = person
            .address()
            .map(one_line)
            .filter(|address| !address.is_empty());
        Some(match (name, address) {
            (Some(name), Some(address)) if name != address => format!("{name} <{address}>"),
            (_, Some(address)) => address,
            (Some(name), None) => name,
            (None, None) => return None,
        })
    });
    let people: Vec<String> = people.take(RECIPIENTS).collect();
    (!people.is_empty()).then(|| people.join(", "))
}

/// Returns a text of strangers as one line without control characters.
pub(crate) fn one_line(text: &str) -> String {
    let words = text.split(|char: char| char.is_whitespace() || char.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Takes what is no text out of a text, and the ends of the lines with it.
fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for line in text.lines() {
        let line = line.trim_end();
        cleaned.extend(
            line.chars()
                .filter(|&char| char == '\t' || !char.is_control()),
        );
        cleaned.push('\n');
    }
    cleaned.truncate(cleaned.trim_end().len());
    let start = cleaned.len() - cleaned.trim_start_matches('\n').len();
    cleaned.split_off(start)
}

#[cfg(test)]
mod tests;
