//! `init`: a project from a template that is part of this program.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use include_dir::{Dir, File, include_dir};
use serde_json::json;

use crate::args::{Global, Init};
use crate::failure::{Exit, Usage};
use crate::render::Screen;

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../templates");

/// Folders of a template that are no part of a project.
const LEFT_OUT: [&str; 2] = ["golden", ".synix"];

pub(super) fn run(global: &Global, args: &Init, screen: &Screen) -> anyhow::Result<Exit> {
    if args.list {
        let names = names();
        screen.answer(&json!({ "templates": names }), || names.clone())?;
        return Ok(Exit::Done);
    }
    let Some(template) = TEMPLATES.get_dir(&args.template) else {
        let known = names().join(", ");
        return Err(Usage(format!(
            "there is no template {:?}; the templates are {known}",
            args.template
        ))
        .into());
    };
    let files = files(template);
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
    for (path, file) in &files {
        let target = dir.join(path);
        if let Some(folder) = target.parent() {
            synix_disk::create_folder(folder)?;
        }
        synix_disk::replace(&target, file.contents()).context("the project is not complete")?;
    }
    let made: Vec<_> = files
        .iter()
        .map(|(path, _)| path.display().to_string())
        .collect();
    let document = json!({ "dir": args.dir, "template": args.template, "files": made });
    screen.answer(&document, || made.clone())?;
    screen.talk("next: `synix plan` shows what would be sent, `synix build` sends it");
    Ok(Exit::Done)
}

fn names() -> Vec<String> {
    let mut names: Vec<_> = TEMPLATES
        .dirs()
        .map(|dir| dir.path().display().to_string())
        .collect();
    names.sort();
    names
}

/// Returns the files of a template by their paths in the project.
fn files(template: &'static Dir<'static>) -> Vec<(PathBuf, &'static File<'static>)> {
    let mut files = Vec::new();
    let mut open = vec![template];
    while let Some(dir) = open.pop() {
        open.extend(dir.dirs().filter(|dir| !is_left_out(dir.path())));
        let files_here = dir.files().filter(|file| !is_lock(file.path()));
        files.extend(files_here.filter_map(|file| {
            Some((
                file.path().strip_prefix(template.path()).ok()?.to_owned(),
                file,
            ))
        }));
    }
    files.sort_by(|left, right| left.0.cmp(&right.0));
    files
}

/// What a replay in the template's own folder leaves beside its cassette.
fn is_lock(file: &Path) -> bool {
    file.extension()
        .is_some_and(|extension| extension == "lock")
}

fn is_left_out(folder: &Path) -> bool {
    folder
        .file_name()
        .is_some_and(|name| LEFT_OUT.iter().any(|left_out| name == *left_out))
}
