//! The errors of a build.

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
        /// The error of the system.
        source: io::Error,
    },
    /// The folder has no file of a known language.
    #[error(
        "{} has no plugin: there is no Cargo.toml, pyproject.toml, package.json, go.mod or *.c; \
        create one with `synix plugin new NAME --lang LANGUAGE`", .folder.display()
    )]
    NoLanguage {
        /// The folder.
        folder: PathBuf,
    },
    /// Tools of the language are missing.
    #[error(
        "{} missing in the plugin's folder, SYNIX_TOOLS and PATH; to install {}: {get}",
        name_missing(.names), if .names.len() == 1 { "it" } else { "them" }
    )]
    NoTool {
        /// The names of the tools; at least one.
        names: Vec<&'static str>,
        /// How to install them.
        get: &'static str,
    },
    /// A tool could not be started.
    #[error("cannot start {program}")]
    Start {
        /// The program.
        program: String,
        /// The error of the system.
        source: io::Error,
    },
    /// A tool failed.
    #[error("{program} failed ({status}):\n{output}")]
    Failed {
        /// The program.
        program: String,
        /// Its exit status.
        status: String,
        /// The end of its output.
        output: String,
    },
    /// A file that the build needs is missing.
    #[error("{} is missing: {why}", .path.display())]
    NoFile {
        /// The file.
        path: PathBuf,
        /// What the file is for.
        why: &'static str,
    },
    /// A file of the plugin is invalid.
    #[error("{}: {why}", .path.display())]
    InvalidFile {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        why: String,
    },
    /// The bindings of the contract cannot be generated.
    #[error("cannot generate bindings from {}: {detail}", .path.display())]
    Bindings {
        /// The folder of the contract.
        path: PathBuf,
        /// The error of the generator.
        detail: String,
    },
    /// The compiled module cannot become a component.
    #[error("the compiled module cannot become a component: {detail}")]
    Encode {
        /// The error of the encoder.
        detail: String,
    },
    /// The Rust compiler failed, or its library for WebAssembly is missing.
    #[error("{report}")]
    Rust {
        /// The error with its causes.
        report: String,
    },
    /// The sandbox cannot load the component.
    #[error("the component was built but cannot be loaded")]
    Unusable(#[source] Box<PluginError>),
    /// A folder for intermediate files cannot be created.
    #[error("cannot create a folder for intermediate files")]
    Scratch {
        /// The error of the system.
        source: io::Error,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

fn name_missing(names: &[&str]) -> String {
    match names {
        [one] => format!("{one} is"),
        [first @ .., last] => format!("{} and {last} are", first.join(", ")),
        [] => "nothing is".to_owned(),
    }
}

impl BuildError {
    /// Changes the output of a failed tool.
    pub(super) fn map_output(mut self, change: impl FnOnce(&mut String)) -> Self {
        if let Self::Failed { output, .. } = &mut self {
            change(output);
        }
        self
    }
}
