//! What a user writes after `--engine` and in `SYNIX_ENGINE`.

use std::str::FromStr;

use synix_manifest::check_engine_url;

use crate::ProjectError;
use crate::context::Options;

/// Where the user runs units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineChoice {
    /// On this machine, whatever the pipeline file says.
    Local,
    /// On the workers of the server of Restate whose ingress has this URL.
    Restate(String),
}

impl EngineChoice {
    /// Returns what the user chose with an option or a variable.
    pub(in super::super) fn of(options: &Options) -> Result<Option<Self>, ProjectError> {
        if let Some(choice) = &options.engine {
            return Ok(Some(choice.clone()));
        }
        let named = options.environment.engine();
        let choice = named.map(|text| text.parse()).transpose();
        choice.map_err(|rule| ProjectError::Usage(format!("SYNIX_ENGINE {rule}")))
    }
}

impl FromStr for EngineChoice {
    type Err = String;

    /// The error continues a sentence that begins with the name of the option.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "local" {
            return Ok(Self::Local);
        }
        let Some(url) = text.strip_prefix("restate=") else {
            return Err("must be `restate=URL` or `local`".to_owned());
        };
        match check_engine_url(url) {
            Ok(()) => Ok(Self::Restate(url.to_owned())),
            Err(rule) => Err(format!("must be `restate=URL`, and the URL must {rule}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_local_or_a_url_of_restate() {
        assert_eq!("local".parse(), Ok(EngineChoice::Local));
        let url = "http://127.0.0.1:8080".to_owned();
        assert_eq!(
            format!("restate={url}").parse(),
            Ok(EngineChoice::Restate(url))
        );
        for wrong in ["", "restate", "http://a", "restate=", "restate=ftp://a"] {
            assert!(wrong.parse::<EngineChoice>().is_err(), "{wrong}");
        }
    }

    /// The error goes to a terminal and to logs.
    #[test]
    fn an_error_does_not_repeat_a_credential() {
        let error = "restate=http://user:secret@host".parse::<EngineChoice>();
        let error = error.unwrap_err();
        assert!(
            !error.contains("secret") && error.contains("credential"),
            "{error}"
        );
    }
}
