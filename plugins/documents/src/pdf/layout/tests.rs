//! Glyphs as programs place them.

use proptest::prelude::*;

use super::*;

/// Glyphs of one size, half as wide.
fn write(text: &str, x: f64, y: f64) -> Vec<Placed> {
    let mut at = x;
    let mut placed = Vec::new();
    for char in text.chars() {
        let gap = if char == '_' { 3.0 } else { 5.0 };
        if char != '_' {
            placed.push(Placed {
                text: char.to_string(),
                x: at,
                y,
                size: 10.0,
                ink: Some(0.45),
                glyph: u128::from(u32::from(char)),
                angle: 0.0,
            });
        }
        at += gap;
    }
    placed
}

fn read(pages: &[Vec<Placed>]) -> String {
    let mut layout = Layout::default();
    for page in pages {
        layout.page(page);
    }
    layout.finish().0
}

#[test]
fn a_gap_is_a_space_and_a_written_space_is_one_too() {
    assert_eq!(read(&[write("ab_cd ef", 0.0, 0.0)]), "ab cd ef");
}

#[test]
fn lines_of_a_paragraph_are_joined_and_paragraphs_are_not() {
    let page = [
        write("first line", 0.0, 0.0),
        write("second", 0.0, 12.0),
        write("other", 0.0, 40.0),
    ]
    .concat();
    assert_eq!(read(&[page]), "first line second\n\nother");
}

#[test]
fn a_word_that_was_hyphenated_is_whole_again() {
    let page = [write("hyphen-", 0.0, 0.0), write("ated", 0.0, 12.0)].concat();
    assert_eq!(read(&[page]), "hyphenated");
    let page = [write("Ann-", 0.0, 0.0), write("Marie", 0.0, 12.0)].concat();
    assert_eq!(read(&[page]), "Ann- Marie");
}

#[test]
fn columns_are_read_one_after_the_other() {
    let page = [
        write("left one", 0.0, 0.0),
        write("left two", 0.0, 12.0),
        write("right one", 200.0, 0.0),
        write("right two", 200.0, 12.0),
    ];
    assert_eq!(
        read(&[page.concat()]),
        "left one left two\n\nright one right two"
    );
}

#[test]
fn bold_that_is_written_twice_is_read_once() {
    let mut page = Vec::new();
    for (one, other) in write("bold", 0.0, 0.0)
        .into_iter()
        .zip(write("bold", 0.3, 0.0))
    {
        page.extend([one, other]);
    }
    assert_eq!(read(&[page]), "bold");
}

#[test]
fn ligatures_are_letters() {
    assert_eq!(read(&[write("ﬁﬄ", 0.0, 0.0)]), "fiffl");
}

proptest! {
    #[test]
    fn glyphs_anywhere_are_laid_out(places in proptest::collection::vec((-1e6..1e6_f64, -1e6..1e6_f64, 1e-3..1e4_f64), 0..60)) {
        let page: Vec<Placed> = places.iter().map(|&(x, y, size)| Placed {
            text: "a".to_owned(), x, y, size, ink: None, glyph: 1, angle: 0.0,
        }).collect();
        let count = page.len();
        let text = read(&[page]);
        prop_assert!(text.matches('a').count() <= count);
    }
}
