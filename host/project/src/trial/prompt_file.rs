//! The argument `LAYER=PATH`: a prompt in a file of the user.

use std::path::Path;

use synix_manifest::LayerPrompt;

use crate::ProjectError;
use crate::environment::Environment;

/// The maximum size of a prompt in bytes.
const MAX_PROMPT_BYTES: u64 = 4 << 20;

/// Reads the prompt that an argument `LAYER=PATH` names. The path is relative to the current folder of the command.
pub fn read_prompt(environment: &Environment, argument: &str) -> Result<LayerPrompt, ProjectError> {
    let usage = |problem: &str| {
        ProjectError::Usage(format!(
            "--prompt-file {argument:?} {problem}; write LAYER=PATH, as in facts=prompts/shorter.md"
        ))
    };
    let (layer, path) = argument
        .split_once('=')
        .ok_or_else(|| usage("has no `=`"))?;
    if layer.is_empty() || path.is_empty() {
        return Err(usage("is incomplete"));
    }
    let path = environment.resolve(Path::new(path));
    let bytes = synix_disk::read_limited(&path, MAX_PROMPT_BYTES)?;
    let text = String::from_utf8(bytes).map_err(|error| ProjectError::NotText {
        offset: error.utf8_error().valid_up_to(),
        path: path.clone(),
    })?;
    // Editors of Windows write a mark, which a file of the project would also lose.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
    if text.trim().is_empty() {
        return Err(ProjectError::Usage(format!(
            "the prompt in {} is empty",
            path.display()
        )));
    }
    Ok(LayerPrompt {
        layer: layer.to_owned(),
        text,
    })
}
