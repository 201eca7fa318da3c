//! The content of an artifact: Markdown, JSON, another text, or the size and type of bytes.

use maud::{Markup, html};
use serde_json::Value;
use synix_core::artifact::Content;

use super::markdown;
use crate::html;

/// The part of a text that a page shows, in bytes.
const MAX_SHOWN: usize = 64 * 1024;

pub(super) fn show(content: &Content, raw: Option<&str>) -> Markup {
    match content {
        Content::Bytes { media_type, data } => html! {
            p { (html::size(data.len() as u64)) " of the type " code { (html::name(media_type)) } }
            @if let Some(raw) = raw { p { a href=(raw) download { "Save the bytes" } } }
        },
        Content::Text(text) => {
            let (shown, is_cut) = beginning(text);
            html! {
                @if is_cut {
                    p.note {
                        "This is the beginning of a text of " (html::size(text.len() as u64)) "."
                    }
                }
                (text_as(shown, is_cut))
                @if let Some(raw) = raw { p.note { a href=(raw) { "The whole text, unchanged" } } }
            }
        }
    }
}

/// Returns the part of a text that is shown, and whether there is more.
fn beginning(text: &str) -> (&str, bool) {
    if text.len() <= MAX_SHOWN {
        return (text, false);
    }
    let end = text.floor_char_boundary(MAX_SHOWN);
    let shown = &text[..end];
    // A cut between lines looks better, if lines are not endless.
    let line = shown.rfind('\n').filter(|line| *line > MAX_SHOWN / 2);
    (&shown[..line.unwrap_or(end)], true)
}

fn text_as(text: &str, is_cut: bool) -> Markup {
    if text.trim().is_empty() {
        return html! { p.note { "The text is empty." } };
    }
    if is_cut && begins_like_json(text) {
        return plain(text);
    }
    if text.trim_start().starts_with(['{', '[']) {
        let value = serde_json::from_str::<Value>(text).ok();
        let pretty = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
        if let Some(pretty) = pretty {
            return plain(&pretty);
        }
    }
    if looks_like_markdown(text) {
        return markdown::render(text);
    }
    html! { div.text-content { (html::content(text)) } }
}

/// Returns whether the beginning of a text may be that of a JSON object or list. Markdown may begin with a link.
fn begins_like_json(text: &str) -> bool {
    let mut characters = text.chars().filter(|one| !one.is_whitespace());
    let is_inside = |one: char| one.is_ascii_digit() || matches!(one, '"' | '{' | '[' | '-');
    match (characters.next(), characters.next()) {
        (Some('{'), Some(next)) => next == '"',
        (Some('['), Some(next)) => is_inside(next),
        _ => false,
    }
}

/// Returns whether a text has a sign of Markdown. Other texts keep their line breaks.
fn looks_like_markdown(text: &str) -> bool {
    let begins = |line: &str| {
        let line = line.trim_start();
        let after_marks = line.trim_start_matches('#');
        let after_digits = line.trim_start_matches(|one: char| one.is_ascii_digit());
        after_marks.len() < line.len() && after_marks.starts_with(' ')
            || after_digits.len() < line.len() && after_digits.starts_with(". ")
            || ["- ", "* ", "+ ", "> ", "```", "~~~", "|"]
                .iter()
                .any(|mark| line.starts_with(mark))
    };
    text.lines().any(begins) || text.contains("**") || text.contains("](")
}

fn plain(text: &str) -> Markup {
    html! { pre.content tabindex="0" { (html::content(text)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> String {
        show(&Content::Text(text.to_owned()), Some("/raw")).into_string()
    }

    #[test]
    fn a_large_text_is_shown_in_part_with_a_link_to_all_of_it() {
        let shown = text(&"é".repeat(5 << 20));
        assert!(shown.len() < 2 * MAX_SHOWN, "{}", shown.len());
        assert!(
            shown.contains("beginning of a text of 10 MB"),
            "{}",
            &shown[..200]
        );
        assert!(shown.contains("href=\"/raw\""));
    }

    #[test]
    fn json_is_pretty_and_text_that_only_looks_like_it_stays_as_it_is() {
        assert!(text("{\"a\":[1,2]}").contains("  &quot;a&quot;: [\n"));
        assert!(text("[not json").contains("[not json"));
    }

    #[test]
    fn a_text_without_markdown_keeps_its_line_breaks() {
        assert!(text("one\n  two\n").contains(">one\n  two\n<"));
        for markdown in [
            "# a",
            "- a",
            "1. a",
            "> a",
            "a **b**",
            "[a](http://b)",
            "|a|",
        ] {
            assert!(text(markdown).contains("markdown"), "{markdown}");
        }
    }

    #[test]
    fn bytes_are_described_and_not_shown() {
        let content = Content::Bytes {
            media_type: "image/svg+xml\"><script>".to_owned(),
            data: vec![0; 12_345],
        };
        let shown = show(&content, None).into_string();
        assert!(shown.contains("12 KB"), "{shown}");
        assert!(!shown.contains("<script"), "{shown}");
    }
}
