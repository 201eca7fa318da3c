//! Why nothing is found under a name.

use synix_core::error_kind::ErrorKind;
use synix_core::exit_code::ExitCode;
use synix_manifest::nearest;
use synix_store::StoreError;

/// The maximum number of names in an error.
const MAX_NAMES: usize = 10;

/// The maximum number of candidates in an error.
const MAX_CANDIDATES: usize = 5;

/// Why nothing is found under a name.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// No artifact has the name.
    #[error("there is no artifact {name:?}")]
    NotFound {
        /// The name.
        name: String,
        /// The name that the user probably meant.
        nearest: Option<String>,
    },
    /// No layer has the name.
    #[error("there is no layer {name:?}")]
    NoLayer {
        /// The name.
        name: String,
        /// The name that the user probably meant.
        nearest: Option<String>,
        /// The existing layers.
        known: Vec<String>,
    },
    /// Several artifacts have the name.
    #[error("{name:?} could be any of {}", join_limited(.candidates, MAX_CANDIDATES))]
    Ambiguous {
        /// The name.
        name: String,
        /// `layer/label` of each.
        candidates: Vec<String>,
    },
    /// No snapshot has the name.
    #[error("there is no snapshot {name:?}{}", .why.as_ref().map_or_else(String::new, |why| format!(": {why}")))]
    NoSnapshot {
        /// The name.
        name: String,
        /// Why, if there is more to say.
        why: Option<String>,
        /// The name that the user probably meant.
        nearest: Option<String>,
        /// The builds of the existing snapshots, the newest first.
        known: Vec<String>,
    },
    /// No build has the name.
    #[error("there is no build {name:?}")]
    NoBuild {
        /// The name.
        name: String,
        /// The name that the user probably meant.
        nearest: Option<String>,
    },
    /// No trial has the name.
    #[error("there is no trial {name:?}")]
    NoTrial {
        /// The name.
        name: String,
        /// The name that the user probably meant.
        nearest: Option<String>,
        /// The trials of the pipeline, the newest first.
        known: Vec<String>,
    },
    /// The pipeline has no complete build, but other pipelines have.
    #[error("there is no complete build of {pipeline}")]
    NotBuilt {
        /// The pipeline file.
        pipeline: String,
        /// The pipelines that were built.
        known: Vec<String>,
    },
    /// No build is complete.
    #[error("there is no snapshot yet")]
    NothingBuilt,
    /// The state could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn join_limited(names: &[String], most: usize) -> String {
    let mut shown = names
        .iter()
        .take(most)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > most {
        shown.push_str(&format!(" and {} more", names.len() - most));
    }
    shown
}

impl FindError {
    /// Returns the stable name of the error's class; `docs/commands.md` lists them.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } => ErrorKind::UNKNOWN_ARTIFACT,
            Self::NoLayer { .. } => ErrorKind::UNKNOWN_LAYER,
            Self::Ambiguous { .. } => ErrorKind::AMBIGUOUS,
            Self::NoSnapshot { .. } => ErrorKind::UNKNOWN_SNAPSHOT,
            Self::NoBuild { .. } => ErrorKind::UNKNOWN_BUILD,
            Self::NoTrial { .. } => ErrorKind::UNKNOWN_TRIAL,
            Self::NotBuilt { .. } | Self::NothingBuilt => ErrorKind::NOT_BUILT,
            Self::Store(error) => error.kind(),
        }
    }

    /// Returns the exit code: 2 for a wrong name, or 1 for an error of the state.
    pub const fn exit_code(&self) -> ExitCode {
        match self {
            Self::Store(_) => ExitCode::Failure,
            Self::NotFound { .. }
            | Self::NoLayer { .. }
            | Self::Ambiguous { .. }
            | Self::NoSnapshot { .. }
            | Self::NoBuild { .. }
            | Self::NoTrial { .. }
            | Self::NotBuilt { .. }
            | Self::NothingBuilt => ExitCode::Usage,
        }
    }

    /// Returns the error about a layer that is not among those that are known.
    pub fn no_layer<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Self {
        Self::NoLayer {
            name: name.to_owned(),
            nearest: nearest(name, known.clone()).map(str::to_owned),
            known: known.map(str::to_owned).collect(),
        }
    }

    /// Returns what to do next.
    pub fn hint(&self) -> Option<String> {
        let suggest = |name: &String| format!("did you mean `{name}`?");
        match self {
            Self::NotFound { nearest, .. } => Some(
                nearest
                    .as_ref()
                    .map_or_else(|| "`synix list` lists all artifacts".to_owned(), suggest),
            ),
            Self::NoLayer { nearest, known, .. } => {
                let all = format!("the layers are {}", join_limited(known, MAX_NAMES));
                Some(match nearest {
                    Some(name) => format!("{} {all}", suggest(name)),
                    None if known.is_empty() => {
                        "there are no layers yet; run `synix build`".to_owned()
                    }
                    None => all,
                })
            }
            Self::Ambiguous { .. } => {
                Some("give LAYER/LABEL, or more of the name or id".to_owned())
            }
            Self::NoSnapshot { known, .. } if known.is_empty() => {
                Some("no build is complete yet".to_owned())
            }
            Self::NoSnapshot { nearest, known, .. } => {
                let all = format!("the snapshots are {}", join_limited(known, MAX_NAMES));
                Some(match nearest {
                    Some(name) => format!("{} {all}", suggest(name)),
                    None => all,
                })
            }
            Self::NoBuild { nearest, .. } => Some(match nearest {
                Some(name) => format!("{} `synix builds` lists all builds", suggest(name)),
                None => "`synix builds` lists all builds".to_owned(),
            }),
            Self::NoTrial { known, .. } if known.is_empty() => {
                Some("`synix try` makes one".to_owned())
            }
            Self::NoTrial { nearest, known, .. } => {
                let all = format!("the trials are {}", join_limited(known, MAX_NAMES));
                Some(match nearest {
                    Some(name) => format!("{} {all}", suggest(name)),
                    None => all,
                })
            }
            Self::NotBuilt { known, .. } => Some(format!(
                "pass --pipeline with one of these: {}",
                join_limited(known, MAX_NAMES)
            )),
            Self::NothingBuilt => Some("run `synix build`".to_owned()),
            Self::Store(error) => error.hint(),
        }
    }
}
