//! Carries an answer from input to input.
//!
//! The request of each step has the answer of the previous step, so a change costs the steps from the changed input on.

use std::cmp::Ordering;

use serde::Deserialize;
use serde_json::{Value, json};
use synix_plugin::prompt::{self, Beside, Wording};
use synix_plugin::template::{Template, fault_of_name};
use synix_plugin::{Error, Input, Output, Shape, Transform, Unit};

struct Fold;

/// The metadata key that the transform itself sets.
const OWN: &str = "steps";

/// The settings besides those of the prompt.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    #[serde(default)]
    initial: String,
    order_by: Option<String>,
}

impl Transform for Fold {
    const NAME: &'static str = "fold";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Carries an answer from input to input";
    const SHAPE: Shape = Shape::All;
    type Config = Beside<Own>;

    fn config_schema() -> String {
        let text = prompt::schema(Wording {
            variables: "`so_far`, `content`, `label`, `kind` and `metadata` of the input",
            default_label: None,
        });
        let Ok(mut schema) = serde_json::from_str::<Value>(&text) else {
            return text;
        };
        schema["properties"]["label"]["description"] =
            json!("The label of the output, as it stands.");
        schema["properties"]["initial"] = json!({
            "type": "string",
            "default": "",
            "description": "`so_far` of the first step."
        });
        schema["properties"]["order_by"] = json!({
            "type": "string",
            "minLength": 1,
            "description": "A metadata key to order by, then by label; without it by label. Numbers stand before texts."
        });
        schema.to_string()
    }

    fn execute(_: &Unit, inputs: &[Input], config: &Self::Config) -> Result<Vec<Output>, Error> {
        let prompt = &config.prompt;
        prompt.check(&[OWN])?;
        let Some(Template { source: label, .. }) = prompt.label() else {
            return Err(Error::InvalidConfig("`label` is needed".to_owned()));
        };
        if label.contains("{{") || label.contains("{%") {
            return Err(Error::InvalidConfig(
                "`label` of a fold is taken as it stands: there is one output of all inputs"
                    .to_owned(),
            ));
        }
        if let Some(rule) = fault_of_name(label) {
            return Err(Error::InvalidConfig(format!("`label` {rule}")));
        }
        let inputs = in_order(inputs, config.own.order_by.as_deref())?;
        // What the last step would refuse is refused before the first request is paid for.
        for input in &inputs {
            prompt.content_of(input)?;
        }
        let mut so_far = config.own.initial.clone();
        let own = [(OWN, json!(inputs.len()))];
        let at_step = |input: &Input| format!("the step of `{}`", input.header.label);
        let Some(last) = inputs.last() else {
            return Ok(Vec::new());
        };
        prompt.ready(label, &own, &prompt.about_step(last, &so_far)?)?;
        for input in &inputs {
            so_far = prompt
                .ask(&prompt.about_step(input, &so_far)?)
                .map_err(|error| error.at(&at_step(input)))?;
        }
        let question = prompt.about_step(last, &so_far)?;
        let made = Output::text(label, prompt.kind(), "");
        prompt
            .outputs(made, &own, so_far, &question)
            .map_err(|error| error.at(&at_step(last)))
    }
}

synix_plugin::export!(Fold);

fn in_order<'a>(inputs: &'a [Input], key: Option<&str>) -> Result<Vec<&'a Input>, Error> {
    let mut keyed = Vec::with_capacity(inputs.len());
    for input in inputs {
        keyed.push((rank(input, key)?, input));
    }
    keyed.sort_by(|(left, a), (right, b)| {
        left.compare(right)
            .then_with(|| a.header.label.cmp(&b.header.label))
    });
    Ok(keyed.into_iter().map(|(_, input)| input).collect())
}

enum Rank {
    None,
    Number(f64),
    Text(String),
}

impl Rank {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => left.total_cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
            (Self::None, _) | (_, Self::None) => Ordering::Equal,
        }
    }
}

fn rank(input: &Input, key: Option<&str>) -> Result<Rank, Error> {
    let Some(key) = key else {
        return Ok(Rank::None);
    };
    let value = input
        .header
        .metadata(key)
        .and_then(|text| serde_json::from_str(text).ok());
    let rank = match value {
        Some(Value::String(text)) => Some(Rank::Text(text)),
        Some(Value::Number(number)) => number.as_f64().map(Rank::Number),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => None,
    };
    rank.ok_or_else(|| {
        Error::InvalidInput(format!(
            "the input `{}` has no text or number under the metadata key `{key}`, which `order_by` names; {}",
            input.header.label,
            input.header.names_of_metadata()
        ))
    })
}

#[cfg(test)]
mod tests;
