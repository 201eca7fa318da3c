//! Which part of a letter its author wrote.
//!
//! Programs put the letter that is answered below the answer. In a thread that is the same text again with each letter,
//! so it is folded away: the history at the end as a whole, a long quotation between two paragraphs to its first lines.

/// The most lines that may lead over to a quotation, such as `On … wrote:`.
const LEAD_LINES: usize = 4;
/// The most characters of such a line.
const LEAD_CHARS: usize = 200;
/// The lines that stay of a quotation between paragraphs.
const KEPT_LINES: usize = 4;
const FOLDED: &str = "> […]";

/// Words that stand alone in a line above the letter that is answered, by Outlook and its like.
const DIVIDERS: [&str; 12] = [
    "original message",
    "ursprüngliche nachricht",
    "originalnachricht",
    "original-nachricht",
    "message d'origine",
    "message d\u{2019}origine",
    "mensaje original",
    "messaggio originale",
    "oorspronkelijk bericht",
    "mensagem original",
    "ursprungligt meddelande",
    "oprindelig meddelelse",
];
/// The first header of a letter below a line of `_`, or below nothing.
const SENDERS: [&str; 6] = ["from:", "von:", "de:", "da:", "van:", "från:"];
/// The header that follows within a few lines.
const SENT: [&str; 12] = [
    "sent:",
    "date:",
    "gesendet:",
    "datum:",
    "envoyé:",
    "enviado:",
    "inviato:",
    "data:",
    "verzonden:",
    "fecha:",
    "skickat:",
    "envoyé :",
];

/// Returns what the author wrote. A letter that is nothing but a quotation is returned as it is.
pub(crate) fn fold(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let end = history(&lines);
    let kept = shorten(&lines[..end]);
    let only_quoted = kept
        .iter()
        .all(|line| is_quoted(line) || line.trim().is_empty());
    let kept = if only_quoted { lines } else { kept };
    kept.join("\n").trim_end().to_owned()
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

/// Returns the line at which the history at the end begins.
fn history(lines: &[&str]) -> usize {
    let mut end = lines.len();
    if let Some(divider) = (0..lines.len()).find(|&line| is_divider(lines, line)) {
        end = divider;
        // A line of characters, or the sentence that leads over.
        while end > 0 && is_rule(lines[end - 1].trim()) {
            end -= 1;
        }
    }
    let empty = |line: &str| line.trim().is_empty();
    while end > 0 && empty(lines[end - 1]) {
        end -= 1;
    }
    let mut start = end;
    while start > 0 && (is_quoted(lines[start - 1]) || empty(lines[start - 1])) {
        start -= 1;
    }
    if start == end {
        return end;
    }
    // Empty lines above the quotation belong to neither.
    lead(lines, start).unwrap_or(start)
}

/// Returns where the sentence begins that ends before line `end` and leads over to a quotation.
fn lead(lines: &[&str], end: usize) -> Option<usize> {
    let last = lines.get(end.checked_sub(1)?)?;
    if !last.trim_end().ends_with([':', '：']) {
        return None;
    }
    let mut start = end - 1;
    while start > 0 && end - start < LEAD_LINES && !lines[start - 1].trim().is_empty() {
        start -= 1;
    }
    let sentence = lines[start..end].join(" ");
    // A paragraph that ends with a colon is the author's own; a lead has a date or an address.
    let about = sentence.contains('@') || sentence.bytes().filter(u8::is_ascii_digit).count() >= 3;
    let short = sentence.chars().count() <= LEAD_CHARS;
    if about && short {
        return Some(start);
    }
    let own = last.contains('@') || last.bytes().filter(u8::is_ascii_digit).count() >= 3;
    let words = [
        " wrote",
        " schrieb",
        " a écrit",
        " escribió",
        " ha scritto",
        " schreef",
        " skrev",
    ];
    let own = own || words.iter().any(|word| last.contains(word));
    (own && last.chars().count() <= LEAD_CHARS).then_some(end - 1)
}

fn is_divider(lines: &[&str], at: usize) -> bool {
    let line = lines[at].trim();
    let word = line.trim_matches(['-', '_', '*', ' ']).to_lowercase();
    if line.starts_with("--") && DIVIDERS.contains(&word.as_str()) {
        return true;
    }
    // Without a word above them, the headers themselves: a sender, and within the next lines a date.
    let starts = |line: &str, names: &[&str]| {
        let line = line.trim().trim_matches('*').to_lowercase();
        names.iter().any(|name| line.starts_with(name))
    };
    let above = at.checked_sub(1).map(|above| lines[above].trim());
    let fresh = above.is_none_or(|above| above.is_empty() || is_rule(above));
    // A letter that is passed on begins in the same way, and is what its author wants to be read.
    let passed_on = (at.saturating_sub(3)..at).any(|line| is_forward(lines[line]));
    at > 0
        && fresh
        && !passed_on
        && starts(line, &SENDERS)
        && lines[at + 1..]
            .iter()
            .take(3)
            .any(|line| starts(line, &SENT))
}

fn is_forward(line: &str) -> bool {
    let line = line.trim().to_lowercase();
    let words = [
        "forward",
        "weitergeleitet",
        "transféré",
        "reenviado",
        "inoltrato",
        "doorgestuurd",
    ];
    words.iter().any(|word| line.contains(word))
}

fn is_rule(line: &str) -> bool {
    line.len() >= 5 && line.bytes().all(|byte| matches!(byte, b'_' | b'-' | b'='))
}

/// Returns the lines with each long quotation cut.
fn shorten<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let mut kept = Vec::with_capacity(lines.len());
    let mut quoted = 0;
    for &line in lines {
        quoted = if is_quoted(line) { quoted + 1 } else { 0 };
        if quoted <= KEPT_LINES {
            kept.push(line);
        } else if quoted == KEPT_LINES + 1 {
            kept.push(FOLDED);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_history_at_the_end_is_folded_with_the_sentence_above_it() {
        for lead in [
            "On Fri, Sep 16, 2016 at 10:26 PM, Ann <ann@x.org> wrote:",
            "On Fri, Sep 16, 2016 at 10:26 PM, Ann Longname\n<ann@x.org> wrote:",
            "Am 16.09.16 um 22:26 schrieb Ann:",
            "Le ven. 16 sept. 2016 à 22:26, Ann <ann@x.org> a écrit :",
            "Ann wrote:",
            "2016年9月16日 22:26 Ann <ann@x.org>：",
        ] {
            let letter =
                format!("Yes.\n\nBest\nBob\n\n{lead}\n\n> Shall we?\n>\n> > Older\n> Ann\n\n");
            assert_eq!(fold(&letter), "Yes.\n\nBest\nBob", "{lead}");
        }
    }

    #[test]
    fn the_history_below_the_words_of_a_program_is_folded() {
        for below in [
            "-----Original Message-----\nFrom: Ann\nSent: Friday\n\nShall we?",
            "________________________________\nVon: Ann\nGesendet: Freitag\nAn: Bob\n\nWollen wir?",
            "*From:* Ann\n*Sent:* Friday\n*To:* Bob\n\nShall we?",
            "-------- Original Message --------\n\n> x\n\ny",
        ] {
            assert_eq!(fold(&format!("Yes.\n\n{below}\n")), "Yes.", "{below}");
        }
    }

    #[test]
    fn a_letter_that_is_passed_on_is_kept() {
        let letter = "See below.\n\n---------- Forwarded message ---------\nFrom: Ann\nDate: Friday\n\nShall we?";
        assert_eq!(fold(letter), letter);
        let letter = "FYI\n\nBegin forwarded message:\n\nFrom: Ann\nDate: Friday\n\nShall we?";
        assert_eq!(fold(letter), letter);
    }

    #[test]
    fn an_answer_between_the_lines_keeps_what_it_answers() {
        let letter = "> One?\n\nYes.\n\n> Two?\n> Or three?\n\nTwo.\n\n> Four?\n> Ann";
        assert_eq!(
            fold(letter),
            "> One?\n\nYes.\n\n> Two?\n> Or three?\n\nTwo."
        );
        let long = "> 1\n> 2\n> 3\n> 4\n> 5\n> 6\nMy answer.";
        assert_eq!(fold(long), "> 1\n> 2\n> 3\n> 4\n> […]\nMy answer.");
    }

    #[test]
    fn a_sentence_of_the_author_that_ends_with_a_colon_is_kept() {
        assert_eq!(fold("As the poet said:\n\n> To be\n"), "As the poet said:");
        assert_eq!(fold("From: here\nto there"), "From: here\nto there");
    }

    #[test]
    fn a_letter_that_is_only_a_quotation_is_kept() {
        assert_eq!(fold("> a\n> b\n"), "> a\n> b");
    }

    proptest! {
        #[test]
        fn nothing_is_added(text in "([>a:@\n -]|From:|Date:|-----Original Message-----\n){0,60}") {
            let lines: Vec<&str> = text.lines().collect();
            for line in fold(&text).lines() {
                prop_assert!(line == FOLDED || lines.iter().any(|known| known.trim_end() == line.trim_end()));
            }
        }
    }
}
