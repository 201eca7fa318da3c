//! The config of transforms that ask one templated question, and the question it makes.
//!
//! Which variables the templates can name is for the transform.

use minijinja::value::Value;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Map;
use serde_json::value::RawValue;

use crate::outputs::{Explode, Fields, Form, no_json};
use crate::template::Template;
use crate::{Error, Output, Request, complete};

/// What a layer sets.
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

const KEYS: [&str; 15] = [
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

/// The same with what a transform has of its own beside it, in one table.
#[derive(Debug, Deserialize)]
#[serde(
    try_from = "Map<String, serde_json::Value>",
    bound = "O: DeserializeOwned"
)]
pub struct Beside<O> {
    /// What is set of the question.
    pub prompt: Config,
    /// All other settings.
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

/// What the schema says that differs from transform to transform.
#[derive(Debug, Clone, Copy)]
pub struct Wording {
    /// What templates can name, such as `{{ content }}`.
    pub variables: &'static str,
    /// The label where none is set; without one it is required.
    pub default_label: Option<&'static str>,
}

/// Returns the JSON Schema of [`Config`].
pub fn schema(wording: Wording) -> String {
    let (label, required) = match wording.default_label {
        Some(label) => (format!(", \"default\": \"{label}\""), ""),
        None => (String::new(), "\"label\""),
    };
    include_str!("prompt.schema.json")
        .replace("@variables@", wording.variables)
        .replace("@default_label@", &label)
        .replace("@required@", required)
}

impl Config {
    /// Renders the question, asks it, and returns the answer's text.
    ///
    /// With a response format the answer must be JSON.
    pub fn ask(&self, variables: &Value) -> Result<String, Error> {
        let answer = complete(&self.request(variables)?)?.text;
        if self.response_format.is_some() {
            serde_json::from_str::<IgnoredAny>(&answer)
                .map_err(|error| no_json(&answer, &error))?;
        }
        Ok(answer)
    }

    /// Refuses settings for the answer that cannot work, before a question is paid for.
    ///
    /// `own` are the metadata keys that the transform sets itself.
    pub fn check(&self, own: &[&str]) -> Result<(), Error> {
        let is_json = self.response_format.is_some() && self.has_prompt();
        self.form().check(is_json, own)
    }

    /// Asks the question and makes outputs of the answer: one, or one of each element.
    ///
    /// `made` has the label, the kind, and the metadata that the inputs give; `own` is the metadata of the transform,
    /// which wins over all.
    pub fn answer(
        &self,
        made: Output,
        own: &[(&str, serde_json::Value)],
        variables: &Value,
    ) -> Result<Vec<Output>, Error> {
        self.ready(&made.label, own, variables)?;
        let answer = self.ask(variables)?;
        self.outputs(made, own, answer, variables)
    }

    /// Refuses, before a question is paid for, what [`outputs`](Self::outputs) would refuse whatever the answer is.
    pub fn ready(
        &self,
        label: &str,
        own: &[(&str, serde_json::Value)],
        variables: &Value,
    ) -> Result<(), Error> {
        let own: Vec<&str> = own.iter().map(|(key, _)| *key).collect();
        self.check(&own)?;
        self.form().check_label(label)?;
        self.form().check_item_label(variables)
    }

    /// Makes outputs of an answer that is there, as [`answer`](Self::answer) does.
    pub fn outputs(
        &self,
        made: Output,
        own: &[(&str, serde_json::Value)],
        answer: String,
        variables: &Value,
    ) -> Result<Vec<Output>, Error> {
        self.form().outputs(made, own, answer, variables)
    }

    fn form(&self) -> Form<'_> {
        Form {
            fields: self.fields.as_ref(),
            explode: self.explode.as_ref(),
            item_label: self.item_label.as_deref(),
        }
    }

    /// Says whether there is a question.
    pub fn has_prompt(&self) -> bool {
        self.prompt.is_some() || self.prompt_file.is_some()
    }

    /// Returns the label as it stands in the config.
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

    fn request(&self, variables: &Value) -> Result<Request, Error> {
        let mut request = Request::user(self.prompt()?.render(variables)?);
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
                    "one of `prompt` and `prompt_file` is needed, not both".to_owned(),
                ));
            }
        };
        if source.trim().is_empty() {
            return Err(Error::InvalidConfig(format!(
                "`{name}` is empty: there is nothing to ask"
            )));
        }
        Ok(Template { name, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::settings;

    const WORDING: Wording = Wording {
        variables: "`{{ x }}`",
        default_label: Some("{{ label }}"),
    };

    #[test]
    fn the_schema_lists_exactly_the_fields_that_are_read() {
        let schema: serde_json::Value = serde_json::from_str(&schema(WORDING)).unwrap();
        let mut listed: Vec<_> = schema["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        listed.sort();
        assert_eq!(listed, KEYS);
        assert_eq!(settings::<Config>(), KEYS);
    }

    #[test]
    fn own_settings_stand_beside_those_of_the_question() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Own {
            limit: u32,
        }

        let of = serde_json::from_str::<Beside<Own>>;
        let config = of(r#"{"limit": 3, "prompt": "q", "max_tokens": 5}"#).unwrap();
        assert_eq!((config.own.limit, config.prompt.max_tokens), (3, Some(5)));
        let refused = of(r#"{"limit": 3, "promt": "q"}"#).unwrap_err();
        assert!(refused.to_string().contains("`promt`"), "{refused}");
    }

    #[test]
    fn a_label_without_a_default_is_required() {
        let strict: serde_json::Value = serde_json::from_str(&schema(Wording {
            default_label: None,
            ..WORDING
        }))
        .unwrap();
        assert_eq!(strict["required"], serde_json::json!(["label"]));
        let lenient: serde_json::Value = serde_json::from_str(&schema(WORDING)).unwrap();
        assert_eq!(lenient["required"], serde_json::json!([]));
        assert_eq!(lenient["properties"]["label"]["default"], "{{ label }}");
    }

    #[test]
    fn two_prompts_or_none_are_an_invalid_config() {
        for text in ["{}", r#"{"prompt": "a", "prompt_file": "b"}"#] {
            let config: Config = serde_json::from_str(text).unwrap();
            assert!(
                matches!(
                    config.request(&Value::UNDEFINED),
                    Err(Error::InvalidConfig(_))
                ),
                "{text}"
            );
        }
    }

    #[test]
    fn every_setting_reaches_the_request() {
        let config: Config = serde_json::from_str(
            r#"{"prompt": "q", "system": "s", "max_tokens": 5, "temperature": 0.5, "stop": ["."], "model": "cheap",
                "response_format": {"type": "object"}, "options": {"seed": 1}, "sample": 2}"#,
        )
        .unwrap();
        assert_eq!(
            config.request(&Value::UNDEFINED).unwrap(),
            Request::user("q")
                .system("s")
                .max_tokens(5)
                .temperature(0.5)
                .stop(".")
                .model("cheap")
                .response_format(r#"{"type": "object"}"#)
                .options(r#"{"seed": 1}"#)
                .sample(2)
        );
    }
}
