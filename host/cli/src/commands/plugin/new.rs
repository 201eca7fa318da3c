//! `plugin new`: a folder to start from.

use std::path::PathBuf;

use serde_json::json;
use synix_authoring::Language;
use synix_authoring::scaffold::{ScaffoldError, scaffold};
use synix_core::printable;

use synix_core::exit_code::ExitCode;
use crate::args::Global;
use crate::failure::Usage;
use crate::render::Screen;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The plugin's name: lower-case letters, digits and hyphens
    name: String,
    /// Its language: rust, python, js, ts, c or go
    #[arg(long, value_name = "LANGUAGE")]
    lang: Language,
    /// The folder to fill [default: the name]
    dir: Option<PathBuf>,
}

pub(super) fn run(global: &Global, args: &Args, screen: &Screen) -> anyhow::Result<ExitCode> {
    let dir = args
        .dir
        .clone()
        .unwrap_or_else(|| PathBuf::from(&args.name));
    let files = scaffold(&args.name, args.lang, &global.at(&dir)).map_err(|error| {
        if matches!(
            error,
            ScaffoldError::Name { .. } | ScaffoldError::ReservedName { .. }
        ) {
            Usage(error.to_string()).into()
        } else {
            anyhow::Error::from(error)
        }
    })?;
    let files: Vec<_> = files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    let document = json!({ "dir": dir, "lang": args.lang, "name": args.name, "files": files });
    screen.answer(&document, || files.clone())?;
    screen.talk(&format!(
        "next: {} says how to test it; `synix plugin build {}` makes {}.wasm",
        dir.join("README.md").display(),
        printable::shell_quote(&dir.display().to_string()),
        args.name
    ));
    Ok(ExitCode::Success)
}
