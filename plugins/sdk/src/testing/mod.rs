//! Runs a transform as a native function, with a closure instead of a model, and a reader with bytes instead of a file.

mod reading;

use std::cell::RefCell;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::bindings::Guest as _;
use crate::embedding::{EmbeddingError, Vector};
use crate::llm::{Ending, LlmError, Request, Response, Usage};
use crate::log::Level;
use crate::{Blob, Content, Error, Exported, Header, Input, OtherError, Output, Transform, Unit};

pub use reading::{FileBytes, ReaderRun, Skipped, read, read_each};
pub(crate) use reading::{at, emit, skip};

/// The result of a run with a scripted model.
#[derive(Debug)]
pub struct Ran<R> {
    /// The return value of `work`.
    pub result: R,
    /// All requests, in order.
    pub requests: Vec<Request>,
    /// All texts whose vectors were requested, in order.
    pub texts: Vec<String>,
    /// All log lines, in order.
    pub lines: Vec<(Level, String)>,
}

type Model = Box<dyn FnMut(&Request) -> Result<Response, LlmError>>;
type Embedder = Box<dyn FnMut(&str) -> Result<Vector, EmbeddingError>>;

#[derive(Default)]
struct ScriptedRun {
    model: Option<Model>,
    embedder: Option<Embedder>,
    requests: Vec<Request>,
    texts: Vec<String>,
    lines: Vec<(Level, String)>,
}

thread_local! {
    static SCRIPTED_RUN: RefCell<ScriptedRun> = RefCell::default();
}

/// Runs `work` on this thread; `model` answers its requests.
pub fn with_model<R>(
    model: impl FnMut(&Request) -> Result<Response, LlmError> + 'static,
    work: impl FnOnce() -> R,
) -> Ran<R> {
    run(
        ScriptedRun {
            model: Some(Box::new(model)),
            ..ScriptedRun::default()
        },
        work,
    )
}

/// Runs `work` on this thread; `embedder` returns the vector of each text.
pub fn with_embeddings<R>(
    embedder: impl FnMut(&str) -> Result<Vector, EmbeddingError> + 'static,
    work: impl FnOnce() -> R,
) -> Ran<R> {
    run(
        ScriptedRun {
            embedder: Some(Box::new(embedder)),
            ..ScriptedRun::default()
        },
        work,
    )
}

fn run<R>(scripted: ScriptedRun, work: impl FnOnce() -> R) -> Ran<R> {
    SCRIPTED_RUN.replace(scripted);
    let result = work();
    let ScriptedRun {
        requests,
        texts,
        lines,
        ..
    } = SCRIPTED_RUN.take();
    Ran {
        result,
        requests,
        texts,
        lines,
    }
}

/// Returns a complete answer with `text`, for scripted models.
pub fn says(text: impl Into<String>) -> Result<Response, LlmError> {
    Ok(Response {
        text: text.into(),
        ending: Ending::Complete,
        model: "scripted".to_owned(),
        usage: Usage {
            input_tokens: 1,
            output_tokens: 1,
        },
        details: "{}".to_owned(),
    })
}

/// Returns an input of the kind `text` without metadata.
pub fn input(label: &str, text: &str) -> Input {
    Input {
        header: Header {
            label: label.to_owned(),
            kind: "text".to_owned(),
            digest: "0".repeat(64),
            metadata: Vec::new(),
        },
        content: Content::Text(text.to_owned()),
    }
}

/// Returns an input of the kind `text` with bytes in place of a text.
pub fn bytes(label: &str, media_type: &str, data: &[u8]) -> Input {
    let content = Content::Bytes(Blob {
        media_type: media_type.to_owned(),
        data: data.to_vec(),
    });
    Input {
        content,
        ..input(label, "")
    }
}

/// Splits `inputs` into units and runs each of them, as the host does; `config` is JSON text.
///
/// The outputs have the order of the units. The first error ends the run.
pub fn execute<T: Transform>(inputs: &[Input], config: &str) -> Result<Vec<Output>, Error> {
    let mut outputs = Vec::new();
    for unit in split::<T>(inputs, config)? {
        outputs.extend(execute_unit::<T>(&unit, inputs, config)?);
    }
    Ok(outputs)
}

/// Runs one unit, whose inputs are positions in `inputs`.
pub fn execute_unit<T: Transform>(
    unit: &Unit,
    inputs: &[Input],
    config: &str,
) -> Result<Vec<Output>, Error> {
    let invalid = |message: String| {
        Error::Other(OtherError {
            code: "invalid-split".to_owned(),
            message: format!("the unit `{}` {message}", unit.key),
        })
    };
    let mut own = Vec::with_capacity(unit.inputs.len());
    for position in &unit.inputs {
        let input = usize::try_from(*position)
            .ok()
            .and_then(|at| inputs.get(at));
        let missing = || {
            invalid(format!(
                "names input {position}; there are {}",
                inputs.len()
            ))
        };
        own.push(input.ok_or_else(missing)?.clone());
    }
    let config = match &unit.config {
        Some(additions) => merged(config, additions)
            .map_err(|error| invalid(format!("adds no JSON object to the config: {error}")))?,
        None => config.to_owned(),
    };
    Exported::<T>::execute(unit.clone(), own, config)
}

/// Merges the config of a unit into that of the layer.
fn merged(config: &str, additions: &str) -> serde_json::Result<String> {
    let mut config: Map<String, Value> = serde_json::from_str(config)?;
    config.extend(serde_json::from_str::<Map<String, Value>>(additions)?);
    Ok(Value::Object(config).to_string())
}

/// Splits the headers of `inputs`, as the host does; `config` is JSON text.
pub fn split<T: Transform>(inputs: &[Input], config: &str) -> Result<Vec<Unit>, Error> {
    let headers = inputs.iter().map(|input| input.header.clone()).collect();
    Exported::<T>::split(headers, config.to_owned())
}

/// Returns the sorted names of a config's fields. The type needs `deny_unknown_fields`.
pub fn settings<C: DeserializeOwned>() -> Vec<String> {
    // No field has this name, so the error lists all fields.
    let refused = serde_json::from_str::<C>(r#"{"\u0000": null}"#).err();
    let refused = refused.map(|error| error.to_string()).unwrap_or_default();
    let mut names: Vec<String> = refused
        .split('`')
        .skip(3)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    names.sort();
    names
}

/// Returns the sorted names of the settings for which the schema of `T` has a description.
pub fn described<T: Transform>() -> Vec<String> {
    let schema: Value = serde_json::from_str(&T::config_schema()).unwrap_or_default();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let mut names: Vec<String> = properties
        .filter(|(_, property)| {
            property["description"]
                .as_str()
                .is_some_and(|text| !text.trim().is_empty())
        })
        .map(|(name, _)| name.clone())
        .collect();
    names.sort();
    names
}

pub(crate) fn answer(request: &Request) -> Result<Response, LlmError> {
    // The model is taken out while it runs, so that it can log or send requests itself.
    let model = SCRIPTED_RUN.with_borrow_mut(|run| {
        run.requests.push(request.clone());
        run.model.take()
    });
    let Some(mut model) = model else {
        return Err(LlmError::NotGranted);
    };
    let answer = model(request);
    SCRIPTED_RUN.with_borrow_mut(|run| run.model = Some(model));
    answer
}

pub(crate) fn vector(text: &str) -> Result<Vector, EmbeddingError> {
    let embedder = SCRIPTED_RUN.with_borrow_mut(|run| {
        run.texts.push(text.to_owned());
        run.embedder.take()
    });
    let Some(mut embedder) = embedder else {
        return Err(EmbeddingError::NotGranted);
    };
    let vector = embedder(text);
    SCRIPTED_RUN.with_borrow_mut(|run| run.embedder = Some(embedder));
    vector
}

pub(crate) fn note(level: Level, message: &str) {
    SCRIPTED_RUN.with_borrow_mut(|run| run.lines.push((level, message.to_owned())));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{complete, complete_all, info};

    #[test]
    fn a_scripted_model_sees_every_request_in_order() {
        let ran = with_model(
            |request| says(format!("{:?}", request.max_tokens)),
            || {
                let first = complete(&Request::user("a").max_tokens(1)).unwrap().text;
                let rest =
                    complete_all(&[Request::user("b").max_tokens(2), Request::user("c")]).unwrap();
                info!("asked {}", 1 + rest.len());
                (first, rest[1].text.clone())
            },
        );
        assert_eq!(ran.result, ("Some(1)".to_owned(), "None".to_owned()));
        assert_eq!(
            ran.requests,
            [
                Request::user("a").max_tokens(1),
                Request::user("b").max_tokens(2),
                Request::user("c"),
            ]
        );
        assert_eq!(ran.lines, [(Level::Info, "asked 3".to_owned())]);
    }

    #[test]
    fn the_settings_of_a_config_are_its_fields() {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "only the names count")]
        struct Config {
            second: u32,
            first: Option<u32>,
        }
        assert_eq!(settings::<Config>(), ["first", "second"]);
    }

    #[test]
    fn without_a_model_requests_are_not_granted() {
        assert_eq!(complete(&Request::user("a")), Err(LlmError::NotGranted));
    }

    #[test]
    fn instructions_come_before_the_question() {
        let request = Request::user("q").system("s");
        let roles: Vec<_> = request
            .messages
            .iter()
            .map(|message| message.role)
            .collect();
        assert_eq!(roles, [crate::llm::Role::System, crate::llm::Role::User]);
    }
}
