//! Text of others as text of a page, and the small pieces that pages share.
//!
//! The templates escape markup. This module also makes visible what a browser would hide or reorder, and shortens what
//! would not fit.

use maud::{Markup, html};
use synix_core::clock::Timestamp;
use synix_core::printable;
use synix_engine::view::ErrorView;
use synix_prices::Amount;

use crate::links::Links;
use crate::target::Target;

/// The longest name that a page shows whole, in characters.
const MAX_NAME: usize = 160;
/// The longest message.
const MAX_MESSAGE: usize = 2_000;

/// Returns a name as one line, shortened if it is very long.
pub(crate) fn name(text: &str) -> String {
    shortened(text, MAX_NAME)
}

/// Returns a message with its line breaks, shortened if it is very long.
pub(crate) fn message(text: &str) -> String {
    let text = text.trim_end();
    match text.char_indices().nth(MAX_MESSAGE) {
        None => content(text),
        Some((end, _)) => format!("{}…", content(&text[..end])),
    }
}

/// Returns a content with its line breaks.
pub(crate) fn content(text: &str) -> String {
    printable::escape_lines(text)
}

/// Returns a text as one line of at most `limit` characters.
pub(crate) fn shortened(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => printable::escape_line(text),
        Some((end, _)) => format!("{}…", printable::escape_line(&text[..end])),
    }
}

/// Returns a link, or the text alone if the page does not exist.
pub(crate) fn link(links: &Links<'_>, target: &Target, text: &str) -> Markup {
    html! {
        @match links.to(target) {
            Some(address) => a href=(address) { (text) },
            None => (text),
        }
    }
}

/// Returns a link to an artifact, named by its label.
pub(crate) fn artifact_link(links: &Links<'_>, layer: &str, label: &str) -> Markup {
    let target = Target::Artifact {
        layer: layer.to_owned(),
        label: label.to_owned(),
    };
    link(links, &target, &name(label))
}

/// Returns a link to a layer.
pub(crate) fn layer_link(links: &Links<'_>, layer: &str) -> Markup {
    let target = Target::Layer {
        name: layer.to_owned(),
        after: None,
    };
    link(links, &target, &name(layer))
}

/// Returns a link to a build.
pub(crate) fn build_link(links: &Links<'_>, id: &str) -> Markup {
    link(links, &Target::Build { id: id.to_owned() }, &name(id))
}

/// Returns a number with separators between its thousands.
pub(crate) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// Returns a number of things, such as `1 unit` or `2 units`.
pub(crate) fn counted(count: u64, thing: &str) -> String {
    let words = printable::pluralize(count, thing);
    match words.split_once(' ') {
        Some((_, thing)) => format!("{} {thing}", number(count)),
        None => words,
    }
}

/// Returns an amount of money, or that it is not known.
pub(crate) fn cost(amount: Option<Amount>) -> String {
    amount.map_or_else(|| "unknown".to_owned(), |amount| amount.to_string())
}

/// Returns a number of tokens, or that it was not reported.
pub(crate) fn tokens(count: Option<u64>) -> String {
    count.map_or_else(|| "unknown".to_owned(), number)
}

/// Returns a time span in its two largest units.
pub(crate) fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) if milliseconds < 10_000 => {
            format!("{}.{} s", seconds, milliseconds % 1000 / 100)
        }
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

/// Returns a size in bytes, KB or MB.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{} bytes", number(bytes)),
        10_000..10_000_000 => format!("{} KB", number(bytes / 1000)),
        _ => format!("{} MB", number(bytes / 1_000_000)),
    }
}

/// Returns a time that programs can read as well.
pub(crate) fn time(moment: Timestamp) -> Markup {
    let text = moment.to_string();
    let shown = text.replace('T', " ").replace('Z', " UTC");
    html! { time datetime=(text) { (shown) } }
}

/// Returns a bar of the units of `thing` that are done or failed.
pub(crate) fn progress(thing: &str, done: u64, failed: u64, units: u64) -> Markup {
    let length = units.max(done.saturating_add(failed)).max(1);
    let label = format!(
        "{} of {} of {thing} done, {} failed",
        number(done),
        counted(units, "unit"),
        number(failed)
    );
    html! {
        svg.progress role="img" aria-label=(label) viewBox={ "0 0 " (length) " 1" } preserveAspectRatio="none" {
            rect width=(length) height="1" {}
            rect.done width=(done) height="1" {}
            rect.failed x=(done) width=(failed) height="1" {}
        }
    }
}

/// Returns a status as words with a sign before them, so that the colour is not all there is.
pub(crate) fn status(status: &str) -> Markup {
    let (class, sign) = match status {
        "completed" | "done" | "settled" => ("good", "✓"),
        "completed_with_errors" => ("warn", "!"),
        "failed" | "cancelled" | "interrupted" | "abandoned" => ("bad", "✕"),
        "collecting" | "submitted" => ("busy", "●"),
        _ => ("", "○"),
    };
    html! {
        span class=(format!("status {class}")) {
            span aria-hidden="true" { (sign) " " }
            (name(&status.replace('_', " ")))
        }
    }
}

/// Returns an error with its causes and the next step.
pub(crate) fn error(error: &ErrorView) -> Markup {
    html! {
        div.error role="alert" {
            p { strong { (message(&error.message)) } }
            @for cause in &error.causes {
                p { "because: " (message(cause)) }
            }
            @if let Some(hint) = &error.hint {
                p.hint { "What to do: " (with_commands(&message(hint))) }
            }
        }
    }
}

/// Shows what is between backticks as code.
pub(crate) fn with_commands(text: &str) -> Markup {
    html! {
        @for (at, piece) in text.split('`').enumerate() {
            @if at % 2 == 1 { code { (piece) } } @else { (piece) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_separators_between_its_thousands() {
        for (value, shown) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1\u{202f}000"),
            (1_234_567, "1\u{202f}234\u{202f}567"),
        ] {
            assert_eq!(number(value), shown);
        }
        assert_eq!(counted(1, "unit"), "1 unit");
        assert_eq!(counted(2_000, "unit"), "2\u{202f}000 units");
    }

    #[test]
    fn a_time_span_has_two_units_at_most() {
        for (milliseconds, shown) in [
            (0, "0.0 s"),
            (1_250, "1.2 s"),
            (59_999, "59 s"),
            (61_000, "1 min 1 s"),
            (3_660_000, "1 h 1 min"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(duration(milliseconds), shown);
        }
    }

    #[test]
    fn a_hostile_name_is_visible_text() {
        let markup = html! { (name("<script>\u{202e}\u{1b}[2J\"'&")) }.into_string();
        assert_eq!(markup, "&lt;script&gt;\\u{202e}\\u{1b}[2J&quot;'&amp;");
    }

    #[test]
    fn a_very_long_name_is_shortened_between_characters() {
        let shown = name(&"é".repeat(100_000));
        assert_eq!(shown.chars().count(), MAX_NAME + 1);
        assert!(shown.ends_with('…'));
    }

    #[test]
    fn an_error_names_its_causes_and_the_next_step() {
        let view = ErrorView {
            kind: "no_state".to_owned(),
            message: "nothing was built in <a>".to_owned(),
            causes: vec!["no file".to_owned()],
            hint: Some("run `synix build` first".to_owned()),
        };
        let shown = error(&view).into_string();
        for part in ["&lt;a&gt;", "no file", "<code>synix build</code>"] {
            assert!(shown.contains(part), "{shown}");
        }
    }
}
