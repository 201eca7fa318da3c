//! `plugin`: what those who write plugins run, and those who use them; one file for each subcommand.

mod build;
mod check;
mod fetch;
mod inspect;
mod new;
mod run;
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
    /// Make a plugin's folder that builds and passes its own test
    New(new::Args),
    /// Compile the plugin in a folder to a component and check it
    Build(build::Args),
    /// Show what a plugin says of itself, what it imports and what made it
    Inspect(inspect::Args),
    /// Try a plugin against the contract, point by point
    Check(check::Args),
    /// Run one unit of a plugin and show its questions and outputs
    Run(run::Args),
    /// Pin plugins to what they are now, and say what changed
    Update(update::Args),
    /// Download what the lock file pins, so that a replay finds it
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

/// The largest component from the command line, and the largest file of a config or of replies, in bytes.
const COMPONENT_BYTES: u64 = 256 << 20;
const TYPED_BYTES: u64 = 64 << 20;

/// Reads a component, from a file or from this program, and says by which name to call it.
fn component(global: &Global, path: &Path) -> anyhow::Result<(String, Vec<u8>)> {
    let read = synix_disk::read_limited_if_exists(
        &global.at(path),
        COMPONENT_BYTES,
        SymlinkPolicy::Follow,
    )?;
    let shipped = || {
        let name = path.to_str()?;
        synix_transforms::component(name).map(<[u8]>::to_vec)
    };
    let bytes = read
        .or_else(shipped)
        .ok_or_else(|| Usage(format!("there is no component {}", path.display())))?;
    let stem = path.file_stem().unwrap_or(path.as_os_str());
    Ok((stem.to_string_lossy().into_owned(), bytes))
}

/// Returns files that the user typed as they are seen from where the command runs.
fn seen(global: &Global, files: &[PathBuf]) -> Vec<PathBuf> {
    files.iter().map(|file| global.at(file)).collect()
}

/// A config from the command line with the folder that its files stand in.
struct GivenConfig {
    members: Map<String, Value>,
    folder: PathBuf,
}

/// Reads `--config`: a JSON object, or `@FILE` with one in JSON or TOML.
fn config(global: &Global, given: &str) -> anyhow::Result<GivenConfig> {
    let mut folder = global.at(Path::new("."));
    let value: Value = match given.strip_prefix('@') {
        None => serde_json::from_str(given)
            .map_err(|error| Usage(format!("--config is not JSON: {error}")))?,
        Some(path) => {
            let path = Path::new(path);
            if let Some(parent) = path.parent() {
                folder = global.at(parent);
            }
            let bytes = synix_disk::read_limited(&global.at(path), TYPED_BYTES)
                .context("cannot read the config")?;
            let text = String::from_utf8(bytes)
                .map_err(|_| Usage(format!("{} is not UTF-8", path.display())))?;
            let wrong = |error: String| Usage(format!("{}: {error}", path.display()));
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                toml::from_str(&text).map_err(|error| wrong(error.to_string()))?
            } else {
                serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?
            }
        }
    };
    match value {
        Value::Object(members) => Ok(GivenConfig { members, folder }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(Usage("--config is not a JSON object".to_owned()).into())
        }
    }
}
