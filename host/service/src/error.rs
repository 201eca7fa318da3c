//! Why a command that uses a service failed.

use std::error::Error;
use std::fmt;

use synix_core::error_kind::ErrorKind;
use synix_core::exit_code::ExitCode;
use synix_engine::view::ErrorView;
use synix_project::ProjectError;

use crate::documents::Refusal;

/// Why a command that uses a service failed.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The project at hand cannot be used.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// Nothing names the server.
    #[error("no server of Restate is named")]
    NoServer,
    /// Nothing names the project at the service.
    #[error("this folder does not say which project of the service is meant")]
    NoProject,
    /// Two projects of a service have one name.
    #[error("two projects have the name `{name}`")]
    TwoProjects {
        /// The name.
        name: String,
    },
    /// A name would not survive its way to a server.
    #[error("`{name}` is no name of a project")]
    InvalidName {
        /// The name.
        name: String,
    },
    /// The service cannot start.
    #[error("cannot start the service")]
    Start {
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server cannot be reached, or knows no service.
    #[error("cannot use the service through {server}: {reason}")]
    Unavailable {
        /// The URL of its ingress.
        server: String,
        /// Why.
        reason: String,
    },
    /// The service is away. The server has the call and repeats it.
    #[error("the service of {server} has not answered yet")]
    Waiting {
        /// The URL of its ingress.
        server: String,
    },
    /// The server knows no such job.
    #[error("the server at {server} knows no job {job:?} of {project:?}")]
    UnknownJob {
        /// The URL of its ingress.
        server: String,
        /// The name of the project at the service.
        project: String,
        /// The id of the job.
        job: String,
    },
    /// The service refused.
    #[error("{}", .refused.message)]
    Refused {
        /// The kind of the error at the service.
        kind: ErrorKind,
        /// What to do, if the service says it.
        hint: Option<String>,
        /// The exit code of the same command on the machine of the service.
        exit: ExitCode,
        /// What went wrong there, with its causes.
        #[source]
        causes: Option<RemoteCause>,
        /// The message.
        refused: RemoteMessage,
    },
    /// The reply is none of a service.
    #[error("the service sent no answer of synix")]
    Reply(#[source] serde_json::Error),
}

/// The message of an error at the service.
#[derive(Debug)]
pub struct RemoteMessage {
    message: String,
}

/// A cause of an error at the service.
#[derive(Debug)]
pub struct RemoteCause {
    message: String,
    next: Option<Box<Self>>,
}

impl fmt::Display for RemoteCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for RemoteCause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.next.as_deref().map(|next| next as _)
    }
}

impl ServiceError {
    /// Converts what a service refused with. A text that is no document is the message.
    pub(crate) fn refused(text: String) -> Self {
        let refusal = serde_json::from_str(&text).unwrap_or_else(|_| Refusal {
            error: ErrorView {
                kind: ErrorKind::ENGINE.to_string(),
                message: text,
                causes: Vec::new(),
                hint: None,
            },
            exit_code: ExitCode::Failure.code(),
        });
        Self::of_error(refusal.error, exit_of(refusal.exit_code))
    }

    /// Converts the error with which a job has ended.
    pub fn of_report(error: &ErrorView, exit: Option<ExitCode>) -> Self {
        Self::of_error(error.clone(), exit.unwrap_or(ExitCode::Failure))
    }

    fn of_error(error: ErrorView, exit: ExitCode) -> Self {
        let causes = error.causes.into_iter().rev();
        Self::Refused {
            kind: ErrorKind::named(&error.kind),
            hint: error.hint,
            exit,
            causes: causes.fold(None, |next, message| {
                Some(RemoteCause {
                    message,
                    next: next.map(Box::new),
                })
            }),
            refused: RemoteMessage {
                message: error.message,
            },
        }
    }

    /// Returns the stable name of the class of the error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Project(error) => error.kind(),
            Self::NoServer
            | Self::NoProject
            | Self::TwoProjects { .. }
            | Self::InvalidName { .. } => ErrorKind::USAGE,
            Self::UnknownJob { .. } => ErrorKind::UNKNOWN_BUILD,
            Self::Start { .. }
            | Self::Unavailable { .. }
            | Self::Waiting { .. }
            | Self::Reply(_) => ErrorKind::ENGINE,
            Self::Refused { kind, .. } => *kind,
        }
    }

    /// Returns what the user can do, if the message does not say it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Project(error) => return error.hint(),
            Self::NoServer => {
                "pass --engine restate=URL with the URL of the ingress, set SYNIX_ENGINE, or set `restate` in [engine]"
            }
            Self::NoProject => "pass --project NAME",
            Self::TwoProjects { .. } => "write NAME=PATH",
            Self::InvalidName { .. } => {
                "a name has 1 to 100 characters, none of which is `/` or a control character"
            }
            Self::Waiting { .. } => {
                "it is busy or away: run the command again, or start the service with `synix service --register URL` on the machine with the project"
            }
            Self::UnknownJob { .. } => {
                "the server forgets a job 30 days after its end; `synix status --remote BUILD` asks the service itself"
            }
            Self::Refused { hint, .. } => return hint.clone(),
            Self::Unavailable { .. } | Self::Start { .. } => return None,
            Self::Reply(_) => "the client and the service must be of one version",
        };
        Some(hint.to_owned())
    }

    /// Returns the exit code of a command that ends with this error.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Project(error) => error.exit_code(),
            Self::NoServer
            | Self::NoProject
            | Self::TwoProjects { .. }
            | Self::InvalidName { .. }
            | Self::UnknownJob { .. } => ExitCode::Usage,
            Self::Waiting { .. } => ExitCode::Waiting,
            Self::Refused { exit, .. } => *exit,
            Self::Start { .. } | Self::Unavailable { .. } | Self::Reply(_) => ExitCode::Failure,
        }
    }
}

/// Returns the exit code with this number. A command that failed elsewhere has not succeeded here.
pub(crate) fn exit_of(code: u8) -> ExitCode {
    let mut exits = ExitCode::ALL.into_iter().map(|(exit, _)| exit);
    exits
        .find(|exit| *exit != ExitCode::Success && exit.code() == code)
        .unwrap_or(ExitCode::Failure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use synix_core::causes::with_causes;

    #[test]
    fn an_error_at_the_service_is_the_error_here() {
        let refusal = Refusal {
            error: ErrorView {
                kind: "untrusted".to_owned(),
                message: "this project needs your permission".to_owned(),
                causes: vec!["first".to_owned(), "second".to_owned()],
                hint: Some("run `synix trust`".to_owned()),
            },
            exit_code: 5,
        };
        let error = ServiceError::refused(crate::documents::write(&refusal));
        assert_eq!(error.kind(), ErrorKind::UNTRUSTED);
        assert_eq!(error.exit_code(), ExitCode::Refused);
        assert_eq!(error.hint().as_deref(), Some("run `synix trust`"));
        assert_eq!(
            with_causes(&error),
            "this project needs your permission: first: second"
        );
    }

    /// A proxy, or a service of another version.
    #[test]
    fn a_refusal_without_a_document_is_a_failure_with_its_text() {
        let error = ServiceError::refused("no such thing".to_owned());
        assert_eq!(error.exit_code(), ExitCode::Failure);
        assert_eq!(error.to_string(), "no such thing");
        // Nothing that failed elsewhere has succeeded here.
        assert_eq!(exit_of(0), ExitCode::Failure);
        assert_eq!(exit_of(77), ExitCode::Failure);
        assert_eq!(exit_of(3), ExitCode::PartialSuccess);
    }
}
