//! `completions`: scripts for shells, made from the command itself.

use clap::CommandFactory as _;
use serde_json::json;

use synix_core::exit_code::ExitCode;
use crate::args::{Args, Completions};
use crate::render::Screen;

pub(super) fn run(args: &Completions, screen: &Screen) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "synix", &mut script);
    let script = String::from_utf8(script)?;
    let shell = args.shell.to_string();
    screen.own_text(&json!({ "shell": shell, "script": script }), &script)?;
    Ok(ExitCode::Success)
}
