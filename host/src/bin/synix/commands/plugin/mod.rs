//! `plugin` and its commands, one file for each.

mod fetch;
mod update;

use crate::args::Global;
use crate::failure::Exit;
use crate::render::Screen;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum PluginCommand {
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
        PluginCommand::Update(args) => update::run(global, args, screen),
        PluginCommand::Fetch(args) => fetch::run(global, args, screen),
    }
}
