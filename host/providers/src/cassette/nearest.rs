//! Finds the recorded request that is most similar to another, and describes how they differ.

use serde_json::Value;

use synix_core::request::{Message, Part, Request, RequestKey};

/// The most characters of a line in a message.
const MAX_LINE_CHARS: usize = 160;

/// The most characters of a line before its first difference.
const CONTEXT_CHARS: usize = 40;

/// Returns the recorded request that is most similar to `asked` by the text of its messages.
///
/// Among equally similar ones it prefers more equal members, then the smallest key.
/// Returns none if no text has anything in common.
pub(super) fn find<'a>(
    asked: &Request,
    recorded: impl Iterator<Item = (&'a RequestKey, &'a Request)>,
) -> Option<(&'a RequestKey, &'a Request)> {
    let sketch = Sketch::of(asked);
    let mut best: Option<(f64, usize, (&RequestKey, &Request))> = None;
    for (key, request) in recorded {
        let similarity = sketch.similarity(&Sketch::of(request));
        if similarity == 0.0 || best.is_some_and(|(most, ..)| similarity < most) {
            continue;
        }
        let differing = differing_members(request, asked).len();
        if best.is_none_or(|(most, least, _)| similarity > most || differing < least) {
            best = Some((similarity, differing, (key, request)));
        }
    }
    best.map(|(_, _, found)| found)
}

/// Names the members that differ, and shows the first different line of the messages.
pub(super) fn difference(recorded: &Request, asked: &Request) -> String {
    let mut lines = Vec::new();
    for (name, old, new) in differing_members(recorded, asked) {
        if name == "messages" || name == "text" {
            lines.push(message_difference(&recorded.messages, &asked.messages));
        } else {
            let (old, new) = excerpts(&old.to_string(), &new.to_string());
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
    let Some((position, _)) = new.get(first).or(old.get(first)) else {
        return "messages: the same text in other parts".to_owned();
    };
    let line = |lines: &[(String, String)]| lines.get(first).map(|(_, line)| line.clone());
    let (old, new) = (line(&old), line(&new));
    let (old_cut, new_cut) = excerpts(
        old.as_deref().unwrap_or_default(),
        new.as_deref().unwrap_or_default(),
    );
    let shown = |line: Option<String>, cut: String| match line {
        Some(_) => format!("{cut:?}"),
        None => "(nothing)".to_owned(),
    };
    format!(
        "messages: first difference in {position}\n  recorded: {}\n  asked:    {}",
        shown(old, old_cut),
        shown(new, new_cut),
    )
}

/// Returns each line of the messages with its position.
fn numbered_lines(messages: &[Message]) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for (number, message) in (1..).zip(messages) {
        let role = format!("{:?}", message.role).to_lowercase();
        let text: String = message.parts.iter().map(part_text).collect();
        for (line, text) in (1..).zip(text.split('\n')) {
            let position = format!("message {number} ({role}), line {line}");
            lines.push((position, text.to_owned()));
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

/// Cuts two lines to the same range around their first difference.
fn excerpts(old: &str, new: &str) -> (String, String) {
    let same = old.chars().zip(new.chars());
    let same = same.take_while(|(old, new)| old == new).count();
    let longest = old.chars().count().max(new.chars().count());
    let start = if longest <= MAX_LINE_CHARS {
        0
    } else {
        same.saturating_sub(CONTEXT_CHARS)
    };
    let excerpt = |line: &str| {
        let mut shown: String = line.chars().skip(start).take(MAX_LINE_CHARS).collect();
        if start > 0 {
            shown.insert(0, '…');
        }
        if line.chars().nth(start + MAX_LINE_CHARS).is_some() {
            shown.push('…');
        }
        shown
    };
    (excerpt(old), excerpt(new))
}

/// The three-byte sequences in the messages of a request, hashed into a fixed number of bits.
///
/// A comparison takes the same time for texts of any length, so a search through
/// thousands of recordings is fast.
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
            // Padding makes texts shorter than three bytes comparable.
            let mut window = 0x0202_u32;
            for byte in text.bytes().chain([3, 3]) {
                window = (window << 8 | u32::from(byte)) & 0x00ff_ffff;
                // Fibonacci hashing: the top 16 bits are mixed best.
                let hash = window.wrapping_mul(0x9e37_79b1) >> 16;
                bits[(hash >> 6) as usize] |= 1_u64 << (hash & 63);
            }
        }
        Self(bits)
    }

    /// Returns 1 for equal sketches and 0 for sketches without a common bit.
    fn similarity(&self, other: &Self) -> f64 {
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

#[cfg(test)]
mod tests {
    use super::super::Cassette;
    use super::super::tests::{answer, cassette};
    use crate::testing::request;
    use synix_core::request::{Part, Request, Wire};

    #[test]
    fn the_nearest_request_is_shown_with_its_first_different_line() {
        let cassette = cassette(&[
            ("Describe Alice.\nShe sails.\nBe brief.", "x"),
            ("Translate into French.", "x"),
        ]);
        let asked = Request {
            temperature: Some(0.5),
            ..request(Wire::OpenAi, "Describe Alice.\nShe rows.\nBe brief.")
        };
        let (_, nearest, difference) = cassette.nearest(&asked).unwrap();
        assert_eq!(
            nearest,
            &request(Wire::OpenAi, "Describe Alice.\nShe sails.\nBe brief.")
        );
        let expected = "messages: first difference in message 1 (user), line 2\n  \
        recorded: \"She sails.\"\n  asked:    \"She rows.\"\ntemperature: recorded null, asked 0.5";
        assert_eq!(difference, expected);
    }

    #[test]
    fn among_equal_texts_the_request_with_more_equal_settings_is_nearest() {
        let mut cassette = Cassette::empty();
        for model in ["a", "b", "c", "d"] {
            for temperature in [0.1, 0.2] {
                let request = Request {
                    model: model.to_owned(),
                    temperature: Some(temperature),
                    ..request(Wire::OpenAi, "Hi")
                };
                cassette.insert(request, answer("x")).unwrap();
            }
        }
        let asked = Request {
            model: "c".to_owned(),
            temperature: Some(0.3),
            ..request(Wire::OpenAi, "Hi")
        };
        let (_, nearest, difference) = cassette.nearest(&asked).unwrap();
        assert_eq!(nearest.model, "c");
        assert!(
            difference.starts_with("temperature: recorded 0."),
            "{difference}"
        );
    }

    #[test]
    fn an_empty_cassette_has_no_nearest_request() {
        assert!(
            Cassette::empty()
                .nearest(&request(Wire::OpenAi, "Hi"))
                .is_none()
        );
    }

    #[test]
    fn a_difference_far_into_a_long_line_is_shown() {
        let long = "x".repeat(5000);
        let cassette = cassette(&[(&format!("{long}a"), "x")]);
        let (_, _, difference) = cassette
            .nearest(&request(Wire::OpenAi, &format!("{long}b")))
            .unwrap();
        assert!(
            difference.contains("xa\"") && difference.contains("xb\""),
            "{difference}"
        );
        assert!(difference.len() < 500);
    }

    #[test]
    fn a_missing_line_is_shown_as_nothing() {
        let cassette = cassette(&[("one\ntwo", "x")]);
        let (_, _, difference) = cassette.nearest(&request(Wire::OpenAi, "one")).unwrap();
        assert!(
            difference.ends_with("recorded: \"two\"\n  asked:    (nothing)"),
            "{difference}"
        );
    }

    #[test]
    fn different_parts_of_the_same_text_are_reported() {
        let cassette = cassette(&[("one two", "x")]);
        let mut asked = request(Wire::OpenAi, "one ");
        asked.messages[0].parts.push(Part::Text("two".to_owned()));
        let (_, _, difference) = cassette.nearest(&asked).unwrap();
        assert_eq!(difference, "messages: the same text in other parts");
    }
}
