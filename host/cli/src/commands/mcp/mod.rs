//! `mcp`: lets an agent read artifacts through the Model Context Protocol on stdin and stdout.

mod errors;
mod outputs;
mod pages;
mod project;
mod queries;
mod release;

use synix_core::exit_code::ExitCode;

use crate::args::{Global, Mcp};
use crate::failure::leave_when_interrupted;
use crate::render::Screen;
use project::ProjectLibrary;
use release::ReleaseLibrary;

pub(super) fn run(global: &Global, args: &Mcp, screen: &Screen) -> anyhow::Result<ExitCode> {
    let options = global.options(None);
    let (input, output) = (screen.take_stdin(), screen.raw_stdout());
    match &args.release {
        Some(folder) => {
            let library = ReleaseLibrary::open(global.resolve(folder), options)?;
            leave_when_interrupted(screen)?;
            synix_mcp::serve(library, input, output)?;
        }
        None => {
            let library = ProjectLibrary::open(options, args.snapshot.snapshot.clone())?;
            leave_when_interrupted(screen)?;
            synix_mcp::serve(library, input, output)?;
        }
    }
    Ok(ExitCode::Success)
}
