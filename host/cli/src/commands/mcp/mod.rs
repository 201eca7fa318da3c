//! `mcp`: lets an agent read artifacts through the Model Context Protocol on stdin and stdout.

mod errors;
mod outputs;
mod pages;
mod project;

use synix_core::exit_code::ExitCode;

use crate::args::{Global, Mcp};
use crate::failure::leave_when_interrupted;
use crate::render::Screen;
use project::ProjectLibrary;

pub(super) fn run(global: &Global, args: &Mcp, screen: &Screen) -> anyhow::Result<ExitCode> {
    let library = ProjectLibrary::open(global.options(None), args.snapshot.snapshot.clone())?;
    leave_when_interrupted(screen)?;
    synix_mcp::serve(library, screen.take_stdin(), screen.raw_stdout())?;
    Ok(ExitCode::Success)
}
