//! `plugin inspect`: shows the metadata of a component.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use synix_authoring::LoadedPlugin;
use synix_authoring::inspect::{self, Inspection};
use synix_authoring::reference;
use synix_core::exit_code::ExitCode;
use synix_core::printable;
use synix_project as project;

use crate::args::Global;
use crate::failure::{self, Usage};
use crate::render::Screen;
use crate::table::pad;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The component, or the name of a first-party plugin
    file: PathBuf,

    /// Print the config reference as Markdown
    #[arg(long)]
    markdown: bool,
}

pub(super) fn run(global: &Global, args: &Args, screen: &Screen) -> anyhow::Result<ExitCode> {
    failure::leave_when_interrupted(screen)?;
    let (name, bytes) = super::component(global, &args.file)?;
    let sandbox = project::sandbox(&global.options(None))?;
    let plugin = LoadedPlugin::load(&sandbox, &name, &bytes)?;
    let found = inspect::inspect(&plugin, &bytes)
        .with_context(|| format!("cannot inspect {}", args.file.display()))?;
    if args.markdown && global.json {
        return Err(Usage(
            "--markdown and --json are mutually exclusive; remove one of them".to_owned(),
        )
        .into());
    }
    screen.print_result(&found, || {
        if args.markdown {
            let markdown = reference::markdown(&found);
            markdown.trim_end().lines().map(str::to_owned).collect()
        } else {
            result_lines(&found)
        }
    })?;
    Ok(ExitCode::Success)
}

fn result_lines(found: &Inspection) -> Vec<String> {
    let list = |names: &[String]| {
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    };
    let mut lines = vec![
        format!("{} {}", found.name, found.version),
        printable::escape_line(&found.summary),
        String::new(),
        format!("kind          {}", found.kind),
    ];
    lines.extend(found.shape.map(|shape| {
        let shape = serde_json::to_value(shape).unwrap_or_default();
        format!("shape         {}", shape.as_str().unwrap_or_default())
    }));
    lines.extend([
        format!("capabilities  {}", list(&found.capabilities)),
        format!("contract      {}", found.contract),
        format!(
            "imports       {}",
            printable::escape_line(&list(&found.imports))
        ),
        format!(
            "WASI          {}",
            if found.needs_wasi {
                "needed"
            } else {
                "not needed"
            }
        ),
        format!("size          {} bytes", found.size),
        format!("digest        {}", found.digest),
    ]);
    for (field, producers) in &found.producers {
        lines.push(format!(
            "{}  {}",
            pad(&printable::escape_line(field), 12),
            named(producers)
        ));
    }
    for (field, producers) in &found.parts {
        lines.push(format!(
            "parts         {}: {}",
            printable::escape_line(field),
            named(producers)
        ));
    }
    let schema = serde_json::to_string_pretty(&found.config_schema).unwrap_or_default();
    lines.push(String::new());
    lines.push("config schema".to_owned());
    // These lines are safe to print: JSON escapes the line breaks in its texts.
    lines.extend(schema.lines().map(str::to_owned));
    lines
}

fn named(producers: &BTreeMap<String, String>) -> String {
    let named: Vec<String> = producers
        .iter()
        .map(|(name, version)| printable::escape_line(format!("{name} {version}").trim_end()))
        .collect();
    named.join(", ")
}
