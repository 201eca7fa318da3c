//! `plugin` and its commands, one file for each.

mod build;
mod fetch;
mod new;
mod update;

use crate::args::Global;
use crate::failure::Exit;
use crate::render::Screen;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum PluginCommand {
    /// Make a plugin's folder that builds and passes its own test
    New(new::Args),
    /// Compile the plugin in a folder to a component and check it
    Build(build::Args),
    /// Pin plugins to what they are now, and say what changed
    Update(update::Args),
    /// Download what the lock file pins, so that a replay finds it
    Fetch(fetch::Args),
}

pub(super) fn run(
    global: &Global,
    command: &PluginCommand,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    match command {
        PluginCommand::New(args) => new::run(args, screen),
        PluginCommand::Build(args) => build::run(args, screen),
        PluginCommand::Update(args) => update::run(global, args, screen),
        PluginCommand::Fetch(args) => fetch::run(global, args, screen),
    }
}
