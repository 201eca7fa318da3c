//! `man`: manual pages, made from the command itself.

use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_mangen::Man as Page;
use serde_json::json;

use synix_core::exit_code::ExitCode;
use crate::args::{Args, Global, Man};
use crate::render::Screen;

pub(super) fn run(global: &Global, args: &Man, screen: &Screen) -> anyhow::Result<ExitCode> {
    let mut command = Args::command().disable_help_subcommand(true);
    // Names of subcommands and options of every command are known from here on.
    command.build();
    let Some(dir) = &args.dir else {
        let page = page(&command)?;
        screen.own_text(&json!({ "page": page }), &page)?;
        return Ok(ExitCode::Success);
    };
    let folder = global.at(dir);
    synix_disk::create_folder(&folder)?;
    let mut files = Vec::new();
    for command in all(&command) {
        let name = Page::new(command.clone()).get_filename();
        synix_disk::replace(&folder.join(&name), page(command)?.as_bytes())?;
        files.push(dir.join(name).display().to_string());
    }
    screen.answer(&json!({ "files": files }), || files.clone())?;
    Ok(ExitCode::Success)
}

/// Returns a command and all below it that people are shown.
fn all(command: &Command) -> Vec<&Command> {
    let below = command.get_subcommands();
    let below = below.filter(|below| !below.is_hide_set() && below.get_name() != "help");
    std::iter::once(command)
        .chain(below.flat_map(all))
        .collect()
}

fn page(command: &Command) -> anyhow::Result<String> {
    let mut page = Vec::new();
    Page::new(command.clone())
        .render(&mut page)
        .context("cannot make a manual page")?;
    let page = String::from_utf8(page)?;
    // Not every roff reads UTF-8.
    let escaped = page.chars().map(|one| {
        if one.is_ascii() {
            one.to_string()
        } else {
            format!("\\[u{:04X}]", u32::from(one))
        }
    });
    Ok(escaped.collect())
}
