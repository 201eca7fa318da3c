//! `plugin build`: from source to a component.

use std::path::PathBuf;

use serde_json::json;
use synix_authoring::Language;
use synix_authoring::build::build;
use synix_core::exit_code::ExitCode;
use synix_project::PluginTools;

use crate::args::Global;
use crate::render::Screen;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The plugin's folder
    #[arg(default_value = ".")]
    dir: PathBuf,
}

pub(super) fn run(global: &Global, args: &Args, screen: &Screen) -> anyhow::Result<ExitCode> {
    let bench = PluginTools::open(global.environment(), global.compiler())?;
    let dir = global.at(&args.dir);
    // A first build may take minutes without a word.
    if let Some(language) = Language::detect(&dir) {
        screen.talk(&format!(
            "building from {language} in {}",
            args.dir.display()
        ));
    }
    let built = build(&dir, &bench.tools, &bench.sandbox)?;
    let about = &built.descriptor;
    let document = json!({
        "file": built.file,
        "lang": built.language,
        "name": about.name,
        "version": about.version,
        "digest": built.digest.to_string(),
        "bytes": built.bytes,
    });
    screen.answer(&document, || vec![built.file.display().to_string()])?;
    screen.talk(&format!(
        "built {} {} from {}: {} bytes, sha256 {}",
        about.name, about.version, built.language, built.bytes, built.digest
    ));
    Ok(ExitCode::Success)
}
