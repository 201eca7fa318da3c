//! Markdown of others as markup: raw HTML is text, nothing is loaded, and links lead only where a browser may go.
//!
//! The events of the parser are written by hand, because only then every text and every attribute goes through the
//! escapes of this crate.

use std::iter::Peekable;

use maud::{Markup, PreEscaped, Render as _, html};
use pulldown_cmark::{Alignment, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::html;

/// Elements may be nested in this depth. Browsers are slow at more, and hostile texts have more.
const MAX_DEPTH: usize = 64;

/// Renders a text.
pub(super) fn render(text: &str) -> Markup {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut writer = Writer::default();
    let mut events = Parser::new_ext(text, options).peekable();
    while let Some(event) = events.next() {
        writer.take(event, &mut events);
    }
    writer.finish()
}

#[derive(Default)]
struct Writer {
    out: String,
    /// The ends of the open elements; of one that is nested too deep it is empty.
    open: Vec<&'static str>,
    /// Whether the row of a table is its head.
    is_head: bool,
    alignments: Vec<Alignment>,
    cell: usize,
}

impl Writer {
    fn take<'t>(&mut self, event: Event<'t>, rest: &mut Peekable<Parser<'t>>) {
        match event {
            Event::Start(Tag::Image { dest_url, .. }) => {
                let text = inner_text(rest);
                self.image(&text, &dest_url);
            }
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
            Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.out.push_str("<code>");
                self.text(&text);
                self.out.push_str("</code>");
            }
            Event::FootnoteReference(text) => self.text(&format!("[^{text}]")),
            Event::SoftBreak => self.out.push('\n'),
            Event::HardBreak => self.out.push_str("<br>"),
            Event::Rule => self.out.push_str("<hr>"),
            Event::TaskListMarker(is_done) => {
                let words = if is_done { "☑ " } else { "☐ " };
                self.out.push_str(words);
            }
        }
    }

    fn text(&mut self, text: &str) {
        let shown = html::content(text);
        html! { (shown) }.render_to(&mut self.out);
    }

    fn open(&mut self, start: &str, end: &'static str) {
        if self.open.len() < MAX_DEPTH {
            self.out.push_str(start);
            self.open.push(end);
        } else {
            self.open.push("");
        }
    }

    fn close(&mut self) {
        if let Some(end) = self.open.pop() {
            self.out.push_str(end);
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Paragraph => self.open("<p>", "</p>"),
            Tag::Heading { level, .. } => {
                // The page has headings of its own above these.
                let (start, end) = heading(*level);
                self.open(start, end);
            }
            Tag::BlockQuote(_) => self.open("<blockquote>", "</blockquote>"),
            Tag::CodeBlock(_) => self.open("<pre tabindex=\"0\"><code>", "</code></pre>"),
            Tag::List(None) => self.open("<ul>", "</ul>"),
            Tag::List(Some(first)) => {
                let start = format!("<ol start=\"{first}\">");
                self.open(&start, "</ol>");
            }
            Tag::Item => self.open("<li>", "</li>"),
            Tag::Table(alignments) => {
                self.alignments.clone_from(alignments);
                self.open(
                    "<div class=\"scroll\" role=\"region\" aria-label=\"Table\" tabindex=\"0\"><table>",
                    "</tbody></table></div>",
                );
            }
            Tag::TableHead => {
                (self.is_head, self.cell) = (true, 0);
                self.open("<thead><tr>", "</tr></thead><tbody>");
            }
            Tag::TableRow => {
                self.cell = 0;
                self.open("<tr>", "</tr>");
            }
            Tag::TableCell => {
                let class = match self.alignments.get(self.cell) {
                    Some(Alignment::Right) => " class=\"number\"",
                    Some(Alignment::None | Alignment::Left | Alignment::Center) | None => "",
                };
                self.cell += 1;
                if self.is_head {
                    self.open(&format!("<th scope=\"col\"{class}>"), "</th>");
                } else {
                    self.open(&format!("<td{class}>"), "</td>");
                }
            }
            Tag::Emphasis => self.open("<em>", "</em>"),
            Tag::Strong => self.open("<strong>", "</strong>"),
            Tag::Strikethrough => self.open("<del>", "</del>"),
            Tag::Link { dest_url, .. } => match safe(dest_url) {
                Some(address) => {
                    let start = html! { (address) }.into_string();
                    let start =
                        format!("<a rel=\"noopener noreferrer nofollow\" href=\"{start}\">");
                    self.open(&start, "</a>");
                }
                None => self.open("<span>", "</span>"),
            },
            Tag::HtmlBlock
            | Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::MetadataBlock(_)
            | Tag::Superscript
            | Tag::Subscript
            | Tag::Image { .. } => self.open("<span>", "</span>"),
        }
    }

    fn end(&mut self, tag: TagEnd) {
        if tag == TagEnd::TableHead {
            self.is_head = false;
        }
        self.close();
    }

    /// An image would be loaded from another server, or from this one under a name of others.
    fn image(&mut self, text: &str, address: &str) {
        self.out.push_str("<span class=\"image\">");
        let shown = html! {
            "image not loaded: " (html::message(text)) " (" (html::message(address)) ")"
        };
        shown.render_to(&mut self.out);
        self.out.push_str("</span>");
    }

    fn finish(mut self) -> Markup {
        while !self.open.is_empty() {
            self.close();
        }
        html! { div.content.markdown { (PreEscaped(self.out)) } }
    }
}

const fn heading(level: HeadingLevel) -> (&'static str, &'static str) {
    match level {
        HeadingLevel::H1 => ("<h3>", "</h3>"),
        HeadingLevel::H2 => ("<h4>", "</h4>"),
        HeadingLevel::H3 => ("<h5>", "</h5>"),
        HeadingLevel::H4 | HeadingLevel::H5 | HeadingLevel::H6 => ("<h6>", "</h6>"),
    }
}

/// Returns the text of an image, up to its end.
fn inner_text(rest: &mut Peekable<Parser<'_>>) -> String {
    let mut text = String::new();
    let mut depth = 1_usize;
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "only texts and the nesting matter for the name of an image"
    )]
    for event in rest.by_ref() {
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            Event::Text(part) | Event::Code(part) => text.push_str(&part),
            _ => {}
        }
    }
    text
}

/// Returns the address of a link if it leads to a page or to a mail.
fn safe(address: &str) -> Option<String> {
    let address = address.trim();
    let is_plain = |one: char| !one.is_control() && !one.is_whitespace();
    let (scheme, _) = address.split_once(':')?;
    let is_known = ["http", "https", "mailto"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known));
    (is_known && address.chars().all(is_plain)).then(|| address.to_owned())
}

#[cfg(test)]
mod tests;
