//! Python: componentize-py combines the interpreter, the SDK and the plugin in one component.

use super::{BuildContext, BuildError, PluginKind, Tool};

const COMPONENTIZE: Tool = Tool {
    name: "componentize-py",
    get: "pip install componentize-py==0.25.1",
};

const ENTRY_NAME: &str = "synix_entry";

/// Returns the entry module of componentize-py, which connects the plugin with the generated bindings.
///
/// The plugin is under the name of its kind. If the name is missing, the SDK says so, without a trace of this module.
fn entry(kind: PluginKind) -> String {
    let connector = match kind {
        PluginKind::Transform => "component",
        PluginKind::Reader => "component_reader",
    };
    format!(
        "import plugin\nfrom synix_plugin.{connector} import exports\n\nWitWorld = exports(getattr(plugin, \"{kind}\", None))\n"
    )
}

pub(super) fn component(
    context: &BuildContext<'_>,
    kind: PluginKind,
) -> Result<Vec<u8>, BuildError> {
    let plugin = context.folder.join("plugin.py");
    if !plugin.is_file() {
        return Err(BuildError::NoFile {
            path: plugin,
            why: match kind {
                PluginKind::Transform => "it defines the transform, with the name `transform`",
                PluginKind::Reader => "it defines the reader, with the name `reader`",
            },
        });
    }
    let modules = context.scratch.join("modules");
    synix_disk::create_folder(&modules)?;
    synix_disk::replace(
        &modules.join(format!("{ENTRY_NAME}.py")),
        entry(kind).as_bytes(),
    )?;
    let output = context.scratch.join("plugin.wasm");
    let tools = context.tools;
    let mut command = tools.command(COMPONENTIZE, &context.scratch)?;
    command.arg("-d").arg(&context.wit);
    command.args(["-w", kind.name(), "componentize", ENTRY_NAME]);
    for folder in [&modules, &context.folder, &context.folder.join("sdk")] {
        command.arg("-p").arg(folder);
    }
    command.arg("-o").arg(&output);
    tools.run(&mut command)?;
    Ok(synix_disk::read(&output)?)
}
