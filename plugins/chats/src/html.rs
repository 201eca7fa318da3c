//! The HTML of answers as Markdown. It is what a service wrote from Markdown, so few elements matter, and there are no
//! scripts to fear: every other tag is left out.

/// Turns HTML into Markdown, in one pass.
pub(crate) fn to_markdown(html: &str) -> String {
    let mut writer = Writer::default();
    let mut rest = html;
    while let Some(place) = rest.find('<') {
        writer.text(&rest[..place]);
        rest = &rest[place..];
        if let Some(after) = rest.strip_prefix("<!--") {
            rest = after.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let is_tag = rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
        if !is_tag {
            writer.text("<");
            rest = &rest[1..];
            continue;
        }
        let Some(end) = rest.find('>') else {
            // A tag that is cut off; nothing after it is worth a search for each `<`.
            break;
        };
        writer.tag(&rest[1..end]);
        rest = &rest[end + 1..];
    }
    writer.text(rest);
    writer.out.trim().to_owned()
}

#[derive(Default)]
struct Writer {
    out: String,
    /// The numbers of ordered lists; a list without numbers has none.
    lists: Vec<Option<u32>>,
    is_code: bool,
    hidden: Option<String>,
    links: Vec<String>,
}

impl Writer {
    fn text(&mut self, text: &str) {
        if self.hidden.is_some() {
            return;
        }
        let text = entities(text);
        if self.is_code {
            self.out.push_str(&text);
            return;
        }
        for c in text.chars() {
            if !c.is_ascii_whitespace() {
                self.out.push(c);
            } else if !self.out.is_empty() && !self.out.ends_with([' ', '\n']) {
                self.out.push(' ');
            }
        }
    }

    fn tag(&mut self, tag: &str) {
        let is_end = tag.starts_with('/');
        let tag = tag.trim_start_matches('/');
        let name_end = tag
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(tag.len());
        let name = tag[..name_end].to_ascii_lowercase();
        if let Some(hidden) = &self.hidden {
            if is_end && *hidden == name {
                self.hidden = None;
            }
            return;
        }
        match (name.as_str(), is_end) {
            ("script" | "style", false) => self.hidden = Some(name),
            ("br", _) => self.out.push('\n'),
            ("p" | "div" | "table" | "blockquote", _) => self.blank(),
            ("h1" | "h2" | "h3" | "h4" | "h5" | "h6", is_end) => {
                self.blank();
                if !is_end {
                    let level = usize::from(name.as_bytes()[1] - b'0');
                    self.out.push_str(&"#".repeat(level));
                    self.out.push(' ');
                }
            }
            ("hr", _) => {
                self.blank();
                self.out.push_str("---");
                self.blank();
            }
            ("b" | "strong", _) => self.out.push_str("**"),
            ("i" | "em", _) => self.out.push('*'),
            ("code", _) if !self.is_code => self.out.push('`'),
            ("pre", false) => {
                self.blank();
                self.out.push_str("```\n");
                self.is_code = true;
            }
            ("pre", true) if self.is_code => {
                self.is_code = false;
                self.line();
                self.out.push_str("```");
                self.blank();
            }
            ("ul", false) => self.open_list(None),
            ("ol", false) => self.open_list(Some(1)),
            ("ul" | "ol", true) => {
                self.lists.pop();
                if self.lists.is_empty() {
                    self.blank();
                }
            }
            ("li", false) => self.item(),
            ("tr", true) => self.line(),
            ("td" | "th", true) => self.out.push_str(" | "),
            ("a", false) => self.links.push(href(tag).unwrap_or_default()),
            ("a", true) => {
                if let Some(link) = self.links.pop().filter(|link| link.starts_with("http")) {
                    self.out.push_str(&format!(" ({link})"));
                }
            }
            _ => {}
        }
    }

    fn open_list(&mut self, number: Option<u32>) {
        /// Deeper lists are not indented any further.
        const MAX_LISTS: usize = 16;
        if self.lists.is_empty() {
            self.blank();
        }
        if self.lists.len() < MAX_LISTS {
            self.lists.push(number);
        }
    }

    fn item(&mut self) {
        self.line();
        let indent = self.lists.len().saturating_sub(1);
        self.out.push_str(&"  ".repeat(indent));
        match self.lists.last_mut() {
            Some(Some(number)) => {
                self.out.push_str(&format!("{number}. "));
                *number = number.saturating_add(1);
            }
            _ => self.out.push_str("- "),
        }
    }

    fn line(&mut self) {
        self.out.truncate(self.out.trim_end_matches(' ').len());
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    fn blank(&mut self) {
        if self.is_code || self.is_at_item() {
            return;
        }
        self.line();
        if !self.out.is_empty() && !self.out.ends_with("\n\n") && self.lists.is_empty() {
            self.out.push('\n');
        }
    }
}

impl Writer {
    /// Returns whether the mark of an item is all that its line has: a paragraph is then the text of the item.
    fn is_at_item(&self) -> bool {
        const LONGEST_MARK: usize = 48;
        let near = self
            .out
            .floor_char_boundary(self.out.len().saturating_sub(LONGEST_MARK));
        let last = self.out[near..]
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .trim();
        let number = last.strip_suffix('.').unwrap_or_default();
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        !self.lists.is_empty() && (last == "-" || is_number)
    }
}

fn href(tag: &str) -> Option<String> {
    let value = tag.split_once("href=")?.1;
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let value = value[1..].split_once(quote)?.0;
    Some(
        entities(value)
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect(),
    )
}

/// Replaces the entities that writers use.
fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find('&') {
        out.push_str(&rest[..place]);
        rest = &rest[place..];
        let near = &rest[..rest.floor_char_boundary(12)];
        let decoded = near
            .find(';')
            .and_then(|end| Some((entity(&near[1..end])?, end)));
        match decoded {
            Some((c, end)) => {
                out.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return char::from_u32(code.ok()?);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "hellip" => '…',
        "ndash" => '–',
        "mdash" => '—',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_elements_of_answers_become_markdown() {
        for (html, expected) in [
            (
                "<p>Hi &amp; <b>you</b></p><p>a<br>b</p>",
                "Hi & **you**\n\na\nb",
            ),
            (
                "<h3>Plan</h3><ul><li><p>one</p></li><li>two</li></ul>end",
                "### Plan\n\n- one\n- two\n\nend",
            ),
            (
                "<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>",
                "1. a\n  - b\n2. c",
            ),
            (
                "<pre><code>x  &lt; y\nz</code></pre>",
                "```\nx  < y\nz\n```",
            ),
            (
                "<a href=\"https://a.b/?x=1&amp;y\">see</a>",
                "see (https://a.b/?x=1&y)",
            ),
            ("a &#39;b&#x27; &unknown; &", "a 'b' &unknown; &"),
            ("1 < 2 <!-- x --><script>alert(1)</script>!", "1 < 2 !"),
        ] {
            assert_eq!(to_markdown(html), expected, "{html}");
        }
    }

    #[test]
    fn html_that_is_cut_off_or_nested_without_end_is_text() {
        for html in [
            "<",
            "<p",
            "</",
            "<!--",
            "<script>",
            "&#x110000;",
            "</pre></ul></a>",
            "é<é>",
        ] {
            let _ = to_markdown(html);
        }
        let deep = "<ul><li>".repeat(50_000);
        assert!(to_markdown(&deep).len() < 100 * 50_000);
    }
}
