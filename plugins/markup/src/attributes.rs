//! Finds pages whose elements have so many attributes that they stop their readers.
//!
//! For each attribute the tokenizer looks through those before it in the element, so that time is the square of their
//! number, and nobody can stop it inside of a tag. So the tags are counted before, as HTML divides them.

/// The work that a page of any size may cost: one element with 2,000 attributes.
const ALLOWANCE: u64 = 4_000_000;
/// The work for each byte. An element with 20 attributes of 10 bytes costs 2.
const WORK_PER_BYTE: u64 = 20;

/// What is text up to its own end tag, whatever is in it.
const RAW: [&str; 7] = [
    "script", "style", "textarea", "title", "xmp", "iframe", "noframes",
];

/// Returns whether the attributes of a page cost more than the page is worth.
pub(crate) fn are_too_many(html: &str) -> bool {
    let limit = ALLOWANCE + WORK_PER_BYTE * html.len() as u64;
    let mut work = 0_u64;
    let mut rest = html;
    while let Some(tag) = next_tag(rest) {
        let (count, after) = attributes(tag);
        work = work.saturating_add(count.saturating_mul(count));
        if work > limit {
            return true;
        }
        rest = match RAW.iter().find(|name| is_tag(tag, name)) {
            Some(name) => behind_text(after, name),
            None => after,
        };
    }
    false
}

/// Returns the page from the name in its next start tag on; comments are passed over.
fn next_tag(html: &str) -> Option<&str> {
    let mut rest = html;
    loop {
        let (_, after) = rest.split_once('<')?;
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
        } else if after.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return Some(after);
        } else {
            rest = after;
        }
    }
}

fn is_tag(tag: &str, name: &str) -> bool {
    let Some((start, rest)) = tag.split_at_checked(name.len()) else {
        return false;
    };
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>');
    start.eq_ignore_ascii_case(name) && rest.as_bytes().first().is_none_or(ends)
}

/// Returns the page behind the text of a raw element, from its end tag on.
fn behind_text<'p>(page: &'p str, name: &str) -> &'p str {
    let mut rest = page;
    while let Some((_, after)) = rest.split_once("</") {
        if is_tag(after, name) {
            return after;
        }
        rest = after;
    }
    ""
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// In the name of the element or of an attribute.
    Name,
    /// Between attributes.
    Between,
    /// Behind a `=`.
    Value,
    Unquoted,
    Quoted(u8),
}

/// Counts the attributes of a tag, and returns the page behind it.
fn attributes(tag: &str) -> (u64, &str) {
    let mut count = 0;
    let mut state = State::Name;
    for (at, byte) in tag.bytes().enumerate() {
        let is_space = byte.is_ascii_whitespace();
        state = match (state, byte) {
            (State::Quoted(quote), byte) if byte == quote => State::Between,
            (State::Quoted(quote), _) => State::Quoted(quote),
            // The byte is ASCII, so what follows begins with a character.
            (_, b'>') => return (count, tag.get(at + 1..).unwrap_or_default()),
            (State::Value, b'"' | b'\'') => State::Quoted(byte),
            (State::Value, _) if is_space => State::Value,
            (State::Value, _) => State::Unquoted,
            (State::Unquoted, _) if !is_space => State::Unquoted,
            (State::Name | State::Between, b'=') => State::Value,
            (State::Name | State::Between | State::Unquoted, _) if is_space || byte == b'/' => {
                State::Between
            }
            (State::Between, _) => {
                count += 1;
                State::Name
            }
            (State::Name, _) => State::Name,
            (State::Unquoted, _) => State::Unquoted,
        };
    }
    (count, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_counted_as_html_divides_them() {
        for (tag, expected) in [
            ("p>", 0),
            ("p a b>", 2),
            ("p a=\"b c > d\" e='f g' h=i j >", 4),
            ("p a = b c=d/e/f g>", 3),
            ("p a=\"b\"c/d>", 3),
            ("br/>", 0),
            ("p a b", 2),
        ] {
            assert_eq!(attributes(tag).0, expected, "{tag}");
        }
        assert_eq!(attributes("p a='>'>é"), (1, "é"));
    }

    #[test]
    fn what_is_text_has_no_attributes() {
        let words = "a ".repeat(30_000);
        for page in [
            format!("<script>if (x<y && {words})</script><p>"),
            format!("<SCRIPT src=x>x<y </scripts {words}</script ><p>"),
            format!("<!-- <p {words} --><p>"),
            format!("1 < 2 {words}"),
        ] {
            assert!(!are_too_many(&page), "{}", &page[..20]);
        }
        assert!(are_too_many(&format!("<script></script><p {words}>")));
        assert!(are_too_many(&format!("<b><p {words}")));
    }
}
