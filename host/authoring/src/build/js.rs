//! JavaScript and TypeScript: esbuild bundles the plugin, and componentize-qjs combines it with an interpreter.

use super::js_borrow;
use super::source_map::LineTable;
use super::{BuildContext, BuildError, PluginKind, Tool};

const COMPONENTIZE: Tool = Tool {
    name: "componentize-qjs",
    get: "`npm install` in the plugin's folder, or `npm install -g esbuild@0.28.2 componentize-qjs@0.4.5`",
};
const ESBUILD: Tool = Tool {
    name: "esbuild",
    ..COMPONENTIZE
};
/// The first tool to be checked, so its instructions name all tools.
const TSC: Tool = Tool {
    name: "tsc",
    get: "`npm install` in the plugin's folder, or `npm install -g typescript@7.0.2 esbuild@0.28.2 componentize-qjs@0.4.5`",
};

/// The entry file of the plugin.
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

/// The SDK's module that connects a plugin with the bindings, and the functions of the world.
const fn connection(kind: PluginKind) -> (&'static str, &'static str) {
    match kind {
        PluginKind::Transform => ("sdk/component.js", "describe, split, execute"),
        PluginKind::Reader => ("sdk/component-reader.js", "describe, read"),
    }
}

pub(super) fn component(
    context: &BuildContext<'_>,
    entry: Entry,
    kind: PluginKind,
) -> Result<Vec<u8>, BuildError> {
    let plugin = context.folder.join(entry.file());
    if !plugin.is_file() {
        return Err(BuildError::NoFile {
            path: plugin,
            why: "it exports the plugin as its default export",
        });
    }
    let tools = context.tools;
    let checker = (entry == Entry::TypeScript).then_some(TSC);
    let needed: Vec<Tool> = checker.into_iter().chain([ESBUILD, COMPONENTIZE]).collect();
    tools.require(&needed)?;
    if entry == Entry::TypeScript {
        let mut check = tools.command(TSC, &context.folder)?;
        tools.run(check.args(["--noEmit", "-p", "."]))?;
    }
    let (connector, functions) = connection(kind);
    let component = context.folder.join(connector);
    let start = context.scratch.join("entry.js");
    let joined = format!(
        "import {{ exports }} from {component};\nimport plugin from {plugin};\n\
        export const {{ {functions} }} = exports(plugin);\n",
        component = quoted(&component)?,
        plugin = quoted(&plugin)?,
    );
    synix_disk::replace(&start, joined.as_bytes())?;
    let bundle = context.scratch.join("bundle.js");
    let mut command = tools.command(ESBUILD, &context.folder)?;
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
    // The source map has paths without symbolic links.
    let bundle_folder = context.scratch.canonicalize();
    let bundle_folder = bundle_folder.as_deref().unwrap_or(&context.scratch);
    let map = synix_disk::read(&context.scratch.join("bundle.js.map"))?;
    let table = LineTable::read(&map, bundle_folder, &context.folder);
    let bundled = String::from_utf8_lossy(&synix_disk::read(&bundle)?).into_owned();
    synix_disk::replace(&bundle, table.prepend_to(&bundled).as_bytes())?;
    let output = context.scratch.join("plugin.wasm");
    let mut command = tools.command(COMPONENTIZE, &context.scratch)?;
    command.arg("-w").arg(&context.wit);
    command.args(["-n", kind.name(), "--sync", "-j"]);
    command.arg(&bundle).arg("-o").arg(&output);
    // The top-level statements of the plugin run here, and may fail.
    tools
        .run(&mut command)
        .map_err(|error| error.map_output(|output| *output = table.translate(output)))?;
    let component = synix_disk::read(&output)?;
    match kind {
        PluginKind::Transform => Ok(component),
        PluginKind::Reader => js_borrow::drop_within_call(&component),
    }
}

/// Writes a path as a JavaScript string.
fn quoted(path: &std::path::Path) -> Result<String, BuildError> {
    let text = path.to_str().ok_or_else(|| BuildError::InvalidFile {
        path: path.to_owned(),
        why: "the path is not UTF-8, so JavaScript cannot import it; move the plugin".to_owned(),
    })?;
    Ok(serde_json::Value::from(text).to_string())
}
