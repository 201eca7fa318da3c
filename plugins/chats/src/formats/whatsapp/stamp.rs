//! The date and time at the start of a line.

/// What a line begins with. Which number of the date is the day depends on the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) date: Date,
    /// Hour, minute, second.
    pub(super) clock: [i64; 3],
}

/// Three numbers as they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) numbers: [i64; 3],
    pub(super) separator: char,
}

/// Reads `[date, time] rest` or `date, time - rest`.
pub(super) fn read(line: &str) -> Option<(Stamp, &str)> {
    let line = line.trim_start_matches(['\u{200e}', '\u{200f}', '\u{feff}']);
    let (line, is_bracketed) = match line.strip_prefix('[') {
        Some(line) => (line, true),
        None => (line, false),
    };
    let (first, rest) = number(line)?;
    let mut chars = rest.chars();
    let separator = chars.next().filter(|c| matches!(c, '.' | '/' | '-'))?;
    let (second, rest) = number(spaces(chars.as_str()))?;
    let (third, rest) = number(spaces(rest.strip_prefix(separator)?))?;
    // After the date `,`, `.` in Korean, or a space.
    let rest = spaces(rest.strip_prefix('.').unwrap_or(rest));
    let rest = spaces(rest.strip_prefix([',', '،']).unwrap_or(rest));
    let (half_before, rest) = half(rest);
    let (hour, rest) = number(rest)?;
    let (minute, rest) = number(rest.strip_prefix([':', '.'])?)?;
    let (second_of_minute, rest) = match rest.strip_prefix([':', '.']).and_then(number) {
        Some((second, rest)) => (second, rest),
        None => (0, rest),
    };
    let (half_after, rest) = half(spaces(rest));
    let hour = match half_before.or(half_after) {
        Some(_) if !(1..=12).contains(&hour) => hour,
        Some(is_afternoon) => hour % 12 + if is_afternoon { 12 } else { 0 },
        None => hour,
    };
    let rest = if is_bracketed {
        rest.strip_prefix(']')?
    } else {
        rest.strip_prefix("- ")
            .or_else(|| rest.strip_prefix("– "))?
    };
    let is_clock = hour < 24 && minute < 60 && second_of_minute < 61;
    is_clock.then_some((
        Stamp {
            date: Date {
                numbers: [first, second, third],
                separator,
            },
            clock: [hour, minute, second_of_minute],
        },
        rest.trim_start_matches(' '),
    ))
}

/// Reads one to four digits.
fn number(text: &str) -> Option<(i64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let is_short = (1..=4).contains(&digits.len());
    Some((digits.parse().ok().filter(|_| is_short)?, rest))
}

fn spaces(text: &str) -> &str {
    text.trim_start_matches([' ', '\u{a0}', '\u{202f}', '\u{200e}', '\u{200f}'])
}

/// Reads the mark of a half of the day, `true` for the afternoon.
fn half(text: &str) -> (Option<bool>, &str) {
    // The longer ones first.
    const MARKS: [(&str, bool); 16] = [
        ("a. m.", false),
        ("p. m.", true),
        ("a.\u{a0}m.", false),
        ("p.\u{a0}m.", true),
        ("a.m.", false),
        ("p.m.", true),
        ("am", false),
        ("pm", true),
        ("오전", false),
        ("오후", true),
        ("上午", false),
        ("下午", true),
        ("午前", false),
        ("午後", true),
        ("ص", false),
        ("م", true),
    ];
    for (mark, is_afternoon) in MARKS {
        let start = text.get(..mark.len());
        if start.is_some_and(|start| start.eq_ignore_ascii_case(mark)) {
            return (Some(is_afternoon), spaces(&text[mark.len()..]));
        }
    }
    (None, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(line: &str) -> Option<([i64; 3], [i64; 3], &str)> {
        read(line).map(|(stamp, rest)| (stamp.date.numbers, stamp.clock, rest))
    }

    #[test]
    fn the_stamps_of_both_systems_and_many_languages_are_read() {
        for (line, date, clock) in [
            ("[24.12.25, 18:03:09] A: x", [24, 12, 25], [18, 3, 9]),
            (
                "\u{200e}[12/24/25, 6:03:09\u{202f}PM] A: x",
                [12, 24, 25],
                [18, 3, 9],
            ),
            ("12/24/25, 12:03 AM - A: x", [12, 24, 25], [0, 3, 0]),
            ("24/12/2025, 18:03 - A: x", [24, 12, 2025], [18, 3, 0]),
            ("24/12/25 6:03 p. m. - A: x", [24, 12, 25], [18, 3, 0]),
            ("2025-12-24, 6:03 p.m. - A: x", [2025, 12, 24], [18, 3, 0]),
            ("2025. 12. 24. 오후 6:03 - A: x", [2025, 12, 24], [18, 3, 0]),
            ("[2025/12/24 下午6:03:09] A: x", [2025, 12, 24], [18, 3, 9]),
            ("24.12.25, 18.03 – A: x", [24, 12, 25], [18, 3, 0]),
        ] {
            assert_eq!(stamp(line), Some((date, clock, "A: x")), "{line}");
        }
    }

    #[test]
    fn other_lines_are_no_stamps() {
        for line in [
            "",
            "A: x",
            "12",
            "12/24",
            "12/24/25",
            "12/24/25, 6",
            "12/24/25, 6:03",
            "[12/24/25, 6:03 A: x",
            "12/24/25, 25:03 - A: x",
            "1.5.2 - 3:4 - x",
            "12/24-25, 6:03 - x",
            "123456/1/1, 6:03 - x",
        ] {
            assert_eq!(stamp(line), None, "{line}");
        }
    }
}
