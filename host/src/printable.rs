//! Words of others, shown so that they cannot steer a terminal or change the order in which text is read.

/// Shows a text in one line.
pub fn line(text: &str) -> String {
    shown(text, |_| false)
}

/// Shows a text whose line breaks and tabs stay.
pub fn lines(text: &str) -> String {
    shown(text, |one| matches!(one, '\n' | '\t'))
}

fn shown(text: &str, is_kept: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for one in text.chars() {
        if (one.is_control() || turns(one)) && !is_kept(one) {
            shown.extend(one.escape_default());
        } else {
            shown.push(one);
        }
    }
    shown
}

/// Says whether a character changes the direction of what follows.
const fn turns(one: char) -> bool {
    matches!(one, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_written_out() {
        let words = "grün\u{1b}[2J\u{202e}\u{200f}\u{9b}\r\n\tx";
        assert_eq!(
            lines(words),
            "grün\\u{1b}[2J\\u{202e}\\u{200f}\\u{9b}\\r\n\tx"
        );
        assert_eq!(
            line(words),
            "grün\\u{1b}[2J\\u{202e}\\u{200f}\\u{9b}\\r\\n\\tx"
        );
    }
}
