//! `init`: a project from a template that is part of this program.

use anyhow::{Context as _, bail};
use serde_json::json;

use synix_core::exit_code::ExitCode;
use crate::args::{Global, Init};
use crate::failure::Usage;
use crate::render::Screen;

pub(super) fn run(global: &Global, args: &Init, screen: &Screen) -> anyhow::Result<ExitCode> {
    if args.list {
        let names: Vec<_> = synix_templates::names()
            .into_iter()
            .map(str::to_owned)
            .collect();
        screen.answer(&json!({ "templates": names }), || names.clone())?;
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
    let dir = global.at(&args.dir);
    for (path, _) in &files {
        let target = dir.join(path);
        if target.symlink_metadata().is_ok() {
            bail!("{} already exists; nothing was written", target.display());
        }
        // A folder that is there may be a stranger's, and lead anywhere.
        let folders = path.ancestors().skip(1).map(|above| dir.join(above));
        let own = folders.take(path.components().count().saturating_sub(1));
        for folder in own {
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
        synix_disk::replace(&target, contents).context("the project is not complete")?;
    }
    let made: Vec<_> = files
        .iter()
        .map(|(path, _)| path.display().to_string())
        .collect();
    let document = json!({ "dir": args.dir, "template": args.template, "files": made });
    screen.answer(&document, || made.clone())?;
    screen.talk("next: `synix plan` shows what would be sent, `synix build` sends it");
    Ok(ExitCode::Success)
}
