//! When colours are used: according to the flag, then the environment, then the terminal.

use std::ffi::OsString;

use clap::ValueEnum as _;
use synix_project::Environment;

/// When colours are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal that supports them, unless the environment says otherwise.
    #[default]
    Auto,
    /// Also in a file or a pipe.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Returns the value of `--color` from arguments that may be invalid.
    pub(crate) fn from_arguments<'a>(arguments: impl Iterator<Item = &'a OsString>) -> Self {
        let mut color = Self::default();
        let mut is_next = false;
        for argument in arguments {
            let argument = argument.to_string_lossy();
            let value = argument.strip_prefix("--color=");
            if let Some(value) = value.or(is_next.then_some(&argument)) {
                color = Self::from_str(value, false).unwrap_or(color);
            }
            is_next = argument == "--color";
        }
        color
    }

    /// Returns whether a stream uses colours.
    pub(crate) fn is_used(self, is_terminal: bool, environment: &Environment) -> bool {
        let variable = |name| environment.get(name).filter(|text| !text.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if variable("NO_COLOR").is_some() => false,
            Self::Auto if variable("CLICOLOR_FORCE").is_some_and(|text| text != "0") => true,
            Self::Auto if variable("TERM").is_some_and(|text| text == "dumb") => false,
            Self::Auto => is_terminal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The flag, whether it is a terminal, variables, and whether colours are used.
    type Case = (Color, bool, &'static [(&'static str, &'static str)], bool);

    #[test]
    fn colours_follow_the_flag_then_the_environment_then_the_terminal() {
        let environment = |variables: &[(&str, &str)]| {
            let variables = variables.iter().copied();
            Environment::new(variables, std::path::PathBuf::from("/"))
        };
        let cases: [Case; 9] = [
            (Color::Auto, true, &[], true),
            (Color::Auto, false, &[], false),
            (Color::Auto, true, &[("NO_COLOR", "1")], false),
            (Color::Auto, true, &[("NO_COLOR", "")], true),
            (Color::Auto, false, &[("CLICOLOR_FORCE", "1")], true),
            (Color::Auto, false, &[("CLICOLOR_FORCE", "0")], false),
            (Color::Auto, true, &[("TERM", "dumb")], false),
            (Color::Always, false, &[("NO_COLOR", "1")], true),
            (Color::Never, true, &[("CLICOLOR_FORCE", "1")], false),
        ];
        for (color, is_terminal, variables, used) in cases {
            let environment = environment(variables);
            let found = color.is_used(is_terminal, &environment);
            assert_eq!(found, used, "{color:?} {is_terminal} {variables:?}");
        }
        let from_arguments = |words: &[&str]| {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            Color::from_arguments(words.iter())
        };
        assert_eq!(
            from_arguments(&["bild", "--color", "always"]),
            Color::Always
        );
        assert_eq!(from_arguments(&["--color=never", "bild"]), Color::Never);
        assert_eq!(from_arguments(&["--color", "loud"]), Color::Auto);
    }
}
