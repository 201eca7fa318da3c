//! Splits a Markdown text at its headings.
//!
//! A heading is a line of one to six `#` and a title. An underlined title is not a heading, because a line of `-` below
//! text is often part of a table or a rule. A line in fenced or indented code is not a heading either.

use std::ops::Range;

/// The maximum number of characters of a title in a path.
const TITLE: usize = 200;
/// The maximum number of spaces before a heading or fence; with more, the line is indented code.
const INDENT: usize = 3;

/// A heading with the text before the next heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    /// The range of bytes in the text.
    pub(crate) range: Range<usize>,
    /// The titles of the enclosing headings, the outermost first; empty before the first heading.
    pub(crate) path: Vec<String>,
}

/// An open fence: its character and the number of characters.
type Fence = (char, usize);

/// Splits `text`. A heading without text belongs to the next section.
pub(crate) fn sections(text: &str) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut fence: Option<Fence> = None;
    let mut titles: Vec<(usize, String)> = Vec::new();
    let (mut start, mut at, mut has_text) = (0, 0, false);
    for whole in text.split_inclusive('\n') {
        // Some editors begin a file with a byte order mark, which is not part of a line.
        let line = match at {
            0 => whole.strip_prefix('\u{feff}').unwrap_or(whole),
            _ => whole,
        };
        if let Some((level, title)) = heading(line).filter(|_| fence.is_none()) {
            if has_text {
                sections.push(section(start..at, &titles));
                (start, has_text) = (at, false);
            }
            titles.retain(|(above, _)| *above < level);
            titles.push((level, title));
        } else {
            has_text |= !line.trim().is_empty();
            fence = match fence {
                Some(open) if closes(line, open) => None,
                Some(open) => Some(open),
                None => opens(line),
            };
        }
        at += whole.len();
    }
    if start < at {
        sections.push(section(start..at, &titles));
    }
    sections
}

fn section(range: Range<usize>, titles: &[(usize, String)]) -> Section {
    Section {
        range,
        path: titles.iter().map(|(_, title)| title.clone()).collect(),
    }
}

fn heading(line: &str) -> Option<(usize, String)> {
    let (level, title) = run(line, '#')?;
    if level > 6 || !(title.is_empty() || title.starts_with([' ', '\t', '\r', '\n'])) {
        return None;
    }
    let title = title.trim();
    let bare = title.trim_end_matches('#');
    // `#` at the end closes a heading only after a space.
    let title = if bare.is_empty() || bare.ends_with([' ', '\t']) {
        bare.trim_end()
    } else {
        title
    };
    Some((level, title.chars().take(TITLE).collect()))
}

fn opens(line: &str) -> Option<Fence> {
    let tildes = run(line, '~').map(|(count, _)| ('~', count));
    let ticks = run(line, '`')
        .filter(|(_, rest)| !rest.contains('`'))
        .map(|(count, _)| ('`', count));
    tildes.or(ticks).filter(|(_, count)| *count >= 3)
}

fn closes(line: &str, (character, least): Fence) -> bool {
    run(line, character).is_some_and(|(count, rest)| count >= least && rest.trim().is_empty())
}

/// Returns how often `character` occurs at the start of a line, and the rest of the line; `None` for indented code.
fn run(line: &str, character: char) -> Option<(usize, &str)> {
    let text = line.trim_start_matches(' ');
    if line.len() - text.len() > INDENT {
        return None;
    }
    let rest = text.trim_start_matches(character);
    let count = text.len() - rest.len();
    (count > 0).then_some((count, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn divided(text: &str) -> Vec<(String, &str)> {
        sections(text)
            .into_iter()
            .map(|section| (section.path.join("/"), &text[section.range]))
            .collect()
    }

    fn of(path: &str, text: &'static str) -> (String, &'static str) {
        (path.to_owned(), text)
    }

    #[test]
    fn a_section_has_the_path_of_its_enclosing_headings() {
        let text = "intro\n# A\none\n## B ##\r\ntwo\n### C\nthree\n## D\nfour\n# E\nfive";
        assert_eq!(
            divided(text),
            [
                of("", "intro\n"),
                of("A", "# A\none\n"),
                of("A/B", "## B ##\r\ntwo\n"),
                of("A/B/C", "### C\nthree\n"),
                of("A/D", "## D\nfour\n"),
                of("E", "# E\nfive"),
            ]
        );
    }

    #[test]
    fn a_heading_without_text_belongs_to_the_next_section_and_the_last_is_not_lost() {
        assert_eq!(
            divided("\n# A\n\n## B\ntext\n# C\n"),
            [of("A/B", "\n# A\n\n## B\ntext\n"), of("C", "# C\n")]
        );
    }

    #[test]
    fn a_line_in_fenced_or_indented_code_is_not_a_heading() {
        for text in [
            "```sh\n# comment\n```\n",
            "~~~\n# a\n```\n# b\n~~~\n",
            "````\n```\n# still code\n````\n",
            "```\n# never closed\n",
            "```\n``` no end\n# code\n```\n",
            "```\r\n# code\r\n```\r\n",
            "\u{feff}```\n# code\n```\n",
            "   ```\n# indented fence\n   ```\n",
            "    # indented\n",
            "#no space\n",
            "####### seven\n",
            "text # not at the start\n",
        ] {
            assert_eq!(divided(text), [(String::new(), text)], "{text}");
        }
        assert_eq!(divided("```\n# a\n```\n# B\nb\n")[1].0, "B");
        assert_eq!(
            divided("`` ` ``\n# B\nb\n").len(),
            2,
            "code in a line opens no fence"
        );
    }

    #[test]
    fn titles_have_no_markup() {
        for (line, title) in [
            ("#", ""),
            ("# #", ""),
            ("#\tA", "A"),
            ("  ## C# ", "C#"),
            ("# Budget ###\r\n", "Budget"),
            ("###### six", "six"),
        ] {
            assert_eq!(heading(line).unwrap().1, title, "{line:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_does_not_hide_the_first_heading() {
        assert_eq!(
            divided("\u{feff}# A\none\n# B\ntwo\n"),
            [of("A", "\u{feff}# A\none\n"), of("B", "# B\ntwo\n")]
        );
        assert_eq!(divided("a\n\u{feff}# no first line\n").len(), 1);
    }

    #[test]
    fn a_long_title_is_truncated_in_the_path_between_characters() {
        let title = "ä".repeat(TITLE + 1);
        let text = format!("# {title}\ntext\n");
        let sections = sections(&text);
        assert_eq!(sections[0].path, ["ä".repeat(TITLE)]);
        assert_eq!(sections[0].range, 0..text.len());
    }
}
