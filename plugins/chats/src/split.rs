//! Where a conversation is cut into pieces.
//!
//! Pieces are made from the front, so that those of a conversation that has grown stay as they were, all but the last.

use std::ops::Range;

use crate::config::{Config, Split};
use crate::conversation::Turn;
use crate::markdown;

/// Bytes of UTF-8 that are taken for one token, as in the transform `chunk`.
const TOKEN_BYTES: usize = 4;
/// What the text of a turn gets around it when it is written, beside the heading.
const AROUND_BYTES: usize = 4;
/// The least room for text beside a heading that is as long as a piece.
const LEAST_BYTES: usize = 32;

/// A part of a conversation.
#[derive(Debug, PartialEq)]
pub(crate) struct Piece {
    /// What the label ends with.
    pub(crate) suffix: String,
    pub(crate) turns: Vec<Turn>,
}

/// Cuts turns as the config says; without a split the result is one piece without a suffix.
pub(crate) fn pieces(turns: Vec<Turn>, config: &Config) -> Vec<Piece> {
    match config.split {
        Split::None => vec![Piece {
            suffix: String::new(),
            turns,
        }],
        Split::Day => days(turns),
        Split::Gap => {
            let gap = i64::from(config.gap_hours) * 3600;
            let mut last = None;
            numbered(runs(turns, move |turn| {
                let is_far = |last: i64, now: i64| now.saturating_sub(last) >= gap;
                let now = turn.at.map(|at| at.seconds());
                let is_new = last.zip(now).is_some_and(|(last, now)| is_far(last, now));
                last = now.or(last);
                is_new
            }))
        }
        Split::Turns => {
            let room = (config.max_tokens as usize).saturating_mul(TOKEN_BYTES);
            let turns = turns
                .into_iter()
                .flat_map(|turn| fitting(turn, room))
                .collect();
            let mut used = 0;
            numbered(runs(turns, move |turn| {
                let size = size(turn);
                let is_new = used + size > room;
                used = if is_new { size } else { used + size };
                is_new
            }))
        }
    }
}

/// Cuts before each turn for which `is_new` is true.
fn runs(turns: Vec<Turn>, mut is_new: impl FnMut(&Turn) -> bool) -> Vec<Vec<Turn>> {
    let mut runs: Vec<Vec<Turn>> = Vec::new();
    for turn in turns {
        let is_new = is_new(&turn);
        match runs.last_mut() {
            Some(run) if !is_new => run.push(turn),
            _ => runs.push(vec![turn]),
        }
    }
    runs
}

fn numbered(runs: Vec<Vec<Turn>>) -> Vec<Piece> {
    let piece = |(number, turns): (usize, _)| Piece {
        suffix: format!("-{:03}", number + 1),
        turns,
    };
    runs.into_iter().enumerate().map(piece).collect()
}

/// Gathers the turns of each day. A turn without a time belongs to the day of the one before it.
fn days(turns: Vec<Turn>) -> Vec<Piece> {
    let first = turns.iter().find_map(|turn| turn.at);
    let mut day = first.map_or("undated".to_owned(), |at| at.date());
    let mut pieces: Vec<Piece> = Vec::new();
    // The order of turns is not that of time, so a day may come again.
    let mut places = std::collections::HashMap::new();
    for turn in turns {
        if let Some(at) = turn.at {
            day = at.date();
        }
        let place = *places.entry(day.clone()).or_insert(pieces.len());
        if place == pieces.len() {
            pieces.push(Piece {
                suffix: format!("-{day}"),
                turns: Vec::new(),
            });
        }
        pieces[place].turns.push(turn);
    }
    pieces
}

fn size(turn: &Turn) -> usize {
    // An escaped line is one byte longer; few are.
    let escaped = turn.text.matches("##").count();
    markdown::heading(turn).len() + turn.text.len() + escaped + AROUND_BYTES
}

/// Returns the turn, or if it is longer than a piece, its text in parts that each fit.
fn fitting(turn: Turn, room: usize) -> Vec<Turn> {
    if size(&turn) <= room {
        return vec![turn];
    }
    let around = markdown::heading(&turn).len() + AROUND_BYTES;
    let room = room.saturating_sub(around).max(LEAST_BYTES);
    let mut parts = Vec::new();
    let mut rest = &*turn.text;
    while !rest.trim().is_empty() {
        let part = &rest[cut(rest, room)];
        rest = &rest[part.len()..];
        let text = part.trim_end().trim_start_matches('\n');
        if !text.is_empty() {
            parts.push(Turn {
                text: text.into(),
                who: turn.who.clone(),
                ..turn
            });
        }
    }
    parts
}

/// Returns the start of `text` that fits: up to the last paragraph, line, sentence or word that leaves it half full.
fn cut(text: &str, room: usize) -> Range<usize> {
    let escaped_room = |end: usize| end + text[..end].matches("##").count() <= room;
    if text.len() <= room && escaped_room(text.len()) {
        return 0..text.len();
    }
    let mut end = text.floor_char_boundary(room.min(text.len()));
    if !escaped_room(end) {
        // Each mark is 2 bytes and may cost one more.
        end = text.floor_char_boundary(room / 3 * 2);
    }
    let full = &text[..end];
    for separator in ["\n\n", "\n", ". ", " "] {
        if let Some(place) = full.rfind(separator)
            && place + separator.len() >= end / 2
        {
            return 0..place + separator.len();
        }
    }
    0..end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::conversation::Who;
    use crate::when::Moment;

    fn turn(hours: f64, text: &str) -> Turn {
        Turn {
            who: Who::User,
            at: Moment::from_number(hours * 3600.0),
            is_reply: false,
            text: text.into(),
        }
    }

    fn config(split: Split, max_tokens: u32) -> Config {
        Config {
            split,
            max_tokens,
            ..Config::default()
        }
    }

    fn texts(pieces: &[Piece]) -> Vec<(&str, Vec<&str>)> {
        pieces
            .iter()
            .map(|piece| {
                let turns = piece.turns.iter().map(|turn| &*turn.text).collect();
                (piece.suffix.as_str(), turns)
            })
            .collect()
    }

    #[test]
    fn days_are_named_by_date_and_a_turn_without_time_stays_with_the_one_before() {
        let mut undated = turn(0.0, "b");
        undated.at = None;
        let turns = vec![turn(1.0, "a"), undated, turn(25.0, "c"), turn(2.0, "d")];
        assert_eq!(
            texts(&pieces(turns, &config(Split::Day, 8000))),
            [
                ("-1970-01-01", vec!["a", "b", "d"]),
                ("-1970-01-02", vec!["c"])
            ]
        );
    }

    #[test]
    fn a_long_pause_begins_a_piece() {
        let turns = vec![
            turn(0.0, "a"),
            turn(7.9, "b"),
            turn(15.9, "c"),
            turn(1.0, "d"),
        ];
        assert_eq!(
            texts(&pieces(turns, &config(Split::Gap, 8000))),
            [("-001", vec!["a", "b"]), ("-002", vec!["c", "d"])]
        );
    }

    #[test]
    fn a_turn_that_fits_is_never_cut() {
        let long = "word ".repeat(200);
        let turns = vec![
            turn(0.0, "first"),
            turn(0.0, &"x".repeat(200)),
            turn(0.0, long.trim()),
        ];
        let made = pieces(turns, &config(Split::Turns, 64));
        let texts = texts(&made);
        assert_eq!(texts[0].1, ["first"]);
        assert_eq!(texts[1].1, ["x".repeat(200)]);
        let joined: Vec<_> = texts[2..]
            .iter()
            .flat_map(|(_, turns)| turns.clone())
            .collect();
        assert_eq!(joined.join(" "), long.trim());
    }

    #[test]
    fn the_pieces_of_a_conversation_that_grew_stay_as_they_were() {
        let turns: Vec<_> = (0_u8..50)
            .map(|n| turn(f64::from(n), &"y".repeat(40 + usize::from(n))))
            .collect();
        let before = pieces(turns[..30].to_vec(), &config(Split::Turns, 100));
        let after = pieces(turns, &config(Split::Turns, 100));
        assert_eq!(before[..before.len() - 1], after[..before.len() - 1]);
    }

    proptest! {
        #[test]
        fn pieces_hold_everything_once_and_none_is_too_long(
            lines in proptest::collection::vec("(## |[a-zé€😀 \n]){0,400}", 0..12),
            max_tokens in 64_u32..200,
        ) {
            let turns: Vec<_> = lines.iter().filter(|line| !line.trim().is_empty()).map(|line| turn(0.0, line)).collect();
            let whole: String = turns.iter().flat_map(|turn| turn.text.split_whitespace().map(str::to_owned)).collect();
            let made = pieces(turns, &config(Split::Turns, max_tokens));
            let mut seen = String::new();
            for piece in &made {
                prop_assert!(markdown::write_turns(&piece.turns).len() <= max_tokens as usize * TOKEN_BYTES);
                for turn in &piece.turns {
                    seen.extend(turn.text.split_whitespace());
                }
            }
            prop_assert_eq!(seen, whole);
        }
    }
}
