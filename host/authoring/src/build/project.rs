//! The kind of plugin that a folder makes, as its manifest says.
//!
//! Python and JavaScript need to know the world before they run the code: `kind` is in `[tool.synix]` of
//! `pyproject.toml`, or in `synix` of `package.json`. In Rust the code says it, and in C and Go there are only
//! transforms.

use std::path::Path;

use serde_json::Value;

use super::BuildError;
use crate::{Language, PluginKind};

/// Returns the kind that the manifest states, or a transform if it states none.
pub(super) fn stated_kind(language: Language, folder: &Path) -> Result<PluginKind, BuildError> {
    let (file, key) = match language {
        Language::Python => ("pyproject.toml", "tool.synix.kind"),
        Language::Js | Language::Ts => ("package.json", "synix.kind"),
        Language::Rust | Language::C | Language::Go => return Ok(PluginKind::Transform),
    };
    let path = folder.join(file);
    let invalid = |why: String| BuildError::InvalidFile {
        path: path.clone(),
        why,
    };
    let bytes = synix_disk::read(&path)?;
    let manifest = match language {
        Language::Python => String::from_utf8(bytes)
            .map_err(|error| error.to_string())
            .and_then(|text| toml::from_str(&text).map_err(|error| error.to_string())),
        Language::Js | Language::Ts | Language::Rust | Language::C | Language::Go => {
            serde_json::from_slice(&bytes).map_err(|error| error.to_string())
        }
    };
    let manifest: Value = manifest.map_err(invalid)?;
    let kind = key.split('.').try_fold(&manifest, |at, name| at.get(name));
    let Some(kind) = kind else {
        return Ok(PluginKind::default());
    };
    let known = kind.as_str().and_then(|name| name.parse().ok());
    known.ok_or_else(|| {
        invalid(format!(
            "`{key}` is {kind}; it must be \"transform\" or \"reader\""
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stated(language: Language, file: &str, text: &str) -> Result<PluginKind, String> {
        let folder = tempfile::tempdir().unwrap();
        synix_disk::replace(&folder.path().join(file), text.as_bytes()).unwrap();
        stated_kind(language, folder.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_manifest_states_the_kind_or_means_a_transform() {
        for (language, file, text, kind) in [
            (
                Language::Python,
                "pyproject.toml",
                "[tool.synix]\nkind = \"reader\"\n",
                PluginKind::Reader,
            ),
            (
                Language::Python,
                "pyproject.toml",
                "[project]\nname = \"a\"\n",
                PluginKind::Transform,
            ),
            (
                Language::Js,
                "package.json",
                r#"{"synix": {"kind": "reader"}}"#,
                PluginKind::Reader,
            ),
            (
                Language::Ts,
                "package.json",
                r#"{"synix": {"kind": "transform"}}"#,
                PluginKind::Transform,
            ),
            (Language::Js, "package.json", "{}", PluginKind::Transform),
        ] {
            assert_eq!(stated(language, file, text), Ok(kind), "{text}");
        }
    }

    #[test]
    fn an_unknown_kind_is_an_error_with_the_known_ones() {
        let error = stated(
            Language::Js,
            "package.json",
            r#"{"synix": {"kind": "readr"}}"#,
        )
        .unwrap_err();
        assert!(
            error.ends_with(
                r#"package.json: `synix.kind` is "readr"; it must be "transform" or "reader""#
            ),
            "{error}"
        );
        let error = stated(Language::Python, "pyproject.toml", "[tool").unwrap_err();
        assert!(error.contains("pyproject.toml: "), "{error}");
    }
}
