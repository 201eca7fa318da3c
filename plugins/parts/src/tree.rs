//! Asks about parts of many inputs, then about parts of the answers, until one question can take the rest.
//!
//! A part is cut by the labels of its inputs, so a changed input changes the questions on its way up and no others.

use minijinja::value::Value as Variables;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value, json};
use synix_plugin::prompt::{Beside, Config};
use synix_plugin::template::Template;
use synix_plugin::{Content, Error, Header, Input, Output, Request, complete_all};

use crate::boundaries::{self, Element, priority};
use crate::text;
use crate::tokens::estimate;

/// The tokens that a prompt adds to each input, such as a line break and a dash.
const INPUT_TOKENS: usize = 8;
/// The minimum of `max_input_tokens`: the labels of two inputs must fit beside their contents.
const MIN_TOKENS: u32 = 256;
/// The kind of an input that is the answer about a part.
const PART: &str = "part";

/// The settings of parts.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartSettings {
    max_input_tokens: Option<u32>,
    part_prompt: Option<String>,
}

const KEYS: [&str; 2] = ["max_input_tokens", "part_prompt"];

/// The settings of a request, of its parts and of a transform, in one table.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Map<String, Value>", bound = "O: DeserializeOwned")]
pub struct WithParts<O> {
    /// The settings of the last request.
    pub prompt: Config,
    /// The settings of the transform.
    pub own: O,
    parts: PartSettings,
    request: PartRequest,
}

impl<O: DeserializeOwned> TryFrom<Map<String, Value>> for WithParts<O> {
    type Error = serde_json::Error;

    fn try_from(mut all: Map<String, Value>) -> Result<Self, Self::Error> {
        let parts: Map<String, Value> = KEYS
            .iter()
            .filter_map(|key| all.remove_entry(*key))
            .collect();
        let request = serde_json::from_value(all.clone().into());
        let Beside { prompt, own } = Beside::try_from(all)?;
        Ok(Self {
            prompt,
            own,
            parts: serde_json::from_value(parts.into())?,
            request: request?,
        })
    }
}

/// Adds the settings of parts to the JSON Schema of a transform.
pub fn describe(schema: &mut Value) {
    schema["properties"]["max_input_tokens"] = json!({
        "type": "integer", "minimum": MIN_TOKENS, "maximum": u32::MAX,
        "description": "Excludes `attach`. The maximum size of the inputs of one question, by estimate. More than that is asked about in parts, then about the answers."
    });
    schema["properties"]["part_prompt"] = json!({
        "type": "string", "pattern": "\\S",
        "description": "Needs `max_input_tokens`. The question about a part, in place of the prompt: a template over the same variables. Its answer is a text, whatever `response_format` says."
    });
    schema["dependentRequired"]["part_prompt"] = json!(["max_input_tokens"]);
}

/// What the question about a part has of the settings of the last one.
#[derive(Debug, Deserialize)]
struct PartRequest {
    system: Option<String>,
    prompt: Option<String>,
    prompt_file: Option<String>,
    max_tokens: Option<u32>,
    temperature: Option<f64>,
    #[serde(default)]
    stop: Vec<String>,
    response_format: Option<Value>,
    model: Option<String>,
    options: Option<Value>,
    #[serde(default)]
    sample: u32,
}

/// An input of a question.
struct Item {
    input: Input,
    /// Its tokens by estimate.
    size: usize,
    /// Where it is cut: of a part, that of its first input, so that cuts of all levels agree.
    priority: u64,
    /// The labels of the first and the last input that it is about.
    first: String,
    last: String,
    is_answer: bool,
}

impl Item {
    fn new(input: Input, text: &str, priority: u64) -> Self {
        let label = &input.header.label;
        Self {
            size: estimate(text) + overhead(label),
            priority,
            first: label.clone(),
            last: label.clone(),
            is_answer: false,
            input,
        }
    }
}

fn overhead(label: &str) -> usize {
    estimate(label) + INPUT_TOKENS
}

fn total(items: &[Item]) -> usize {
    items.iter().map(|item| item.size).sum()
}

impl<O> WithParts<O> {
    /// Refuses settings of parts that cannot have an effect.
    pub fn check_parts(&self) -> Result<(), Error> {
        let invalid = |text: String| Err(Error::InvalidConfig(text));
        match self.parts.max_input_tokens {
            Some(limit) if limit < MIN_TOKENS => invalid(format!(
                "`max_input_tokens` is {limit}: write at least {MIN_TOKENS}"
            )),
            Some(_) if self.prompt.attaches() => invalid(
                "`attach` and `max_input_tokens` exclude each other: how many tokens a picture takes depends on the model"
                    .to_owned(),
            ),
            Some(_) if !self.prompt.has_prompt() => invalid(
                "`max_input_tokens` needs a prompt: without one, nothing is asked".to_owned(),
            ),
            None if self.parts.part_prompt.is_some() => {
                invalid("`part_prompt` needs `max_input_tokens`".to_owned())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Asks about parts if the inputs are too large for one question, and returns what the last question is about.
    ///
    /// `inputs` are in label order; `variables` makes the variables of the prompt from inputs. `None`: they fit.
    pub fn reduce_parts(
        &self,
        inputs: &[&Input],
        variables: impl Fn(&[&Input]) -> Result<Variables, Error>,
    ) -> Result<Option<Vec<Input>>, Error> {
        self.check_parts()?;
        let Some(limit) = self.parts.max_input_tokens else {
            return Ok(None);
        };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut items = Vec::with_capacity(inputs.len());
        let mut all = 0;
        for input in inputs {
            let text = input.text()?;
            all += estimate(text) + overhead(&input.header.label);
            add_items(input, text, limit, &mut items);
        }
        if all <= limit {
            return Ok(None);
        }
        let mut is_first = true;
        loop {
            let before = total(&items);
            let parts = parts_of(items, limit);
            if is_first {
                self.check_last(&parts, &variables)?;
                is_first = false;
            }
            items = self.ask(parts, &variables)?;
            let after = total(&items);
            if after <= limit {
                return Ok(Some(items.into_iter().map(|item| item.input).collect()));
            }
            // Further questions cost money, and would hardly end.
            if after > before / 10 * 9 {
                return Err(Error::InvalidAnswer(format!(
                    "the answers about parts of {before} tokens have {after} by estimate, and `max_input_tokens` is {limit}: raise it, or ask for shorter answers in `part_prompt`"
                )));
            }
        }
    }

    /// Refuses a prompt that cannot be about the answers, before the first part is paid for.
    fn check_last(
        &self,
        parts: &[Vec<Item>],
        variables: &impl Fn(&[&Input]) -> Result<Variables, Error>,
    ) -> Result<(), Error> {
        // The text of an input stands for that of an answer, so that a prompt that reads JSON can be rendered.
        let stands_for = |part: &Vec<Item>| {
            let text = part.first().map(|item| item.input.text()).transpose()?;
            Ok(answer_about(part, text.unwrap_or_default().to_owned()).input)
        };
        let inputs: Vec<Input> = parts.iter().map(stands_for).collect::<Result<_, Error>>()?;
        let inputs: Vec<&Input> = inputs.iter().collect();
        let rendered = self.request.render(None, &variables(&inputs)?);
        rendered.map(drop).map_err(|error| {
            error.at("the question about the answers of parts, which have the metadata that their inputs share")
        })
    }

    /// Asks about each part in one round. The answer to an earlier question that is alone in its part stays as it is.
    fn ask(
        &self,
        parts: Vec<Vec<Item>>,
        variables: &impl Fn(&[&Input]) -> Result<Variables, Error>,
    ) -> Result<Vec<Item>, Error> {
        let part_prompt = self.parts.part_prompt.as_deref();
        let is_asked = |part: &[Item]| part.len() > 1 || part.iter().any(|item| !item.is_answer);
        let mut requests = Vec::new();
        for part in parts.iter().filter(|part| is_asked(part)) {
            let inputs: Vec<&Input> = part.iter().map(|item| &item.input).collect();
            let request = self.request.request(part_prompt, &variables(&inputs)?);
            requests.push(request.map_err(|error| error.at(&place(part)))?);
        }
        let mut answers = complete_all(&requests)?.into_iter();
        let mut items = Vec::with_capacity(parts.len());
        for mut part in parts {
            if !is_asked(&part) {
                items.append(&mut part);
                continue;
            }
            let answer = answers.next().map(|answer| answer.text).unwrap_or_default();
            if part_prompt.is_none() && self.request.response_format.is_some() {
                serde_json::from_str::<IgnoredAny>(&answer).map_err(|error| {
                    Error::InvalidAnswer(format!("the answer is not JSON: {error}"))
                        .at(&place(&part))
                })?;
            }
            items.push(answer_about(&part, answer));
        }
        Ok(items)
    }
}

/// Adds an input, or its pieces if it alone is too large.
fn add_items(input: &Input, text: &str, limit: usize, items: &mut Vec<Item>) {
    let label = &input.header.label;
    // A long label takes at most half of a piece.
    let limit = limit.saturating_sub(overhead(label)).max(limit / 2);
    if estimate(text) <= limit {
        items.push(Item::new(input.clone(), text, priority(label)));
        return;
    }
    for piece in text::pieces(text, limit) {
        let own = Input {
            header: input.header.clone(),
            content: Content::Text(piece.to_owned()),
        };
        items.push(Item::new(own, piece, priority(piece)));
    }
}

fn parts_of(items: Vec<Item>, limit: usize) -> Vec<Vec<Item>> {
    let elements: Vec<Element> = items
        .iter()
        .map(|item| Element {
            size: item.size,
            priority: item.priority,
        })
        .collect();
    let mut items = items.into_iter();
    boundaries::parts(&elements, limit)
        .into_iter()
        .map(|part| items.by_ref().take(part.len()).collect())
        .collect()
}

/// Returns the answer about a part as an input of the next question.
fn answer_about(part: &[Item], answer: String) -> Item {
    let inputs: Vec<&Input> = part.iter().map(|item| &item.input).collect();
    let label = name(part);
    let shared = Output::text("", "", "").with_metadata_shared_by(&inputs);
    let header = Header {
        label: label.clone(),
        kind: PART.to_owned(),
        digest: String::new(),
        metadata: shared.metadata,
    };
    let of = |item: Option<&Item>, label: fn(&Item) -> &String| {
        item.map(label).cloned().unwrap_or_default()
    };
    Item {
        size: estimate(&answer) + overhead(&label),
        priority: part.first().map_or(0, |item| item.priority),
        first: of(part.first(), |item| &item.first),
        last: of(part.last(), |item| &item.last),
        is_answer: true,
        input: Input {
            header,
            content: Content::Text(answer),
        },
    }
}

/// Returns the name of a part: the labels of its first and its last input.
fn name(part: &[Item]) -> String {
    match (part.first(), part.last()) {
        (Some(Item { first, .. }), Some(Item { last, .. })) if first != last => {
            format!("{first} to {last}")
        }
        (Some(Item { first, .. }), _) => first.clone(),
        (None, _) => String::new(),
    }
}

fn place(part: &[Item]) -> String {
    format!("the part `{}`", name(part))
}

impl PartRequest {
    /// Returns the rendered prompt, or `part_prompt` in its place.
    fn render(&self, part_prompt: Option<&str>, variables: &Variables) -> Result<String, Error> {
        let (name, source) = match (part_prompt, &self.prompt, &self.prompt_file) {
            (Some(source), _, _) => ("part_prompt", source),
            (None, Some(source), _) => ("prompt", source.as_str()),
            (None, None, Some(source)) => ("prompt_file", source.as_str()),
            (None, None, None) => {
                return Err(Error::InvalidConfig(
                    "set either `prompt` or `prompt_file`".to_owned(),
                ));
            }
        };
        Template { name, source }.render(variables)
    }

    fn request(&self, part_prompt: Option<&str>, variables: &Variables) -> Result<Request, Error> {
        let mut request = Request::user(self.render(part_prompt, variables)?);
        if let Some(source) = &self.system {
            let system = Template {
                name: "system",
                source,
            };
            request = request.system(system.render(variables)?);
        }
        let text = |value: &Option<Value>| value.as_ref().map(Value::to_string);
        Ok(Request {
            max_tokens: self.max_tokens,
            temperature: self.temperature,
            stop: self.stop.clone(),
            response_format: match part_prompt {
                Some(_) => None,
                None => text(&self.response_format),
            },
            model: self.model.clone(),
            sample: self.sample,
            options: text(&self.options),
            ..request
        })
    }
}
