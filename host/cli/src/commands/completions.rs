//! `completions`: prints completion scripts for shells.

use clap::CommandFactory as _;
use serde_json::json;

use crate::args::{Args, Completions};
use crate::render::Screen;
use synix_core::exit_code::ExitCode;

pub(super) fn run(args: &Completions, screen: &Screen) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "synix", &mut script);
    let script = String::from_utf8(script)?;
    let shell = args.shell.to_string();
    screen.print_verbatim(&json!({ "shell": shell, "script": script }), &script)?;
    Ok(ExitCode::Success)
}
