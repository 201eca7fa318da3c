//! `plugin` and its commands, one file for each.

mod build;
mod new;

use crate::failure::Exit;
use crate::render::Screen;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum PluginCommand {
    /// Make a plugin's folder that builds and passes its own test
    New(new::Args),
    /// Compile the plugin in a folder to a component and check it
    Build(build::Args),
}

pub(super) fn run(command: &PluginCommand, screen: &Screen) -> anyhow::Result<Exit> {
    match command {
        PluginCommand::New(args) => new::run(args, screen),
        PluginCommand::Build(args) => build::run(args, screen),
    }
}
