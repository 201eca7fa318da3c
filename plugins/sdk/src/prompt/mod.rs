//! The config of transforms with one templated request, and the request itself.
//!
//! The transform decides which variables the templates can name.

mod question;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Map;
use serde_json::value::RawValue;

use crate::outputs::{Explode, Fields, OutputSettings, not_json};
use crate::template::Template;
use crate::{Error, Output, Request, complete};

pub use question::Question;

/// The settings of the request and its answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    system: Option<String>,
    prompt: Option<String>,
    prompt_file: Option<String>,
    label: Option<String>,
    kind: Option<String>,
    max_tokens: Option<u32>,
    temperature: Option<f64>,
    #[serde(default)]
    attach: bool,
    #[serde(default)]
    stop: Vec<String>,
    response_format: Option<Box<RawValue>>,
    fields: Option<Fields>,
    explode: Option<Explode>,
    item_label: Option<String>,
    model: Option<String>,
    options: Option<Box<RawValue>>,
    #[serde(default)]
    sample: u32,
}

const KEYS: [&str; 16] = [
    "attach",
    "explode",
    "fields",
    "item_label",
    "kind",
    "label",
    "max_tokens",
    "model",
    "options",
    "prompt",
    "prompt_file",
    "response_format",
    "sample",
    "stop",
    "system",
    "temperature",
];

/// The settings of [`Config`] and those of a transform, in one table.
#[derive(Debug, Deserialize)]
#[serde(
    try_from = "Map<String, serde_json::Value>",
    bound = "O: DeserializeOwned"
)]
pub struct Beside<O> {
    /// The settings of the request.
    pub prompt: Config,
    /// The settings of the transform.
    pub own: O,
}

impl<O: DeserializeOwned> TryFrom<Map<String, serde_json::Value>> for Beside<O> {
    type Error = serde_json::Error;

    fn try_from(mut own: Map<String, serde_json::Value>) -> Result<Self, Self::Error> {
        let prompt: Map<String, serde_json::Value> = KEYS
            .iter()
            .filter_map(|key| own.remove_entry(*key))
            .collect();
        Ok(Self {
            prompt: serde_json::from_value(prompt.into())?,
            own: serde_json::from_value(own.into())?,
        })
    }
}

/// The parts of the schema that differ between transforms.
#[derive(Debug, Clone, Copy)]
pub struct Wording {
    /// The variables of templates, such as `{{ content }}`.
    pub variables: &'static str,
    /// The default label; without one, the label is required.
    pub default_label: Option<&'static str>,
}

/// Returns the JSON Schema of [`Config`].
pub fn schema(wording: Wording) -> String {
    let (label, required) = match wording.default_label {
        Some(label) => (format!(", \"default\": \"{label}\""), ""),
        None => (String::new(), "\"label\""),
    };
    include_str!("../prompt.schema.json")
        .replace("@variables@", wording.variables)
        .replace("@default_label@", &label)
        .replace("@required@", required)
}

impl Config {
    /// Renders the request, sends it and returns the text of the answer.
    ///
    /// With a response format the answer must be JSON.
    pub fn ask(&self, question: &Question<'_>) -> Result<String, Error> {
        let answer = complete(&self.request(question)?)?.text;
        if self.response_format.is_some() {
            serde_json::from_str::<IgnoredAny>(&answer)
                .map_err(|error| not_json(&answer, &error))?;
        }
        Ok(answer)
    }

    /// Refuses invalid settings for the answer, before a request is paid for.
    ///
    /// `own` are the metadata keys that the transform itself sets.
    pub fn check(&self, own: &[&str]) -> Result<(), Error> {
        if self.attach && !self.has_prompt() {
            return Err(Error::InvalidConfig(
                "`attach` needs a prompt: without one, nothing is asked".to_owned(),
            ));
        }
        let is_json = self.response_format.is_some() && self.has_prompt();
        self.output_settings().check(is_json, own)
    }

    /// Sends the request and makes outputs from the answer: one, or one for each element.
    ///
    /// `base` has the label, the kind and the metadata of the inputs. `own` is the metadata of the transform, which takes precedence.
    pub fn answer(
        &self,
        base: Output,
        own: &[(&str, serde_json::Value)],
        question: &Question<'_>,
    ) -> Result<Vec<Output>, Error> {
        self.ready(&base.label, own, question)?;
        let answer = self.ask(question)?;
        self.outputs(base, own, answer, question)
    }

    /// Refuses, before a request is paid for, what [`outputs`](Self::outputs) would refuse for every answer.
    pub fn ready(
        &self,
        label: &str,
        own: &[(&str, serde_json::Value)],
        question: &Question<'_>,
    ) -> Result<(), Error> {
        let own: Vec<&str> = own.iter().map(|(key, _)| *key).collect();
        self.check(&own)?;
        self.output_settings().check_label(label)?;
        self.output_settings().check_item_label(&question.variables)
    }

    /// Makes outputs from an answer, as [`answer`](Self::answer) does.
    pub fn outputs(
        &self,
        base: Output,
        own: &[(&str, serde_json::Value)],
        answer: String,
        question: &Question<'_>,
    ) -> Result<Vec<Output>, Error> {
        self.output_settings()
            .outputs(base, own, answer, &question.variables)
    }

    fn output_settings(&self) -> OutputSettings<'_> {
        OutputSettings {
            fields: self.fields.as_ref(),
            explode: self.explode.as_ref(),
            item_label: self.item_label.as_deref(),
        }
    }

    /// Returns whether there is a prompt.
    pub fn has_prompt(&self) -> bool {
        self.prompt.is_some() || self.prompt_file.is_some()
    }

    /// Returns the template of the label, if there is one.
    pub fn label(&self) -> Option<Template<'_>> {
        self.label.as_deref().map(|source| Template {
            name: "label",
            source,
        })
    }

    /// Returns the kind of the output.
    pub fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or("text")
    }

    /// Returns whether pictures are sent with the question.
    pub const fn attaches(&self) -> bool {
        self.attach
    }

    fn request(&self, question: &Question<'_>) -> Result<Request, Error> {
        let variables = &question.variables;
        let mut request = Request::user(self.prompt()?.render(variables)?);
        for message in &mut request.messages {
            // Models read a picture best before the question about it.
            message.parts.splice(0..0, question.pictures());
        }
        if let Some(source) = &self.system {
            request = request.system(
                Template {
                    name: "system",
                    source,
                }
                .render(variables)?,
            );
        }
        Ok(Request {
            max_tokens: self.max_tokens,
            temperature: self.temperature,
            stop: self.stop.clone(),
            response_format: self
                .response_format
                .as_ref()
                .map(|schema| schema.get().to_owned()),
            model: self.model.clone(),
            sample: self.sample,
            options: self
                .options
                .as_ref()
                .map(|options| options.get().to_owned()),
            ..request
        })
    }

    fn prompt(&self) -> Result<Template<'_>, Error> {
        let (name, source) = match (&self.prompt, &self.prompt_file) {
            (Some(source), None) => ("prompt", source),
            (None, Some(source)) => ("prompt_file", source),
            (Some(_), Some(_)) | (None, None) => {
                return Err(Error::InvalidConfig(
                    "set either `prompt` or `prompt_file`".to_owned(),
                ));
            }
        };
        if source.trim().is_empty() {
            return Err(Error::InvalidConfig(format!("`{name}` is empty")));
        }
        Ok(Template { name, source })
    }
}

#[cfg(test)]
mod tests;
