//! `plugin`: the commands for authors and users of plugins. Each subcommand has its own file.

mod build;
mod check;
mod fetch;
mod inspect;
mod new;
mod run;
mod run_files;
mod update;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Map, Value};
use synix_core::exit_code::ExitCode;
use synix_disk::SymlinkPolicy;

use crate::args::Global;
use crate::failure::Usage;
use crate::render::Screen;

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum PluginCommand {
    /// Create the folder of a new plugin that builds and passes its own test
    New(new::Args),
    /// Compile the plugin in a folder to a component and check it
    Build(build::Args),
    /// Show the description of a plugin, its imports and its producers
    Inspect(inspect::Args),
    /// Check that a plugin follows the contract
    Check(check::Args),
    /// Run one unit of a transform, or a reader on files, and show the result
    Run(run::Args),
    /// Pin plugins to their current versions and show the changes
    Update(update::Args),
    /// Download the pinned plugins, so that a replay finds them
    Fetch(fetch::Args),
}

pub(super) fn run(
    global: &Global,
    command: &PluginCommand,
    screen: &Screen,
) -> anyhow::Result<ExitCode> {
    match command {
        PluginCommand::New(args) => new::run(global, args, screen),
        PluginCommand::Build(args) => build::run(global, args, screen),
        PluginCommand::Inspect(args) => inspect::run(global, args, screen),
        PluginCommand::Check(args) => check::run(global, args, screen),
        PluginCommand::Run(args) => run::run(global, args, screen),
        PluginCommand::Update(args) => update::run(global, args, screen),
        PluginCommand::Fetch(args) => fetch::run(global, args, screen),
    }
}

/// The maximum size of a component on the command line, and of a file with a config or replies, in bytes.
const MAX_COMPONENT_BYTES: u64 = 256 << 20;
const MAX_ARGUMENT_FILE_BYTES: u64 = 64 << 20;

/// Reads a component from a file, or a first-party one from this program, and returns it with its name.
fn component(global: &Global, path: &Path) -> anyhow::Result<(String, Vec<u8>)> {
    let read = synix_disk::read_limited_if_exists(
        &global.resolve(path),
        MAX_COMPONENT_BYTES,
        SymlinkPolicy::Follow,
    )?;
    let first_party = || {
        let name = path.to_str()?;
        synix_components::component(name)
    };
    let bytes = read
        .or_else(first_party)
        .ok_or_else(|| Usage(format!("there is no component {}", path.display())))?;
    let stem = path.file_stem().unwrap_or(path.as_os_str());
    Ok((stem.to_string_lossy().into_owned(), bytes))
}

/// Resolves the paths of files relative to the current folder of the command.
fn resolve_all(global: &Global, files: &[PathBuf]) -> Vec<PathBuf> {
    files.iter().map(|file| global.resolve(file)).collect()
}

/// A config from the command line, with the folder that its paths are relative to.
struct GivenConfig {
    members: Map<String, Value>,
    folder: PathBuf,
}

/// Reads `--config`: a JSON object, or `@FILE` with one in JSON or TOML.
fn config(global: &Global, given: &str) -> anyhow::Result<GivenConfig> {
    let mut folder = global.resolve(Path::new("."));
    let value: Value = match given.strip_prefix('@') {
        None => serde_json::from_str(given)
            .map_err(|error| Usage(format!("--config is not JSON: {error}")))?,
        Some(path) => {
            let path = Path::new(path);
            if let Some(parent) = path.parent() {
                folder = global.resolve(parent);
            }
            let bytes = synix_disk::read_limited(&global.resolve(path), MAX_ARGUMENT_FILE_BYTES)
                .context("cannot read the config")?;
            let text = String::from_utf8(bytes)
                .map_err(|_| Usage(format!("{} is not UTF-8", path.display())))?;
            let invalid = |error: String| Usage(format!("{}: {error}", path.display()));
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                toml::from_str(&text).map_err(|error| invalid(error.to_string()))?
            } else {
                serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))?
            }
        }
    };
    match value {
        Value::Object(members) => Ok(GivenConfig { members, folder }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(Usage("--config must be a JSON object".to_owned()).into())
        }
    }
}
