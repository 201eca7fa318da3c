//! The text of a person in a session, without what the program adds to it.

use std::borrow::Cow;

/// What there is of a text.
#[derive(Debug, PartialEq)]
pub(super) enum Prompt<'a> {
    Said(Cow<'a, str>),
    /// The program alone wrote it.
    Hidden,
    Nothing,
}

/// Elements that the program adds.
const ADDED: [&str; 11] = [
    "system-reminder",
    "task-notification",
    "ide_opened_file",
    "ide_selection",
    "ide_diagnostics",
    "local-command-stdout",
    "local-command-stderr",
    "local-command-caveat",
    "bash-stdout",
    "bash-stderr",
    "user-prompt-submit-hook",
];

const HIDDEN_STARTS: [&str; 3] = [
    "[Request interrupted",
    "Stop hook feedback:",
    "Caveat: The messages below were generated",
];

pub(super) fn read(text: &str) -> Prompt<'_> {
    if text.trim().is_empty() {
        return Prompt::Nothing;
    }
    if HIDDEN_STARTS
        .iter()
        .any(|start| text.trim_start().starts_with(start))
    {
        return Prompt::Hidden;
    }
    if let Some(command) = command(text) {
        return Prompt::Said(Cow::Owned(command));
    }
    if !text.contains('<') {
        return Prompt::Said(Cow::Borrowed(text));
    }
    let mut text = Cow::Borrowed(text);
    for name in ADDED {
        if text.contains(name) {
            text = Cow::Owned(without(&text, name));
        }
    }
    if text.trim().is_empty() {
        return Prompt::Hidden;
    }
    Prompt::Said(text)
}

/// Reads the elements that a slash command is written in.
fn command(text: &str) -> Option<String> {
    let name = element(text, "command-name")?.trim();
    let args = element(text, "command-args").unwrap_or_default().trim();
    let slash = if name.starts_with('/') { "" } else { "/" };
    Some(format!("{slash}{name} {args}").trim_end().to_owned())
}

fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let rest = text.split_once(&format!("<{name}>"))?.1;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

/// Removes elements. One that is not closed is kept: a person may write of it.
fn without(text: &str, name: &str) -> String {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once(&open) {
        let Some((_, after)) = inside.split_once(&close) else {
            break;
        };
        out.push_str(before);
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_adds_is_removed() {
        let text =
            "Fix it<system-reminder>be nice</system-reminder>\n<ide_selection>x</ide_selection>";
        assert_eq!(read(text), Prompt::Said("Fix it\n".into()));
        for text in [
            "<system-reminder>a</system-reminder>",
            "<local-command-stdout></local-command-stdout>",
            "[Request interrupted by user]",
            "Stop hook feedback: no",
        ] {
            assert_eq!(read(text), Prompt::Hidden, "{text}");
        }
        assert_eq!(read(" \n"), Prompt::Nothing);
    }

    #[test]
    fn a_command_is_written_as_it_was_typed() {
        let text = "<command-message>init is running</command-message>\n<command-name>/init</command-name>\n<command-args> all </command-args>";
        assert_eq!(read(text), Prompt::Said("/init all".into()));
    }

    #[test]
    fn a_person_may_write_of_the_elements() {
        for text in ["What is <system-reminder> for?", "a < b", "<command-name>"] {
            assert_eq!(read(text), Prompt::Said(text.into()), "{text}");
        }
    }
}
