//! Handles arguments that cannot be parsed: prints help, the version, or an error.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Error};
use synix_core::error_kind::ErrorKind as Kind;
use synix_core::exit_code::ExitCode;
use synix_engine::view::ErrorView;

use crate::args::Args;
use crate::render::Screen;

/// Prints help to stdout with exit code 0, or an error with exit code 2.
pub(crate) fn print(error: &Error, screen: &Screen) -> ExitCode {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        return match screen.help(&error.render()) {
            Ok(()) => ExitCode::Success,
            Err(error) => crate::failure::report(&error, screen),
        };
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand && !screen.is_json() {
        screen.help_instead(&error.render());
    } else {
        screen.errors().report(&view(error));
    }
    ExitCode::Usage
}

/// Converts an error of clap. It repeats what the user typed, so it is made printable like every other error.
fn view(error: &Error) -> ErrorView {
    // If the command is missing, the text of the error is the whole help.
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return ErrorView {
            kind: Kind::USAGE.to_string(),
            message: "a command is missing".to_owned(),
            causes: Vec::new(),
            hint: Some(commands()),
        };
    }
    let text = error.to_string();
    let mut paragraphs = text.split("\n\n").map(str::trim);
    let message = paragraphs.next().unwrap_or_default();
    let mut hints = Vec::new();
    for paragraph in paragraphs {
        hints.extend(
            paragraph
                .lines()
                .filter_map(|line| line.trim().strip_prefix("tip: "))
                .map(str::to_owned),
        );
        if let Some(usage) = paragraph.strip_prefix("Usage: ") {
            hints.push(format!("usage: {usage}"));
        }
    }
    if error.kind() == ErrorKind::InvalidSubcommand && !is_suggested(error) {
        hints.insert(0, commands());
    }
    hints.push("pass --help for more information".to_owned());
    ErrorView {
        kind: Kind::USAGE.to_string(),
        message: message
            .strip_prefix("error: ")
            .unwrap_or(message)
            .to_owned(),
        causes: Vec::new(),
        hint: Some(hints.join("\n")),
    }
}

fn is_suggested(error: &Error) -> bool {
    let suggested = error.get(ContextKind::SuggestedSubcommand);
    suggested.is_some_and(|value| !matches!(value, ContextValue::None))
}

fn commands() -> String {
    let command = Args::command();
    let names: Vec<&str> = command
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect();
    format!("the commands are {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn error_of(arguments: &[&str]) -> ErrorView {
        let arguments = std::iter::once("synix").chain(arguments.iter().copied());
        view(&Args::try_parse_from(arguments).unwrap_err())
    }

    #[test]
    fn an_unknown_command_names_the_nearest_or_all() {
        let near = error_of(&["bild"]);
        assert_eq!(near.message, "unrecognized subcommand 'bild'");
        assert!(near.hint.unwrap().contains("'build'"));
        let far = error_of(&["nope"]).hint.unwrap();
        assert!(far.contains("init, plan, build"), "{far}");
    }

    #[test]
    fn an_error_is_a_message_and_a_hint_without_headings() {
        let error = error_of(&["plugin", "run"]);
        assert!(error.message.contains("--input <FILE>"), "{error:?}");
        assert!(!error.message.contains("error:"), "{error:?}");
        assert!(error.hint.unwrap().contains("usage: synix plugin run"));
    }
}
