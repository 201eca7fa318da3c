//! Python: componentize-py combines the interpreter, the SDK and the plugin in one component.

use super::{BuildContext, BuildError, Tool};

const COMPONENTIZE: Tool = Tool {
    name: "componentize-py",
    get: "pip install componentize-py==0.25.1",
};

/// The entry module of componentize-py, which connects the plugin with the generated bindings.
const ENTRY: &str = "import plugin\nfrom synix_plugin.component import exports\n\nWitWorld = exports(plugin.transform)\n";
const ENTRY_NAME: &str = "synix_entry";

pub(super) fn component(context: &BuildContext<'_>) -> Result<Vec<u8>, BuildError> {
    let plugin = context.folder.join("plugin.py");
    if !plugin.is_file() {
        return Err(BuildError::NoFile {
            path: plugin,
            why: "it defines the transform, with the name `transform`",
        });
    }
    let modules = context.scratch.join("modules");
    synix_disk::create_folder(&modules)?;
    synix_disk::replace(&modules.join(format!("{ENTRY_NAME}.py")), ENTRY.as_bytes())?;
    let output = context.scratch.join("plugin.wasm");
    let tools = context.tools;
    let mut command = tools.command(COMPONENTIZE, &context.scratch)?;
    command.arg("-d").arg(&context.wit);
    command.args(["-w", "transform", "componentize", ENTRY_NAME]);
    for folder in [&modules, &context.folder, &context.folder.join("sdk")] {
        command.arg("-p").arg(folder);
    }
    command.arg("-o").arg(&output);
    tools.run(&mut command)?;
    Ok(synix_disk::read(&output)?)
}
