//! Reads the inputs and the config of a unit.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::UnitRunError;
use synix_core::artifact::Artifact;
use synix_core::causes::with_causes;
use synix_core::ids::{Kind, Label};
use synix_core::json;
use synix_manifest::{file_values, replace_values};
use synix_schema::Schema;
use synix_sources::{MAX_FILE_BYTES, ProjectFolder, SourceFile};

/// Reads inputs as a source layer does: the label from the file name, the metadata from the front matter.
pub fn read_inputs(paths: &[PathBuf]) -> Result<Vec<Artifact>, UnitRunError> {
    let mut artifacts = Vec::new();
    for path in paths {
        artifacts.push(read_input(path)?);
    }
    artifacts.sort_by(|left: &Artifact, right| left.label.cmp(&right.label));
    for pair in artifacts.windows(2) {
        if let [left, right] = pair
            && left.label == right.label
        {
            return Err(UnitRunError::SameLabel(left.label.to_string()));
        }
    }
    Ok(artifacts)
}

fn read_input(path: &Path) -> Result<Artifact, UnitRunError> {
    let invalid_name = || UnitRunError::Name {
        path: path.to_owned(),
    };
    let unreadable = |source| UnitRunError::Input {
        path: path.to_owned(),
        source: Box::new(source),
    };
    let name = path.file_name().and_then(|name| name.to_str());
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let folder = ProjectFolder::open(folder).map_err(unreadable)?;
    let file = SourceFile {
        path: name.ok_or_else(invalid_name)?.to_owned(),
        label: Label::parse(stem.ok_or_else(invalid_name)?).map_err(|_| invalid_name())?,
        stamp: None,
    };
    let kind = Kind::parse("source").map_err(|_| invalid_name())?;
    let content = folder.read_source(&file).map_err(unreadable)?;
    folder.artifact(&file, &kind, &content).map_err(unreadable)
}

/// Checks a config against a plugin's schema, and reads the files that it names, relative to `folder`.
pub fn prepare_config(
    schema: &Value,
    config: &Map<String, Value>,
    folder: &Path,
) -> Result<Map<String, Value>, UnitRunError> {
    let validator =
        Schema::compile(schema).map_err(|error| UnitRunError::Config(with_causes(&error)))?;
    let document = Value::Object(config.clone());
    let errors = validator.errors(&document, |error| match error.instance_path().as_str() {
        "" => error.to_string(),
        pointer => format!("`{}`: {error}", pointer.trim_start_matches('/')),
    });
    let errors = errors.map_err(|error| UnitRunError::Config(error.to_string()))?;
    if !errors.is_empty() {
        return Err(UnitRunError::Config(errors.join("; ")));
    }
    json::canonical(&document).map_err(|error| UnitRunError::Config(error.to_string()))?;
    let mut texts = Vec::new();
    for value in file_values(schema, config) {
        let bytes = synix_disk::read_limited(&folder.join(&value.path), MAX_FILE_BYTES)?;
        let text =
            String::from_utf8(bytes).map_err(|_| UnitRunError::NotText { path: value.path })?;
        texts.push((value.pointer, text));
    }
    let mut config = config.clone();
    replace_values(&mut config, &texts);
    Ok(config)
}
