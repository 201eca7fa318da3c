//! `plugin new`: creates the folder of a new plugin.

use std::path::PathBuf;

use serde_json::json;
use synix_authoring::scaffold::{ScaffoldError, scaffold};
use synix_authoring::{Language, PluginKind};
use synix_core::printable;

use crate::args::Global;
use crate::failure::Usage;
use crate::render::Screen;
use synix_core::exit_code::ExitCode;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The plugin's name: lower-case letters, digits and hyphens
    name: String,
    /// The language: rust, python, js, ts, c or go
    #[arg(long, value_name = "LANGUAGE")]
    lang: Language,
    /// What to create: a transform, or a reader of files (rust, python, js, ts)
    #[arg(long, value_name = "KIND", default_value_t = PluginKind::Transform)]
    kind: PluginKind,
    /// The folder to create [default: the name]
    dir: Option<PathBuf>,
}

pub(super) fn run(global: &Global, args: &Args, screen: &Screen) -> anyhow::Result<ExitCode> {
    let dir = args
        .dir
        .clone()
        .unwrap_or_else(|| PathBuf::from(&args.name));
    let folder = global.resolve(&dir);
    let files = scaffold(&args.name, args.kind, args.lang, &folder).map_err(|error| {
        if matches!(
            error,
            ScaffoldError::Name { .. }
                | ScaffoldError::ReservedName { .. }
                | ScaffoldError::NoScaffold { .. }
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
    let document = json!({
        "dir": dir, "kind": args.kind, "lang": args.lang, "name": args.name, "files": files,
    });
    screen.print_result(&document, || files.clone())?;
    screen.note(&format!(
        "next: read {} to learn how to test the plugin, then run `synix plugin build {}` to build {}.wasm",
        dir.join("README.md").display(),
        printable::shell_quote(&dir.display().to_string()),
        args.name
    ));
    Ok(ExitCode::Success)
}
