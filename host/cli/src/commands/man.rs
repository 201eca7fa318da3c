//! `man`: prints or writes manual pages.

use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_mangen::Man as Page;
use serde_json::json;

use crate::args::{Args, Global, Man};
use crate::render::Screen;
use synix_core::exit_code::ExitCode;

pub(super) fn run(global: &Global, args: &Man, screen: &Screen) -> anyhow::Result<ExitCode> {
    let mut command = Args::command().disable_help_subcommand(true);
    // This resolves the names of subcommands and options.
    command.build();
    let Some(dir) = &args.dir else {
        let page = page(&command)?;
        screen.print_verbatim(&json!({ "page": page }), &page)?;
        return Ok(ExitCode::Success);
    };
    let folder = global.resolve(dir);
    synix_disk::create_folder(&folder)?;
    let mut files = Vec::new();
    for command in visible_commands(&command) {
        let name = Page::new(command.clone()).get_filename();
        synix_disk::replace(&folder.join(&name), page(command)?.as_bytes())?;
        files.push(dir.join(name).display().to_string());
    }
    screen.print_result(&json!({ "files": files }), || files.clone())?;
    Ok(ExitCode::Success)
}

/// Returns a command and all its visible subcommands.
fn visible_commands(command: &Command) -> Vec<&Command> {
    let subcommands = command.get_subcommands();
    let subcommands =
        subcommands.filter(|command| !command.is_hide_set() && command.get_name() != "help");
    std::iter::once(command)
        .chain(subcommands.flat_map(visible_commands))
        .collect()
}

fn page(command: &Command) -> anyhow::Result<String> {
    let mut page = Vec::new();
    Page::new(command.clone())
        .render(&mut page)
        .context("cannot create a manual page")?;
    let page = String::from_utf8(page)?;
    // Some implementations of roff do not read UTF-8.
    let escaped = page.chars().map(|one| {
        if one.is_ascii() {
            one.to_string()
        } else {
            format!("\\[u{:04X}]", u32::from(one))
        }
    });
    Ok(escaped.collect())
}
