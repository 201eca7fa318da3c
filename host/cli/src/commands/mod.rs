//! One file for each command: it reads the arguments, calls the library once and prints the result.

mod batch_build;
mod build;
mod builds;
mod clean;
mod completions;
mod costs;
mod diff;
mod export;
mod follow;
mod gc;
mod init;
mod lineage;
mod list;
mod log;
#[cfg(feature = "restate")]
mod logs;
mod man;
mod mcp;
mod outcome;
mod plan;
pub(crate) mod plugin;
mod promote;
mod query_vectors;
mod reading;
mod release;
#[cfg(feature = "restate")]
mod remote;
mod search;
#[cfg(feature = "restate")]
mod service;
mod shared;
mod show;
mod skipped;
mod snapshots;
mod status;
#[cfg(feature = "restate")]
mod submit;
mod test;
mod trial;
mod trial_outputs;
pub(crate) mod trust;
#[cfg(feature = "view")]
mod view;
mod watch;
#[cfg(feature = "restate")]
mod worker;

use crate::args::{Args, BuildsCommand, Command, Demo};
use crate::render::Screen;
use synix_core::exit_code::ExitCode;

pub(crate) fn run(args: &Args, screen: &Screen) -> anyhow::Result<ExitCode> {
    let global = &args.global;
    match &args.command {
        Command::Init(args) => init::run(global, args, screen),
        Command::Plan(args) => plan::run(global, args, synix_store::BuildKind::Build, screen),
        Command::Build(args) => build::run(global, args, screen),
        Command::Try(args) => trial::run(global, args, screen),
        Command::Promote(args) => promote::run(global, args, screen),
        Command::BatchBuild(args) => batch_build::run(global, args, screen),
        Command::Watch(args) => watch::run(global, args, screen),
        Command::Snapshots => snapshots::run(global, screen),
        Command::Diff(args) => diff::run(global, args, screen),
        Command::List(args) => list::run(global, args, screen),
        Command::Show(args) => show::run(global, args, screen),
        Command::Search(args) => search::run(global, args, screen),
        Command::Lineage(args) => lineage::run(global, args, screen),
        Command::Resume(args) => batch_build::resume(global, args, screen),
        Command::Status(args) => status::run(global, args, screen),
        Command::Builds(args) => match &args.command {
            None => builds::run(global, args, screen),
            Some(BuildsCommand::Show(show)) => log::run(global, show, screen),
        },
        Command::Costs(args) => costs::run(global, args, screen),
        Command::Export(args) => export::run(global, args, screen),
        Command::Mcp(args) => mcp::run(global, args, screen),
        #[cfg(feature = "view")]
        Command::View(args) => view::run(global, args, screen),
        Command::Release(args) => release::run(global, args, screen),
        Command::Clean => clean::run(global, screen),
        Command::Gc(args) => gc::run(global, args, screen),
        Command::Shared(command) => shared::run(global, command, screen),
        #[cfg(feature = "restate")]
        Command::Worker(args) => worker::run(global, args, screen),
        #[cfg(feature = "restate")]
        Command::Service(args) => service::run(global, args, screen),
        #[cfg(feature = "restate")]
        Command::Submit(args) => submit::run(global, args, screen),
        #[cfg(feature = "restate")]
        Command::Logs(args) => logs::run(global, args, screen),
        Command::Trust(args) => trust::run(global, args, screen),
        Command::Plugin(command) => plugin::run(global, command, screen),
        Command::Completions(args) => completions::run(args, screen),
        Command::Man(args) => man::run(global, args, screen),
        Command::Test(args) | Command::Demo(Demo::Run(args)) => test::run(global, args, screen),
    }
}
