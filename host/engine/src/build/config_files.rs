//! Reads the files that a layer's config names.

use std::collections::BTreeMap;

use synix_core::digest::Digest;
use synix_core::fingerprint::FilePart;
use synix_manifest::{FileValue, Layer, PluginRef, PromptFile};
use synix_sources::{HiddenFiles, ProjectFolder, SourceError, SourceProblems};

/// The maximum size of all files that a config names.
const MAX_BYTES: u64 = 64 << 20;

/// The pointer to the path of the prompt of a layer in its config.
const PROMPT_FILE: &str = "/prompt_file";

/// The files that a config names, each by its pointer in the config.
#[derive(Debug, Default)]
pub(super) struct ConfigFiles {
    /// The path and digest of each file, for the fingerprint.
    pub(super) parts: BTreeMap<String, FilePart>,
    pub(super) paths: BTreeMap<String, String>,
    pub(super) texts: Vec<(String, String)>,
    /// An empty text for each file, for a config without them.
    pub(super) blanks: Vec<(String, String)>,
}

impl ConfigFiles {
    /// Reads the files in `values`. Adds an error to `problems` for each file that cannot be used.
    ///
    /// In a trial, the prompt of the layer may replace the text of its file.
    pub(super) fn read(
        folder: &ProjectFolder,
        (layer, prompt): (&Layer, Option<&PromptFile>),
        values: Vec<FileValue>,
        problems: &mut SourceProblems,
    ) -> Self {
        let hidden = HiddenFiles::allowed_if(layer.allow_hidden());
        let transform = layer.transform().map(|transform| &transform.transform);
        let has_prompts = matches!(transform, Some(PluginRef::FirstParty(_)));
        let mut files = Self::default();
        let mut bytes = 0_u64;
        for value in values {
            let replaced = prompt
                .filter(|prompt| value.pointer == PROMPT_FILE && prompt.path == value.path)
                .map(|prompt| prompt.text.clone());
            // A file that cannot be read is an error of the project, also if its text is not used.
            let read = folder.read_text(&value.path, hidden);
            let read = read.map(|text| replaced.unwrap_or(text));
            let text = match read {
                // The files of first-party transforms are prompts; an empty prompt would be sent and billed.
                Ok(text) if has_prompts && text.trim().is_empty() => Err(SourceError::Empty {
                    path: value.path.clone(),
                }),
                read => read,
            };
            let text = match text {
                Ok(text) => text,
                Err(problem) => {
                    problems.push(layer.name.as_str(), problem);
                    continue;
                }
            };
            // A config may name one file many times.
            bytes = bytes.saturating_add(text.len() as u64);
            if bytes > MAX_BYTES {
                let problem = SourceError::TotalTooLarge {
                    path: value.path,
                    limit: MAX_BYTES,
                };
                problems.push(layer.name.as_str(), problem);
                break;
            }
            let part = FilePart {
                path: value.path.clone(),
                digest: Digest::of(text.as_bytes()),
            };
            files.parts.insert(value.pointer.clone(), part);
            files.paths.insert(value.pointer.clone(), value.path);
            files.blanks.push((value.pointer.clone(), String::new()));
            files.texts.push((value.pointer, text));
        }
        files
    }
}
