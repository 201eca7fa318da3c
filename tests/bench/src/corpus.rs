//! Generates a project of many small documents, with a cassette for it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use synix_core::artifact::{Artifact, Content};
use synix_core::digest::Digest;
use synix_core::ids::{Kind, Label};
use synix_core::request::{Answer, Ending, GuestRequest, Request, Usage, Wire};
use synix_providers::Cassette;
use synix_sandbox::{Model, ModelResponse, Plugin, Sandbox};

use crate::{Outcome, floor};

/// The transform of the documents.
pub(crate) struct Transform {
    /// Its reference in the pipeline file.
    name: &'static str,
    component: Vec<u8>,
    /// The config of the layer, as a JSON object and in the form of the pipeline file.
    pub(crate) config: &'static str,
    table: &'static str,
    pub(crate) plugin: Plugin,
}

impl Transform {
    /// The first-party `map`.
    pub(crate) fn map() -> Outcome<Self> {
        let component = std::fs::read(synix_test_components::MAP)?;
        Ok(Self {
            name: "map",
            plugin: Sandbox::new(1, None)?.load("map", &component)?,
            component,
            config: r#"{"prompt":"Sum up in one sentence:\n{{ content }}"}"#,
            table: r#"[layers.summaries.config]
prompt = "Sum up in one sentence:\n{{ content }}""#,
        })
    }

    /// A custom component without config.
    pub(crate) fn custom(component: &[u8]) -> Outcome<Self> {
        Ok(Self {
            name: "./plugin.wasm",
            plugin: Sandbox::new(1, None)?.load("plugin", component)?,
            component: component.to_owned(),
            config: "{}",
            table: "",
        })
    }
}

/// The start of the pipeline file, which is a complete pipeline by itself.
const SOURCES: &str = r#"[pipeline]
name = "corpus"

[models.default]
provider = "openai"
model = "gpt-4o-mini"

[layers.notes]
source = "notes/*.txt"
"#;

/// The pipeline file without its transform.
pub(crate) const SOURCES_FILE: &str = "sources.toml";

/// About 1 KB of text, the size of a daily note.
const SENTENCE: &str =
    "We met at noon, spoke about the plan for the quarter and agreed on what comes next. ";
const SENTENCES: usize = 12;

pub(crate) struct Corpus {
    root: PathBuf,
    units: u32,
}

impl Corpus {
    /// Writes `units` documents, the pipeline and the cassette to `root`.
    pub(crate) fn create(root: &Path, units: u32, transform: &Transform) -> Outcome<Self> {
        let corpus = Self {
            root: root.to_owned(),
            units,
        };
        fs::create_dir_all(root.join("notes"))?;
        let layer = format!(
            "\n[layers.summaries]\ntransform = \"{}\"\ninputs = [\"notes\"]\n{}\n",
            transform.name, transform.table
        );
        write(&root.join("synix.toml"), &format!("{SOURCES}{layer}"))?;
        write(&root.join(SOURCES_FILE), SOURCES)?;
        File::create(root.join("plugin.wasm"))?.write_all(&transform.component)?;
        let mut cassette = Cassette::empty();
        for number in 0..units {
            write(
                &root.join("notes").join(format!("{}.txt", name(number))),
                &text(number),
            )?;
            let notes = RequestRecorder(Vec::new());
            let (_, notes) = floor::execute(transform, &document(number)?, notes)?;
            for ask in notes.0 {
                cassette.insert(request(ask), answer(number))?;
            }
        }
        cassette.save(&root.join("cassettes/corpus.json"))?;
        Ok(corpus)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the documents as artifacts with their digests.
    pub(crate) fn documents(&self) -> Outcome<Vec<(Artifact, Digest)>> {
        (0..self.units).map(document).collect()
    }
}

/// Records the requests and answers none.
struct RequestRecorder(Vec<GuestRequest>);

impl Model for RequestRecorder {
    fn complete(&mut self, asked: Vec<GuestRequest>) -> ModelResponse {
        self.0.extend(asked);
        ModelResponse::Suspend
    }
}

fn request(ask: GuestRequest) -> Request {
    Request {
        kind: synix_core::request::RequestKind::Completion,
        wire: Wire::OpenAi,
        provider: "openai".to_owned(),
        model: "gpt-4o-mini".to_owned(),
        messages: ask.messages,
        max_tokens: ask.max_tokens,
        temperature: ask.temperature,
        stop: ask.stop,
        response_format: ask.response_format,
        options: ask.options,
        sample: ask.sample,
        revision: String::new(),
    }
}

pub(crate) fn answer(number: u32) -> Answer {
    Answer {
        text: format!(
            "In note {number} people meet, speak about the quarter and agree on the next steps."
        ),
        ending: Ending::Complete,
        model: "gpt-4o-mini".to_owned(),
        usage: Usage::default(),
        details: serde_json::Map::new(),
    }
}

fn name(number: u32) -> String {
    format!("note-{number:06}")
}

fn text(number: u32) -> String {
    format!("Note {number}.\n{}\n", SENTENCE.repeat(SENTENCES))
}

fn document(number: u32) -> Outcome<(Artifact, Digest)> {
    let artifact = Artifact {
        label: Label::parse(&name(number))?,
        kind: Kind::parse("text")?,
        content: Content::Text(text(number)),
        metadata: Default::default(),
    };
    let digest = artifact.digest()?;
    Ok((artifact, digest))
}

/// Writes a file without protection against a crash.
pub(crate) fn write(path: &Path, text: &str) -> Outcome<()> {
    Ok(File::create(path)?.write_all(text.as_bytes())?)
}

/// Copies a folder with its contents, except for the state of builds.
pub(crate) fn copy(from: &Path, to: &Path) -> Outcome<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            if entry.file_name() != ".synix" {
                copy(&entry.path(), &target)?;
            }
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
