//! Why a plugin could not be built.

use std::io;
use std::path::PathBuf;

use synix_disk::DiskError;
use synix_sandbox::PluginError;

/// Why a plugin could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The plugin's folder cannot be opened.
    #[error("cannot open the plugin's folder {}", .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nothing in the folder says which language it is.
    #[error(
        "{} holds no plugin: none of Cargo.toml, pyproject.toml, package.json, go.mod and *.c; \
        `synix plugin new NAME --lang LANGUAGE` makes one", .folder.display()
    )]
    NoLanguage {
        /// The folder.
        folder: PathBuf,
    },
    /// Tools of the language are not there.
    #[error(
        "{} missing, in the plugin's folder, in SYNIX_TOOLS and on PATH; to get {}: {get}",
        are(.names), if .names.len() == 1 { "it" } else { "them" }
    )]
    NoTool {
        /// Their names; at least one.
        names: Vec<&'static str>,
        /// What to do.
        get: &'static str,
    },
    /// A tool could not be started.
    #[error("cannot start {program}")]
    Start {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// A tool said no.
    #[error("{program} failed ({status}):\n{output}")]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: String,
        /// The end of what it wrote.
        output: String,
    },
    /// A file that the language's build needs is not there.
    #[error("{} is missing: {why}", .path.display())]
    NoFile {
        /// The file.
        path: PathBuf,
        /// What it is for.
        why: &'static str,
    },
    /// A file of the plugin cannot be understood.
    #[error("{}: {why}", .path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        why: String,
    },
    /// No bindings can be made of the contract.
    #[error("no bindings can be made of {}: {detail}", .path.display())]
    Bindings {
        /// The folder of the contract.
        path: PathBuf,
        /// The generator's words.
        detail: String,
    },
    /// What was compiled cannot become a component.
    #[error("the compiled module cannot become a component: {detail}")]
    Encode {
        /// The encoder's words.
        detail: String,
    },
    /// The Rust compiler or its library for WebAssembly cannot be used.
    #[error("{report}")]
    Rust {
        /// What happened, with its causes.
        report: String,
    },
    /// The sandbox does not take the component.
    #[error("the component was built and cannot be used")]
    Unusable(#[source] Box<PluginError>),
    /// There is no room for intermediate files.
    #[error("cannot make a folder for intermediate files")]
    Scratch {
        /// What the system said.
        source: io::Error,
    },
    /// The file system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

fn are(names: &[&str]) -> String {
    match names {
        [one] => format!("{one} is"),
        [first @ .., last] => format!("{} and {last} are", first.join(", ")),
        [] => "nothing is".to_owned(),
    }
}

impl BuildError {
    /// Changes what a failed tool is quoted with.
    pub(super) fn quoting(mut self, change: impl FnOnce(&mut String)) -> Self {
        if let Self::Failed { output, .. } = &mut self {
            change(output);
        }
        self
    }
}
