//! Texts of others inside a Markdown document: they cannot end a section, begin another one, or swallow the rest.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag};
use synix_core::printable;

/// The deepest heading of Markdown.
const MAX_LEVEL: usize = 6;

/// What is appended to a text in order to see whether it leaves something open.
const PROBE: &str = "\n\n# probe\n";

/// Returns a text whose headings are `levels` deeper. A text that could hide what follows it is fenced instead.
pub(super) fn nested(text: &str, levels: usize) -> String {
    let text = text.trim_end();
    let probed = format!("{text}{PROBE}");
    let Some(headings) = headings(&probed, text.len()) else {
        return fenced(text, "");
    };
    let mut result = String::with_capacity(text.len() + 64);
    let mut end = 0;
    for Heading { level, range } in headings {
        result.push_str(&text[end..range.start]);
        result.push_str(&deeper(&text[range.clone()], level, levels));
        end = range.end;
    }
    result.push_str(&text[end..]);
    result.push('\n');
    result
}

struct Heading {
    level: usize,
    range: Range<usize>,
}

/// Returns the headings of a text of `length` bytes with the probe behind it, or `None` if the probe is not a heading of
/// its own, or if the text has headings in HTML.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is neither a block nor HTML cannot contain a heading"
)]
fn headings(probed: &str, length: usize) -> Option<Vec<Heading>> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut sees_probe = false;
    for (event, range) in Parser::new_ext(probed, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                if range.start >= length {
                    sees_probe = depth == 0;
                } else {
                    found.push(Heading {
                        level: level as usize,
                        range: range.start..range.end.min(length),
                    });
                }
                depth += 1;
            }
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Html(html) | Event::InlineHtml(html) if has_heading(&html) => return None,
            _ => {}
        }
    }
    sees_probe.then_some(found)
}

fn has_heading(html: &str) -> bool {
    let bytes = html.as_bytes();
    bytes
        .windows(3)
        .any(|part| part[0] == b'<' && matches!(part[1], b'h' | b'H') && part[2].is_ascii_digit())
}

fn deeper(heading: &str, level: usize, levels: usize) -> String {
    let marks = "#".repeat((level + levels).min(MAX_LEVEL));
    if let Some(hash) = heading.find(|c: char| !c.is_whitespace())
        && heading[hash..].starts_with('#')
    {
        let rest = heading[hash..].trim_start_matches('#');
        return format!("{}{marks}{rest}", &heading[..hash]);
    }
    // Underlined. A heading of one line gets marks, and a longer one becomes a paragraph.
    let body = heading.trim_end();
    let ending = &heading[body.len()..];
    let Some((title, underline)) = body.rsplit_once('\n') else {
        return heading.to_owned();
    };
    if title.contains('\n') {
        let first = underline.find(['=', '-']).unwrap_or_default();
        let (before, line) = underline.split_at(first);
        format!("{title}\n{before}\\{line}{ending}")
    } else {
        format!("{marks} {}{ending}", title.trim())
    }
}

/// Returns a text in a fence that no line of it closes.
pub(super) fn fenced(text: &str, language: &str) -> String {
    let mut longest = 0;
    let mut run = 0;
    for character in text.chars() {
        run = if character == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}{language}\n{text}\n{fence}\n")
}

/// Returns a text of one line without any meaning in Markdown.
pub(super) fn escaped(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for character in printable::escape_line(text).chars() {
        // In a word, these mean nothing, and a label is easier to read without the escapes.
        let is_plain = matches!(character, '-' | '.' | '/' | ',' | ':' | '(' | ')');
        if character.is_ascii_punctuation() && !is_plain {
            result.push('\\');
        }
        result.push(character);
    }
    result
}

/// Returns a text of one line as code.
pub(super) fn code(text: &str) -> String {
    let text = printable::escape_line(text);
    if text.contains('`') {
        return escaped(&text);
    }
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn headings_of_a_text_are_below_those_of_the_document() {
        for (text, expected) in [
            ("# A\n\ntext\n\n## B ##", "#### A\n\ntext\n\n##### B ##\n"),
            ("##### deep", "###### deep\n"),
            ("A\n===\n\ntext", "#### A\n\ntext\n"),
            ("one\ntwo\n---\nx", "one\ntwo\n\\---\nx\n"),
            ("> # quoted", "> #### quoted\n"),
            ("- # listed", "- #### listed\n"),
            (
                "#hashtag and \\# no heading",
                "#hashtag and \\# no heading\n",
            ),
            ("```\n# code\n```", "```\n# code\n```\n"),
            ("    # code", "    # code\n"),
        ] {
            assert_eq!(nested(text, 3), expected, "{text:?}");
        }
    }

    #[test]
    fn a_text_that_would_hide_the_rest_is_fenced() {
        for text in [
            "```\nnever closed",
            "~~~",
            "<!-- never",
            "<script>",
            "<h1>big</h1>",
            "<?x",
        ] {
            let found = nested(text, 3);
            assert!(
                found.starts_with("```") && found.ends_with("```\n"),
                "{found}"
            );
        }
        assert_eq!(fenced("````", ""), "`````\n````\n`````\n");
    }

    proptest! {
        /// The property that the document rests on.
        #[test]
        fn whatever_a_text_is_the_next_heading_is_one_and_none_before_it_is_higher(
            text in "(# |## |===|---|```|~~~|<!--|<h1>|<pre>|- |> |    |\n|\n\n|[a-c ]|\\||:|1\\. ){0,24}",
        ) {
            let document = format!("{}\n### next\n", nested(&text, 3));
            let mut levels = Vec::new();
            let mut depth = 0;
            let mut depth_of_last = 0;
            for event in Parser::new_ext(&document, Options::ENABLE_TABLES) {
                if let Event::Start(Tag::Heading { level, .. }) = &event {
                    levels.push(*level as usize);
                    depth_of_last = depth;
                }
                if matches!(event, Event::Start(_)) {
                    depth += 1;
                } else if matches!(event, Event::End(_)) {
                    depth -= 1;
                }
            }
            let last = levels.pop();
            prop_assert_eq!((last, depth_of_last), (Some(3), 0), "{}", document);
            prop_assert!(levels.iter().all(|level| *level > 3), "{}", document);
        }
    }
}
