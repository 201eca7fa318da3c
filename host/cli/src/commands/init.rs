//! `init`: creates a project from one of the templates in this program.

use anyhow::{Context as _, bail};
use serde_json::json;

use crate::args::{Global, Init};
use crate::failure::Usage;
use crate::render::Screen;
use synix_core::exit_code::ExitCode;

pub(super) fn run(global: &Global, args: &Init, screen: &Screen) -> anyhow::Result<ExitCode> {
    if args.list {
        let names: Vec<_> = synix_templates::names()
            .into_iter()
            .map(str::to_owned)
            .collect();
        screen.print_result(&json!({ "templates": names }), || names.clone())?;
        return Ok(ExitCode::Success);
    }
    let Some(files) = synix_templates::get(&args.template) else {
        let known = synix_templates::names().join(", ");
        return Err(Usage(format!(
            "there is no template {:?}; the templates are {known}",
            args.template
        ))
        .into());
    };
    let dir = global.resolve(&args.dir);
    for (path, _) in &files {
        let target = dir.join(path);
        if target.symlink_metadata().is_ok() {
            bail!("{} already exists; nothing was written", target.display());
        }
        // An existing folder may come from an attacker, with links that lead anywhere.
        let folders = path.ancestors().skip(1).map(|ancestor| dir.join(ancestor));
        let inside = folders.take(path.components().count().saturating_sub(1));
        for folder in inside {
            if folder.is_symlink() {
                bail!(
                    "{} is a symbolic link; nothing was written",
                    folder.display()
                );
            }
        }
    }
    for (path, contents) in &files {
        let target = dir.join(path);
        if let Some(folder) = target.parent() {
            synix_disk::create_folder(folder)?;
        }
        synix_disk::replace(&target, contents).context("the project was not created completely")?;
    }
    let created: Vec<_> = files
        .iter()
        .map(|(path, _)| path.display().to_string())
        .collect();
    let document = json!({ "dir": args.dir, "template": args.template, "files": created });
    screen.print_result(&document, || created.clone())?;
    screen.note("next: run `synix plan` to see what would be sent, then `synix build`");
    Ok(ExitCode::Success)
}
