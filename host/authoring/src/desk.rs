//! One unit at the author's desk: every question and answer, the outputs, the log and the fuel.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use serde::Serialize;
use serde_json::{Map, Value};

use synix_core::artifact::{Artifact, Content};
use synix_core::digest::Digest;
use synix_core::ids::Kind;
use synix_core::json::{self, UnsafeNumber};
use synix_core::request::{Answer, Ask, Ending, Message, Usage};
use synix_disk::DiskError;
use synix_manifest::{file_values, replace_values};
use synix_sandbox::{
    Call, Header, Limits, LogLine, Model, Plugin, PluginError, Run, UnitSpec, Verdict,
};
use synix_schema::Schema;
use synix_sources::{MAX_FILE_BYTES, ProjectFolder, SourceError, SourceFile};

/// Why a unit cannot be put on the desk.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// An input cannot be read.
    #[error("cannot take the input {}", .path.display())]
    Input {
        /// Its path.
        path: PathBuf,
        /// What is wrong.
        source: Box<SourceError>,
    },
    /// A file's name makes no label.
    #[error("the name of {} makes no label", .path.display())]
    Name {
        /// Its path.
        path: PathBuf,
    },
    /// Two inputs have one label.
    #[error("two inputs have the label {0:?}: labels come from file names without extension")]
    SameLabel(String),
    /// Metadata hold a number without a canonical form.
    #[error("the metadata of an input cannot be used")]
    Metadata(#[from] UnsafeNumber),
    /// A file that the config names cannot be read.
    #[error(transparent)]
    File(#[from] DiskError),
    /// A file that the config names is not text.
    #[error("the config names {path}, which is not UTF-8")]
    NotText {
        /// Its path.
        path: String,
    },
    /// The config does not fit the plugin's schema.
    #[error("the config does not fit the plugin's schema: {0}")]
    Config(String),
    /// The plugin cannot divide the inputs.
    #[error("the inputs cannot be divided into units")]
    Split(#[source] Box<PluginError>),
    /// There is more than one unit.
    #[error("the inputs make {} units; choose one with --unit: {}", .0.len(), .0.join(", "))]
    Several(Vec<String>),
    /// There is no such unit.
    #[error("there is no unit {wanted:?}: {}", .known.join(", "))]
    NoUnit {
        /// The key asked for.
        wanted: String,
        /// The keys there are.
        known: Vec<String>,
    },
}

/// What the model answers at the desk.
#[derive(Debug, Clone)]
pub enum Replies {
    /// Nothing: the run ends at the first question.
    None,
    /// The same to every question.
    Always(String),
    /// These, one after the other, until none is left.
    InOrder(Vec<String>),
}

impl Replies {
    fn get(&self, position: usize) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Always(text) => Some(text),
            Self::InOrder(texts) => texts.get(position).map(String::as_str),
        }
    }
}

/// A question as it would be sent, and what was answered.
#[derive(Debug, Serialize)]
pub struct Exchange {
    /// The conversation.
    pub messages: Vec<Message>,
    /// The longest answer in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// How freely the model draws.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// The answer ends before any of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// What the answer must match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_format: Option<Value>,
    /// The model role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Which draw.
    #[serde(skip_serializing_if = "is_zero")]
    pub sample: u32,
    /// Merged into the provider's request.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub options: Map<String, Value>,
    /// The answer; `None`: not known.
    pub answer: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// An output or what stands for its bytes.
#[derive(Debug, Serialize)]
pub struct Made {
    /// Its label.
    pub label: String,
    /// Its kind.
    pub kind: String,
    /// Its media type; `None`: text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The text; `None` where it is not text.
    pub content: Option<String>,
    /// Its size in bytes.
    pub bytes: usize,
    /// Its metadata.
    pub metadata: Map<String, Value>,
}

/// How a run at the desk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// The unit is done.
    Done,
    /// An answer is not known.
    Waiting,
    /// The unit failed.
    Failed,
}

/// A run at the desk.
#[derive(Debug, Serialize)]
pub struct Record {
    /// The plugin.
    pub plugin: String,
    /// The unit's key.
    pub unit: String,
    /// How it ended.
    pub status: Standing,
    /// The questions in the order asked.
    pub requests: Vec<Exchange>,
    /// What it made.
    pub outputs: Vec<Made>,
    /// What it logged: level and text.
    pub log: Vec<(String, String)>,
    /// Instructions it took, roughly.
    pub fuel: u64,
    /// Why it failed.
    pub error: Option<String>,
}

/// Reads inputs as a source layer would: label from the file's name, metadata from its front matter.
pub fn inputs(paths: &[PathBuf]) -> Result<Vec<Artifact>, DeskError> {
    let mut artifacts = Vec::new();
    for path in paths {
        artifacts.push(input(path)?);
    }
    artifacts.sort_by(|left: &Artifact, right| left.label.cmp(&right.label));
    for pair in artifacts.windows(2) {
        if let [left, right] = pair
            && left.label == right.label
        {
            return Err(DeskError::SameLabel(left.label.to_string()));
        }
    }
    Ok(artifacts)
}

fn input(path: &Path) -> Result<Artifact, DeskError> {
    let unnamed = || DeskError::Name {
        path: path.to_owned(),
    };
    let wrong = |source| DeskError::Input {
        path: path.to_owned(),
        source: Box::new(source),
    };
    let name = path.file_name().and_then(|name| name.to_str());
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let folder = ProjectFolder::open(folder).map_err(wrong)?;
    let file = SourceFile {
        path: name.ok_or_else(unnamed)?.to_owned(),
        label: synix_core::ids::Label::parse(stem.ok_or_else(unnamed)?).map_err(|_| unnamed())?,
    };
    let kind = Kind::parse("source").map_err(|_| unnamed())?;
    let content = folder.read_source(&file).map_err(wrong)?;
    folder.artifact(&file, &kind, &content).map_err(wrong)
}

/// Checks a config against the plugin's schema and reads the files it names, relative to `folder`.
pub fn config(
    plugin: &Plugin,
    config: &Map<String, Value>,
    folder: &Path,
) -> Result<Map<String, Value>, DeskError> {
    let schema = &plugin.descriptor().config_schema;
    let ready = Schema::new(schema).map_err(|error| DeskError::Config(chain(&error)))?;
    let whole = Value::Object(config.clone());
    let told = ready.errors(&whole, |error| match error.instance_path().as_str() {
        "" => error.to_string(),
        place => format!("`{}`: {error}", place.trim_start_matches('/')),
    });
    let wrong = told.map_err(|error| DeskError::Config(error.to_string()))?;
    if !wrong.is_empty() {
        return Err(DeskError::Config(wrong.join("; ")));
    }
    json::canonical(&whole).map_err(|error| DeskError::Config(error.to_string()))?;
    let mut texts = Vec::new();
    for value in file_values(schema, config) {
        let bytes = synix_disk::read_at_most(&folder.join(&value.path), MAX_FILE_BYTES)?;
        let text = String::from_utf8(bytes).map_err(|_| DeskError::NotText { path: value.path })?;
        texts.push((value.pointer, text));
    }
    let mut config = config.clone();
    replace_values(&mut config, &texts);
    Ok(config)
}

/// Runs the unit `wanted`, or the only one that the inputs make; `seen` is told of each question when it is asked.
pub fn run(
    plugin: &Plugin,
    config: &Map<String, Value>,
    inputs: &[Artifact],
    wanted: Option<&str>,
    replies: &Replies,
    seen: &mut dyn FnMut(usize, &Exchange),
) -> Result<Record, DeskError> {
    let limits = Limits::default();
    let mut digested = Vec::new();
    for artifact in inputs {
        digested.push((artifact.clone(), artifact.digest()?));
    }
    let text = json::object(config.clone());
    let units = plugin
        .split(&headers(&digested), &text, &limits)
        .map_err(|error| DeskError::Split(Box::new(error)))?;
    let unit = choose(units, wanted)?;
    let own: Vec<(Artifact, Digest)> = unit
        .inputs
        .iter()
        .filter_map(|&position| digested.get(usize::try_from(position).ok()?).cloned())
        .collect();
    let mut merged = config.clone();
    merged.extend(unit.config.clone().unwrap_or_default());
    let text = json::object(merged);
    let call = Call {
        unit: &unit,
        inputs: &own,
        config: &text,
        limits: &limits,
        grants_llm: true,
    };
    let (asked, exchanges) = mpsc::channel();
    let person = Person {
        replies: replies.clone(),
        count: 0,
        asked,
    };
    let mut requests = Vec::new();
    let executed = thread::scope(|scope| {
        // Not here: a run that does not end shows how far it came.
        let run = scope.spawn(|| {
            let executed = plugin.execute(&call, person);
            (executed.run, executed.fuel)
        });
        for exchange in exchanges {
            seen(requests.len(), &exchange);
            requests.push(exchange);
        }
        run.join()
    });
    let (run, fuel) = executed.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let (status, outputs, log, error) = match run {
        Ok(Run::Done { outputs, log }) => (Standing::Done, outputs, log, None),
        Ok(Run::Suspended) => (Standing::Waiting, Vec::new(), Vec::new(), None),
        Err(mut error) => {
            let log = std::mem::take(&mut error.log);
            (Standing::Failed, Vec::new(), log, Some(chain(&error)))
        }
    };
    Ok(Record {
        plugin: plugin.descriptor().name.clone(),
        unit: unit.key.to_string(),
        status,
        requests,
        outputs: outputs.into_iter().map(made).collect(),
        log: log.into_iter().map(line).collect(),
        fuel,
        error,
    })
}

fn choose(units: Vec<UnitSpec>, wanted: Option<&str>) -> Result<UnitSpec, DeskError> {
    let known: Vec<String> = units.iter().map(|unit| unit.key.to_string()).collect();
    let count = units.len();
    let mut fitting = units
        .into_iter()
        .filter(|unit| wanted.is_none_or(|wanted| unit.key.as_str() == wanted));
    match (fitting.next(), wanted) {
        (Some(unit), Some(_)) => Ok(unit),
        (Some(unit), None) if count == 1 => Ok(unit),
        (Some(_), None) => Err(DeskError::Several(known)),
        (None, wanted) => Err(DeskError::NoUnit {
            wanted: wanted.unwrap_or_default().to_owned(),
            known,
        }),
    }
}

fn headers(inputs: &[(Artifact, Digest)]) -> Vec<Header> {
    let header = |(artifact, digest): &(Artifact, Digest)| Header {
        label: artifact.label.clone(),
        kind: artifact.kind.clone(),
        digest: *digest,
        metadata: artifact.metadata.clone(),
    };
    inputs.iter().map(header).collect()
}

fn made(artifact: Artifact) -> Made {
    Made {
        label: artifact.label.to_string(),
        kind: artifact.kind.to_string(),
        media_type: artifact.content.media_type().map(str::to_owned),
        bytes: artifact.content.as_bytes().len(),
        content: match artifact.content {
            Content::Text(text) => Some(text),
            Content::Bytes { .. } => None,
        },
        metadata: artifact.metadata.into_iter().collect(),
    }
}

fn line(line: LogLine) -> (String, String) {
    (line.level.to_string(), line.message)
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(&format!(": {error}"));
        cause = error.source();
    }
    words
}

/// The author in the model's place.
struct Person {
    replies: Replies,
    /// How many questions were asked.
    count: usize,
    asked: mpsc::Sender<Exchange>,
}

impl Model for Person {
    fn complete(&mut self, asked: Vec<Ask>) -> Verdict {
        let mut answers = Vec::with_capacity(asked.len());
        let count = asked.len();
        for ask in asked {
            let answer = self.replies.get(self.count).map(str::to_owned);
            answers.extend(answer.clone().map(|text| Answer {
                text,
                ending: Ending::Complete,
                model: "desk".to_owned(),
                usage: Usage::default(),
                details: Map::new(),
            }));
            let exchange = Exchange {
                messages: ask.messages,
                max_tokens: ask.max_tokens,
                temperature: ask.temperature,
                stop: ask.stop,
                response_format: ask.response_format,
                model: ask.model,
                sample: ask.sample,
                options: ask.options,
                answer,
            };
            self.count += 1;
            // The receiver lives until the run has ended.
            let _ = self.asked.send(exchange);
        }
        if answers.len() == count {
            Verdict::Answered(answers)
        } else {
            Verdict::Suspend
        }
    }
}
