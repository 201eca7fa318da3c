//! `plugin build`: compiles the source of a plugin to a component.

use std::path::PathBuf;

use serde_json::json;
use synix_authoring::Language;
use synix_authoring::build::build;
use synix_core::exit_code::ExitCode;
use synix_project::PluginToolchain;

use crate::args::Global;
use crate::render::Screen;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The plugin's folder
    #[arg(default_value = ".")]
    dir: PathBuf,
}

pub(super) fn run(global: &Global, args: &Args, screen: &Screen) -> anyhow::Result<ExitCode> {
    let toolchain = PluginToolchain::open(global.environment(), global.compiler())?;
    let dir = global.resolve(&args.dir);
    // The first build may take minutes without any output.
    if let Some(language) = Language::detect(&dir) {
        screen.note(&format!(
            "building from {language} in {}",
            args.dir.display()
        ));
    }
    let built = build(&dir, &toolchain.tools, &toolchain.sandbox)?;
    let descriptor = &built.descriptor;
    let document = json!({
        "file": built.file,
        "kind": built.kind,
        "lang": built.language,
        "name": descriptor.name,
        "version": descriptor.version,
        "digest": built.digest.to_string(),
        "bytes": built.bytes,
    });
    screen.print_result(&document, || vec![built.file.display().to_string()])?;
    screen.note(&format!(
        "built the {} {} {} from {}: {} bytes, sha256 {}",
        built.kind, descriptor.name, descriptor.version, built.language, built.bytes, built.digest
    ));
    Ok(ExitCode::Success)
}
