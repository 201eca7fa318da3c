//! Where the messages of an mbox file begin and end.
//!
//! A line that begins with `From ` also occurs in letters. It begins a message only at the start of the file or after an
//! empty line, with a sender and a date as the program `mail` wrote them, and if a header follows it.

use std::io::{self, Read};
use std::ops::Range;

use mail_parser::DateTime;

use crate::lines::{Line, Lines};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// The most bytes of a line between messages that are looked at.
const SEPARATOR_BYTES: usize = 1024;

/// A message of an mbox file.
#[derive(Debug, PartialEq, Eq, Clone)]
pub(crate) struct Found {
    /// Its bytes, without the line before it.
    pub(crate) range: Range<u64>,
    /// When it was delivered, by the line before it.
    pub(crate) delivered: Option<i64>,
}

/// What there is of an mbox file, in its order.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    /// A line of the message that is open.
    Line(Line<'a>),
    /// The end of the message that is open.
    End(Found),
}

/// Finds the messages of an mbox file whose first byte is at `offset`.
pub(crate) fn messages<R: Read>(
    reader: R,
    offset: u64,
    mut each: impl FnMut(Event<'_>),
) -> io::Result<()> {
    let mut lines = Lines::new(reader, offset);
    let mut open: Option<Found> = None;
    // A separator that no header has confirmed yet, with the line itself: it may be text after all.
    let mut pending: Option<(u64, Vec<u8>, Option<i64>)> = None;
    let mut after_empty = true;
    let mut first = true;
    while let Some(line) = lines.next()? {
        if let Some((offset, separator, delivered)) = pending.take() {
            if is_header(line.text()) || open.is_none() {
                if let Some(mut found) = open.take() {
                    found.range.end = offset;
                    each(Event::End(found));
                }
                open = Some(Found {
                    range: line.offset..line.offset,
                    delivered,
                });
            } else {
                each(Event::Line(Line {
                    offset,
                    bytes: &separator,
                    begins: true,
                }));
            }
        }
        let text = line.text();
        if line.begins && after_empty && text.starts_with(b"From ") {
            let delivered = separator(text);
            // The first line is taken as it is: it says what the file is.
            if first || delivered.is_some() {
                pending = Some((line.offset, line.bytes.to_vec(), delivered));
                first = false;
                after_empty = false;
                continue;
            }
        }
        first = first && text.is_empty();
        after_empty = line.begins && text.is_empty();
        if let Some(found) = &mut open {
            found.range.end = line.end();
            each(Event::Line(line));
        }
    }
    if let Some(found) = open {
        each(Event::End(found));
    }
    Ok(())
}

/// Returns the date in a line such as `From a@b Fri Sep 16 22:26:51 +0000 2016`, if it is one.
pub(crate) fn separator(line: &[u8]) -> Option<i64> {
    let rest = line.get(..SEPARATOR_BYTES).unwrap_or(line);
    let rest = std::str::from_utf8(rest.strip_prefix(b"From ")?).ok()?;
    let words: Vec<&str> = rest.split_ascii_whitespace().collect();
    // Without a sender the date would come first.
    let day = words.iter().skip(1).position(|word| DAYS.contains(word))? + 1;
    let month = words.get(day + 1)?;
    let month = MONTHS.iter().position(|known| known == month)? + 1;
    let mut fields = words.get(day + 3)?.split(':');
    let mut time = || {
        fields
            .next()
            .map_or(Some(0), |text| text.parse::<u8>().ok())
    };
    let (hour, minute, second) = (time()?, time()?, time()?);
    let after = words.get(day + 4..)?.iter().take(3);
    let year = after.clone().find_map(|word| year(word))?;
    let zone = after.clone().find_map(|word| zone(word)).unwrap_or(0);
    let date = DateTime {
        year,
        month: u8::try_from(month).ok()?,
        day: words.get(day + 2)?.parse().ok()?,
        hour,
        minute,
        second,
        tz_before_gmt: false,
        tz_hour: 0,
        tz_minute: 0,
    };
    date.is_valid().then(|| date.to_timestamp() - zone)
}

fn year(word: &str) -> Option<u16> {
    let digits = word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| word.parse().ok()).flatten()
}

/// Returns the seconds of an offset such as `+0530`.
fn zone(word: &str) -> Option<i64> {
    let sign = match word.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = word.get(1..).filter(|digits| digits.len() == 4)?;
    let digits: i64 = digits.parse().ok()?;
    Some(sign * (digits / 100 * 3600 + digits % 100 * 60))
}

/// Whether a line can begin the headers of a message: `Name: value`.
pub(crate) fn is_header(line: &[u8]) -> bool {
    // A file that was an mbox before can have one of its lines as the first header.
    if line.starts_with(b">From ") {
        return true;
    }
    let name = line.iter().take(128);
    let length = name
        .take_while(|&&byte| byte.is_ascii_graphic() && byte != b':')
        .count();
    length > 0 && line.get(length) == Some(&b':')
}

/// Takes one level of quoting off a line such as `>From here`.
pub(crate) fn unquoted(line: &[u8]) -> &[u8] {
    let marks = line.iter().take_while(|&&byte| byte == b'>').count();
    match line.get(marks..) {
        Some(rest) if marks > 0 && rest.starts_with(b"From ") => &line[1..],
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ranges(bytes: &[u8]) -> Vec<Range<u64>> {
        let mut all = Vec::new();
        let each = |event: Event<'_>| {
            if let Event::End(found) = event {
                all.push(found.range);
            }
        };
        messages(bytes, 0, each).unwrap();
        all
    }

    fn split(text: &str) -> Vec<&str> {
        let all = ranges(text.as_bytes());
        let range = |range: &Range<u64>| {
            usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()
        };
        all.iter().map(|found| &text[range(found)]).collect()
    }

    #[test]
    fn a_separator_has_a_sender_and_a_date() {
        for (line, expected) in [
            (
                "From 12@xxx Fri Sep 16 22:26:51 +0000 2016",
                Some(1_474_064_811),
            ),
            (
                "From 12@xxx Fri Sep 16 22:26:51 2016 +0200",
                Some(1_474_057_611),
            ),
            (
                "From a at b.org  Fri Sep 16 22:26:51 2016",
                Some(1_474_064_811),
            ),
            ("From - Fri Sep 16 22:26:51 2016", Some(1_474_064_811)),
            (
                "From MAILER-DAEMON Fri Sep  6 22:26 2016",
                Some(1_473_200_760),
            ),
            ("From a@b Fri Sep 16 22:26:51 UTC 2016", Some(1_474_064_811)),
            ("From here on, nothing", None),
            ("From Fri Sep 16 22:26:51 2016", None),
            ("From a@b Fri Sep 46 22:26:51 2016", None),
            ("From a@b Fri Sep 16", None),
            ("From a@b Friday", None),
        ] {
            assert_eq!(separator(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn only_a_separator_after_an_empty_line_and_before_a_header_begins_a_message() {
        let text = "From a@b Fri Sep 16 22:26:51 2016\nSubject: 1\n\ntext\n\
                    From a@b Fri Sep 16 22:26:51 2016\nno empty line before\n\n\
                    From here on it is text\n\n\
                    From a@b Fri Sep 16 22:26:51 2016\nis what the line said\n\n\
                    From a@b Fri Sep 16 22:26:51 2016\nSubject: 2\n\nmore\n";
        let all = split(text);
        assert_eq!(all.len(), 2, "{all:?}");
        assert!(all[0].starts_with("Subject: 1") && all[0].ends_with("line said\n\n"));
        assert_eq!(all[1], "Subject: 2\n\nmore\n");
    }

    #[test]
    fn line_ends_of_two_bytes_are_read_like_those_of_one() {
        let text = "From a@b Fri Sep 16 22:26:51 2016\r\nSubject: 1\r\n\r\none\r\n\r\n\
                    From a@b Fri Sep 16 22:26:51 2016\r\nSubject: 2\r\n\r\ntwo\r\n";
        assert_eq!(split(text).len(), 2);
    }

    #[test]
    fn the_lines_of_a_message_are_its_bytes() {
        let text = "From a@b Fri Sep 16 22:26:51 2016\nSubject: 1\n\n\
                    From a@b Fri Sep 16 22:26:51 2016\ntext\n";
        let mut lines = Vec::new();
        let each = |event: Event<'_>| {
            if let Event::Line(line) = event {
                lines.extend_from_slice(line.bytes);
            }
        };
        messages(text.as_bytes(), 0, each).unwrap();
        assert_eq!(lines, &text.as_bytes()[34..]);
    }

    #[test]
    fn one_level_of_quoting_is_taken_off() {
        for (line, expected) in [
            (">From a", "From a"),
            (">>From a", ">From a"),
            ("> From a", "> From a"),
            (">Fromage", ">Fromage"),
            ("From a", "From a"),
        ] {
            assert_eq!(unquoted(line.as_bytes()), expected.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn messages_that_are_written_are_found(bodies in proptest::collection::vec("(([a-zA-Z >:]|From ){0,20}\n){0,6}", 1..6)) {
            let mut text = String::new();
            for body in &bodies {
                let body = body.replace("From ", "from ");
                text += &format!("From a@b Fri Sep 16 22:26:51 2016\nSubject: x\n\n{body}\n");
            }
            prop_assert_eq!(split(&text).len(), bodies.len());
        }

        #[test]
        fn any_bytes_are_split_without_overlap(parts in proptest::collection::vec(prop_oneof![
            Just(&b"From a@b Fri Sep 16 22:26:51 2016\n"[..]), Just(&b"\n"[..]), Just(&b"A: b\n"[..]), Just(&b">From \xff"[..]),
        ], 0..30)) {
            let text = parts.concat();
            let mut last = 0;
            for range in ranges(&text) {
                prop_assert!(range.start >= last && range.end >= range.start && range.end <= text.len() as u64);
                last = range.end;
            }
        }
    }
}
