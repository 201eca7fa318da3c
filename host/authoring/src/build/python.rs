//! Python: componentize-py puts the interpreter, the SDK and the plugin into one component.

use super::{BuildError, Tool, Workshop};

const COMPONENTIZE: Tool = Tool {
    name: "componentize-py",
    get: "pip install componentize-py==0.25.1",
};

/// The module that componentize-py starts from: it joins the plugin and the generated bindings.
const ENTRY: &str = "import plugin\nfrom synix_plugin.component import exports\n\nWitWorld = exports(plugin.transform)\n";
const ENTRY_NAME: &str = "synix_entry";

pub(super) fn component(workshop: &Workshop<'_>) -> Result<Vec<u8>, BuildError> {
    let plugin = workshop.folder.join("plugin.py");
    if !plugin.is_file() {
        return Err(BuildError::NoFile {
            path: plugin,
            why: "it holds the transform, under the name `transform`",
        });
    }
    let modules = workshop.scratch.join("modules");
    synix_disk::create_folder(&modules)?;
    synix_disk::replace(&modules.join(format!("{ENTRY_NAME}.py")), ENTRY.as_bytes())?;
    let made = workshop.scratch.join("plugin.wasm");
    let tools = workshop.tools;
    let mut command = tools.command(COMPONENTIZE, &workshop.scratch)?;
    command.arg("-d").arg(&workshop.wit);
    command.args(["-w", "transform", "componentize", ENTRY_NAME]);
    for folder in [&modules, &workshop.folder, &workshop.folder.join("sdk")] {
        command.arg("-p").arg(folder);
    }
    command.arg("-o").arg(&made);
    tools.run(&mut command)?;
    Ok(synix_disk::read(&made)?)
}
