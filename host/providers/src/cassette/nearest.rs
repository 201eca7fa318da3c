//! Which recorded request is most like another, and how the two differ.

use serde_json::Value;

use synix_core::request::{Message, Part, Request, RequestKey};

/// The most characters shown of a line.
const LONGEST_LINE: usize = 160;

/// The most characters shown of a line before the first that differs.
const LEAD: usize = 40;

/// Returns the recorded request most like `asked` by the text of its messages.
///
/// Among equals the one with more equal members wins, then the smallest key.
/// Requests that have nothing in common are not near.
pub(super) fn find<'a>(
    asked: &Request,
    recorded: impl Iterator<Item = (&'a RequestKey, &'a Request)>,
) -> Option<(&'a RequestKey, &'a Request)> {
    let sketch = Sketch::of(asked);
    let mut best: Option<(f64, usize, (&RequestKey, &Request))> = None;
    for (key, request) in recorded {
        let likeness = sketch.likeness(&Sketch::of(request));
        if likeness == 0.0 || best.is_some_and(|(most, ..)| likeness < most) {
            continue;
        }
        let differing = differing_members(request, asked).len();
        if best.is_none_or(|(most, least, _)| likeness > most || differing < least) {
            best = Some((likeness, differing, (key, request)));
        }
    }
    best.map(|(_, _, found)| found)
}

/// Says which members differ, and shows the first line of the messages that does.
pub(super) fn difference(recorded: &Request, asked: &Request) -> String {
    let mut lines = Vec::new();
    for (name, old, new) in differing_members(recorded, asked) {
        if name == "messages" {
            lines.push(message_difference(&recorded.messages, &asked.messages));
        } else {
            let (old, new) = around(&old.to_string(), &new.to_string());
            lines.push(format!("{name}: recorded {old}, asked {new}"));
        }
    }
    lines.join("\n")
}

fn differing_members(recorded: &Request, asked: &Request) -> Vec<(String, Value, Value)> {
    let members = |request| match serde_json::to_value(request) {
        Ok(Value::Object(members)) => members,
        Ok(_) | Err(_) => serde_json::Map::new(),
    };
    let mut asked = members(asked);
    let pairs = members(recorded).into_iter().map(|(name, old)| {
        let new = asked.remove(&name).unwrap_or_default();
        (name, old, new)
    });
    pairs.filter(|(_, old, new)| old != new).collect()
}

fn message_difference(recorded: &[Message], asked: &[Message]) -> String {
    let (old, new) = (numbered_lines(recorded), numbered_lines(asked));
    let same = old.iter().zip(&new).take_while(|(old, new)| old == new);
    let first = same.count();
    let Some((place, _)) = new.get(first).or(old.get(first)) else {
        return "messages: the same text in other parts".to_owned();
    };
    let line = |lines: &[(String, String)]| lines.get(first).map(|(_, line)| line.clone());
    let (old, new) = (line(&old), line(&new));
    let (old_cut, new_cut) = around(
        old.as_deref().unwrap_or_default(),
        new.as_deref().unwrap_or_default(),
    );
    let shown = |line: Option<String>, cut: String| match line {
        Some(_) => format!("{cut:?}"),
        None => "(nothing)".to_owned(),
    };
    format!(
        "messages: first difference in {place}\n  recorded: {}\n  asked:    {}",
        shown(old, old_cut),
        shown(new, new_cut),
    )
}

/// Returns each line of the messages with its place.
fn numbered_lines(messages: &[Message]) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for (number, message) in (1..).zip(messages) {
        let role = format!("{:?}", message.role).to_lowercase();
        let text: String = message.parts.iter().map(part_text).collect();
        for (line, text) in (1..).zip(text.split('\n')) {
            let place = format!("message {number} ({role}), line {line}");
            lines.push((place, text.to_owned()));
        }
    }
    lines
}

fn part_text(part: &Part) -> String {
    match part {
        Part::Text(text) => text.clone(),
        Part::Image { media_type, data } => format!("[{media_type} {data}]"),
    }
}

/// Cuts two lines to the same stretch around their first difference.
fn around(old: &str, new: &str) -> (String, String) {
    let same = old.chars().zip(new.chars());
    let same = same.take_while(|(old, new)| old == new).count();
    let longest = old.chars().count().max(new.chars().count());
    let start = if longest <= LONGEST_LINE {
        0
    } else {
        same.saturating_sub(LEAD)
    };
    let stretch = |line: &str| {
        let mut shown: String = line.chars().skip(start).take(LONGEST_LINE).collect();
        if start > 0 {
            shown.insert(0, '…');
        }
        if line.chars().nth(start + LONGEST_LINE).is_some() {
            shown.push('…');
        }
        shown
    };
    (stretch(old), stretch(new))
}

/// Which three-byte sequences a request's messages have, hashed into a fixed number of bits.
///
/// Comparing two takes the same time however long the texts are, which keeps
/// a search through thousands of recordings short.
struct Sketch(Box<[u64; WORDS]>);

const WORDS: usize = 1 << 10;

impl Sketch {
    fn of(request: &Request) -> Self {
        let mut bits = Box::new([0; WORDS]);
        for part in request.messages.iter().flat_map(|message| &message.parts) {
            let text = match part {
                Part::Text(text) => text,
                Part::Image { data, .. } => data,
            };
            // Borders make texts shorter than three bytes comparable.
            let mut window = 0x0202_u32;
            for byte in text.bytes().chain([3, 3]) {
                window = (window << 8 | u32::from(byte)) & 0x00ff_ffff;
                // Fibonacci hashing; the top 16 bits are the best mixed.
                let hash = window.wrapping_mul(0x9e37_79b1) >> 16;
                bits[(hash >> 6) as usize] |= 1_u64 << (hash & 63);
            }
        }
        Self(bits)
    }

    /// Returns 1 for equal sketches and 0 for those without a common bit.
    fn likeness(&self, other: &Self) -> f64 {
        let pairs = || self.0.iter().zip(other.0.iter());
        let common: u32 = pairs()
            .map(|(left, right)| (left & right).count_ones())
            .sum();
        let all: u32 = pairs()
            .map(|(left, right)| (left | right).count_ones())
            .sum();
        if all == 0 {
            0.0
        } else {
            f64::from(common) / f64::from(all)
        }
    }
}
