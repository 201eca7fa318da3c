//! Differences of texts, judged by applying them.

use proptest::prelude::*;

use super::*;

fn unified(before: &str, after: &str) -> String {
    TextDiff::of(before, after).unified()
}

/// Returns the changed words of each line that only one text has, as `-[word]` and `+[word]`.
fn marked(before: &str, after: &str) -> Vec<String> {
    let diff = TextDiff::of(before, after);
    let lines = diff.passages.into_iter().flat_map(|passage| passage.lines);
    let lines = lines.filter(|line| line.side != Side::Both);
    let piece = |piece: Piece| match piece.is_changed {
        true => format!("[{}]", piece.text),
        false => piece.text,
    };
    lines
        .map(|line| {
            let sign = if line.side == Side::Before { "-" } else { "+" };
            let text: String = line.pieces.into_iter().map(piece).collect();
            format!("{sign}{text}")
        })
        .collect()
}

/// Applies a difference in the format of `diff -u`.
fn apply(before: &str, unified: &str) -> String {
    let lines: Vec<&str> = before.split_inclusive('\n').collect();
    let (mut after, mut at) = (String::new(), 0);
    for line in unified.split_inclusive('\n') {
        let (sign, text) = line.split_at(1);
        match sign {
            "@" => {
                let start = text.trim_start_matches("@ -");
                let (start, count) = start.split_once(' ').unwrap().0.split_once(',').unwrap();
                let (start, count): (usize, usize) =
                    (start.parse().unwrap(), count.parse().unwrap());
                let start = start - usize::from(count > 0);
                after.push_str(&lines[at..start].concat());
                at = start;
            }
            " " => {
                after.push_str(text);
                at += 1;
            }
            "-" => at += 1,
            "+" => after.push_str(text),
            _ => panic!("{line:?}"),
        }
    }
    after.push_str(&lines[at..].concat());
    after
}

#[test]
fn a_change_is_shown_with_three_lines_around_it() {
    let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    let after = before.replace("5\n", "five\n");
    assert_eq!(
        unified(before, &after),
        "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"
    );
}

#[test]
fn changes_that_are_close_are_one_passage() {
    let before = "a\n1\n2\n3\n4\n5\n6\nb\n1\n2\n3\n4\n5\n6\n7\nc\n";
    let after = before.replace('a', "A").replace('b', "B").replace('c', "C");
    let diff = TextDiff::of(before, &after);
    let sizes: Vec<usize> = diff.passages.iter().map(|one| one.lines.len()).collect();
    assert_eq!(sizes, [1 + 1 + 6 + 1 + 1 + 3, 3 + 1 + 1]);
}

#[test]
fn the_changed_words_of_a_line_are_marked() {
    assert_eq!(
        marked("She paints houses.\n", "She paints ships, mostly.\n"),
        ["-She paints [houses].", "+She paints [ships, mostly]."]
    );
    assert_eq!(marked("a\n", "a\nb\n"), ["+[b]"]);
    assert_eq!(marked("日本語\n", "日本\n"), ["-[日本語]", "+[日本]"]);
}

#[test]
fn a_missing_line_break_at_the_end_is_a_difference() {
    assert_eq!(
        unified("a\nb", "a\nb\n"),
        "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n"
    );
}

#[test]
fn an_empty_text_has_no_lines() {
    assert_eq!(unified("", "a\n"), "@@ -0,0 +1,1 @@\n+a\n");
    assert_eq!(unified("a\n", ""), "@@ -1,1 +0,0 @@\n-a\n");
    assert_eq!(unified("a", "a"), "");
}

/// The algorithm gives up on a smallest difference where it would take quadratic time.
#[test]
fn large_texts_without_a_common_line_are_compared_in_one_step() {
    let text =
        |word: &str| -> String { (0..40_000).map(|line| format!("{word} {line}\n")).collect() };
    let diff = TextDiff::of(&text("old"), &text("new"));
    assert_eq!(diff.passages.len(), 1);
    assert_eq!(diff.passages[0].lines.len(), 80_000);
}

proptest! {
    #[test]
    fn a_difference_that_is_applied_makes_the_second_text(
        before in "([ab]{0,2}\n){0,12}",
        after in "([ab]{0,2}\n){0,12}",
    ) {
        prop_assert_eq!(apply(&before, &unified(&before, &after)), after);
    }

    #[test]
    fn the_pieces_of_a_line_are_the_line(before in "[a ,.\u{e9}\n]{0,40}", after in "[a ,.\u{e9}\n]{0,40}") {
        let diff = TextDiff::of(&before, &after);
        let of = |side: Side| -> Vec<String> {
            let lines = diff.passages.iter().flat_map(|passage| &passage.lines);
            let lines = lines.filter(|line| line.side == side || line.side == Side::Both);
            lines.map(|line| line.pieces.iter().map(|piece| piece.text.as_str()).collect()).collect()
        };
        for (side, text) in [(Side::Before, &before), (Side::After, &after)] {
            let all: Vec<&str> = text.lines().collect();
            let mut rest = all.iter();
            for line in of(side) {
                prop_assert!(rest.any(|known| *known == line), "{:?} in {:?}", line, all);
            }
        }
    }
}
