//! The templates of a layer, and what is wrong with them.

use minijinja::{Environment, ErrorKind};
use synix_plugin::{Error, template};

use crate::config::{Config, Content};
use crate::maker::Made;

/// Why a template gives nothing.
pub(crate) enum Fault {
    Row(String),
    Config(Error),
}

impl Fault {
    /// A filter that does not exist is found only when a template is rendered.
    pub(crate) fn of(name: &str, error: &minijinja::Error) -> Self {
        let is_config = matches!(
            error.kind(),
            ErrorKind::UnknownFilter
                | ErrorKind::UnknownFunction
                | ErrorKind::UnknownMethod
                | ErrorKind::UnknownTest
        );
        if is_config {
            Self::Config(invalid(name, error))
        } else {
            Self::Row(words(name, error))
        }
    }

    pub(crate) fn made(self) -> Made {
        match self {
            Self::Row(why) => Made::Bad(why),
            Self::Config(error) => Made::Failed(error),
        }
    }
}

/// The templates of a layer, compiled.
pub(crate) fn environment(config: &Config) -> Result<Environment<'static>, Error> {
    let mut environment = template::environment();
    environment.set_formatter(|out, state, value| {
        // A field that is null has no text.
        if value.is_none() {
            return Ok(());
        }
        minijinja::escape_formatter(out, state, value)
    });
    let content = match &config.content {
        Content::One(text) => Some(("content", text)),
        Content::Many(_) => None,
    };
    let label = config.label.as_ref().map(|text| ("label", text));
    for (name, text) in content.into_iter().chain(label) {
        if text.is_empty() {
            return Err(Error::InvalidConfig(format!(
                "`{name}` is empty: write the name of a field or a template"
            )));
        }
        if is_template(text) {
            environment
                .add_template_owned(name, text.clone())
                .map_err(|error| invalid(name, &error))?;
        }
    }
    Ok(environment)
}

/// Returns whether a text is a template, and not the name of a field.
pub(crate) fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

pub(crate) fn invalid(name: &str, error: &minijinja::Error) -> Error {
    Error::InvalidConfig(words(name, error))
}

fn words(name: &str, error: &minijinja::Error) -> String {
    let detail = error
        .detail()
        .map_or(String::new(), |detail| format!(": {detail}"));
    format!("`{name}`: {}{detail}", error.kind())
}
