//! JavaScript and TypeScript: esbuild makes one file of the plugin, componentize-qjs puts it beside an interpreter.

use super::source_map::Places;
use super::{BuildError, Tool, Workshop};

const COMPONENTIZE: Tool = Tool {
    name: "componentize-qjs",
    get: "`npm install` in the plugin's folder, or `npm install -g esbuild@0.28.2 componentize-qjs@0.4.5`",
};
const ESBUILD: Tool = Tool {
    name: "esbuild",
    ..COMPONENTIZE
};
/// It comes first, so its way to get them is the one that is told.
const TSC: Tool = Tool {
    name: "tsc",
    get: "`npm install` in the plugin's folder, or `npm install -g typescript@7.0.2 esbuild@0.28.2 componentize-qjs@0.4.5`",
};

/// What the plugin is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// `plugin.js`.
    JavaScript,
    /// `plugin.ts`, whose types are checked first.
    TypeScript,
}

impl Entry {
    const fn file(self) -> &'static str {
        match self {
            Self::JavaScript => "plugin.js",
            Self::TypeScript => "plugin.ts",
        }
    }
}

pub(super) fn component(workshop: &Workshop<'_>, entry: Entry) -> Result<Vec<u8>, BuildError> {
    let plugin = workshop.folder.join(entry.file());
    if !plugin.is_file() {
        return Err(BuildError::NoFile {
            path: plugin,
            why: "it holds the transform, as its default export",
        });
    }
    let tools = workshop.tools;
    let checker = (entry == Entry::TypeScript).then_some(TSC);
    let needed: Vec<Tool> = checker.into_iter().chain([ESBUILD, COMPONENTIZE]).collect();
    tools.need(&needed)?;
    if entry == Entry::TypeScript {
        let mut check = tools.command(TSC, &workshop.folder)?;
        tools.run(check.args(["--noEmit", "-p", "."]))?;
    }
    let component = workshop.folder.join("sdk/component.js");
    let start = workshop.scratch.join("entry.js");
    let joined = format!(
        "import {{ exports }} from {component};\nimport transform from {plugin};\n\
        export const {{ describe, split, execute }} = exports(transform);\n",
        component = quoted(&component)?,
        plugin = quoted(&plugin)?,
    );
    synix_disk::replace(&start, joined.as_bytes())?;
    let bundle = workshop.scratch.join("bundle.js");
    let mut command = tools.command(ESBUILD, &workshop.folder)?;
    command.arg(&start).args([
        "--bundle",
        "--format=esm",
        "--target=es2022",
        "--external:synix:*",
        "--log-level=warning",
        "--sourcemap=external",
        "--sources-content=false",
    ]);
    command.arg(format!("--outfile={}", bundle.display()));
    tools.run(&mut command)?;
    // Links on the way to the scratch folder would make its paths others than the map's.
    let beside = workshop.scratch.canonicalize();
    let beside = beside.as_deref().unwrap_or(&workshop.scratch);
    let map = synix_disk::read(&workshop.scratch.join("bundle.js.map"))?;
    let places = Places::read(&map, beside, &workshop.folder);
    let bundled = String::from_utf8_lossy(&synix_disk::read(&bundle)?).into_owned();
    synix_disk::replace(&bundle, places.in_front_of(&bundled).as_bytes())?;
    let made = workshop.scratch.join("plugin.wasm");
    let mut command = tools.command(COMPONENTIZE, &workshop.scratch)?;
    command.arg("-w").arg(&workshop.wit);
    command.args(["-n", "transform", "--sync", "-j"]);
    command.arg(&bundle).arg("-o").arg(&made);
    // The plugin's outermost statements run here, and may fail.
    tools
        .run(&mut command)
        .map_err(|error| error.quoting(|output| *output = places.rewrite(output)))?;
    Ok(synix_disk::read(&made)?)
}

/// A path as a JavaScript string.
fn quoted(path: &std::path::Path) -> Result<String, BuildError> {
    let text = path.to_str().ok_or_else(|| BuildError::Wrong {
        path: path.to_owned(),
        why: "the path is not UTF-8, and no module can be imported by it".to_owned(),
    })?;
    Ok(serde_json::Value::from(text).to_string())
}
