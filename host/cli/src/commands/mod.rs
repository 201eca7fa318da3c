//! One file for each command: arguments, one call to the library, an answer.

mod batch_build;
mod build;
mod clean;
mod demo;
mod gc;
mod init;
mod lineage;
mod list;
mod outcome;
mod plan;
pub(crate) mod plugin;
mod reading;
mod runs;
mod show;
pub(crate) mod trust;
mod watch;

use crate::args::{Args, Command, Demo};
use crate::failure::Exit;
use crate::render::Screen;

pub(crate) fn run(args: &Args, screen: &Screen) -> anyhow::Result<Exit> {
    let global = &args.global;
    match &args.command {
        Command::Init(args) => init::run(args, screen),
        Command::Plan(args) => plan::run(global, args, synix_store::BuildKind::Build, screen),
        Command::Build(args) => build::run(global, args, screen),
        Command::BatchBuild(args) => batch_build::run(global, args, screen),
        Command::List(args) => list::run(global, args, screen),
        Command::Show(args) => show::run(global, args, screen),
        Command::Lineage(args) => lineage::run(global, args, screen),
        Command::Runs => runs::run(global, None, screen),
        Command::Clean => clean::run(global, screen),
        Command::Gc(args) => gc::run(global, args, screen),
        Command::Trust(args) => trust::run(global, args, screen),
        Command::Plugin(command) => plugin::run(global, command, screen),
        Command::Demo(Demo::Run {
            dir,
            update_goldens,
        }) => {
            let goldens = if *update_goldens {
                demo::Goldens::Update
            } else {
                demo::Goldens::Compare
            };
            demo::run(dir, goldens, screen)
        }
    }
}
