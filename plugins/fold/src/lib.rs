//! Carries an answer from input to input.
//!
//! Each step asks with the answer of the step before, so a change costs the steps from the changed input on.

use std::cmp::Ordering;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use synix_plugin::prompt::{self, Wording};
use synix_plugin::template::{Template, fault_of_name, variables_of_step};
use synix_plugin::{Error, Input, Output, Shape, Transform, Unit};

struct Fold;

/// What a layer sets.
#[derive(Deserialize)]
#[serde(try_from = "Map<String, Value>")]
struct Config {
    prompt: prompt::Config,
    own: Own,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    #[serde(default)]
    initial: String,
    order_by: Option<String>,
}

const OWN: [&str; 2] = ["initial", "order_by"];

impl TryFrom<Map<String, Value>> for Config {
    type Error = serde_json::Error;

    fn try_from(mut map: Map<String, Value>) -> Result<Self, Self::Error> {
        let own: Map<String, Value> = OWN
            .iter()
            .filter_map(|key| map.remove_entry(*key))
            .collect();
        Ok(Self {
            own: serde_json::from_value(Value::Object(own))?,
            prompt: serde_json::from_value(Value::Object(map))?,
        })
    }
}

impl Transform for Fold {
    const NAME: &'static str = "fold";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Carries an answer from input to input";
    const SHAPE: Shape = Shape::All;
    type Config = Config;

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

    fn execute(_: &Unit, inputs: &[Input], config: &Config) -> Result<Vec<Output>, Error> {
        let Some(Template { source: label, .. }) = config.prompt.label() else {
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
        if inputs.is_empty() {
            return Ok(Vec::new());
        }
        let inputs = in_order(inputs, config.own.order_by.as_deref())?;
        // What the last step would refuse is refused before the first is paid for.
        for input in &inputs {
            input.text()?;
        }
        let mut so_far = config.own.initial.clone();
        for input in &inputs {
            so_far = config
                .prompt
                .ask(&variables_of_step(input, &so_far)?)
                .map_err(|error| at_step(input, error))?;
        }
        Ok(vec![
            Output::text(label, config.prompt.kind(), so_far)
                .with_metadata("steps", &json!(inputs.len())),
        ])
    }
}

synix_plugin::export!(Fold);

/// Says at which input a step failed; a wrong config fails at each.
fn at_step(input: &Input, error: Error) -> Error {
    let label = &input.header.label;
    match error {
        Error::InvalidInput(text) => Error::InvalidInput(format!("the step of `{label}`: {text}")),
        Error::InvalidAnswer(text) => {
            Error::InvalidAnswer(format!("the step of `{label}`: {text}"))
        }
        Error::InvalidConfig(_) | Error::Other(_) => error,
    }
}

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
            "the input `{}` has no text or number under the metadata key `{key}`, which `order_by` names",
            input.header.label
        ))
    })
}

#[cfg(test)]
mod tests {
    use synix_plugin::testing::{described, execute, input, says, settings, split, with_model};
    use synix_plugin::{MetadataEntry, Request};

    use super::*;

    fn dated(label: &str, date: &str) -> Input {
        let mut input = input(label, label);
        input.header.metadata.push(MetadataEntry {
            key: "date".to_owned(),
            value: date.to_owned(),
        });
        input
    }

    fn sorted(mut names: Vec<String>) -> Vec<String> {
        names.sort();
        names
    }

    const CONFIG: &str =
        r#"{"label": "story", "initial": "0", "prompt": "{{ so_far }}+{{ content }}"}"#;

    #[test]
    fn every_setting_that_is_read_is_described() {
        assert_eq!(settings::<Own>(), OWN);
        assert_eq!(
            described::<Fold>(),
            sorted([settings::<Own>(), settings::<prompt::Config>()].concat())
        );
    }

    #[test]
    fn each_step_asks_with_the_answer_of_the_step_before() {
        let ran = with_model(
            |request| says(format!("{}", request.messages.len())),
            || execute::<Fold>(&[input("b", "B"), input("a", "A")], CONFIG),
        );
        assert_eq!(ran.requests, [Request::user("0+A"), Request::user("1+B")]);
        assert_eq!(
            ran.result.unwrap(),
            [Output::text("story", "text", "1").with_metadata("steps", &json!(2))]
        );
    }

    #[test]
    fn one_unit_takes_every_input_in_label_order() {
        let units = split::<Fold>(&[input("b", ""), input("c", ""), input("a", "")], CONFIG);
        let unit = Unit {
            key: "all".to_owned(),
            inputs: vec![2, 0, 1],
            config: None,
        };
        assert_eq!(units.unwrap(), [unit]);
    }

    #[test]
    fn a_metadata_key_can_order_the_steps() {
        let config = r#"{"label": "l", "order_by": "date", "prompt": "{{ content }}"}"#;
        let ran = with_model(
            |_| says("x"),
            || execute::<Fold>(&[dated("a", "10"), dated("b", "9")], config),
        );
        assert_eq!(ran.requests, [Request::user("b"), Request::user("a")]);
    }

    #[test]
    fn an_input_without_the_key_is_refused_before_a_question() {
        let config = r#"{"label": "l", "order_by": "date", "prompt": "q"}"#;
        let ran = with_model(
            |_| says("x"),
            || execute::<Fold>(&[dated("a", "1"), input("b", "")], config),
        );
        assert!(matches!(ran.result, Err(Error::InvalidInput(text)) if text.contains("`b`")));
        assert!(ran.requests.is_empty());
    }

    #[test]
    fn numbers_stand_before_texts_and_equal_ones_by_label() {
        let config = r#"{"label": "l", "order_by": "date", "prompt": "{{ label }}"}"#;
        let inputs = [
            dated("g", r#""2026-02""#),
            dated("f", r#""2026-01""#),
            dated("e", r#""10""#),
            dated("d", "10"),
            dated("c", "9.5"),
            dated("b", "-1"),
            dated("a", "10"),
        ];
        let ran = with_model(|_| says("x"), || execute::<Fold>(&inputs, config));
        let expected = ["b", "c", "a", "d", "e", "f", "g"].map(Request::user);
        assert_eq!(ran.requests, expected);
    }

    #[test]
    fn of_no_inputs_nothing_is_made() {
        let ran = with_model(|_| says("?"), || execute::<Fold>(&[], CONFIG));
        assert_eq!(ran.result.unwrap(), []);
        assert!(ran.requests.is_empty());
    }

    #[test]
    fn a_value_that_has_no_order_is_refused() {
        let config = r#"{"label": "l", "order_by": "date", "prompt": "q"}"#;
        for value in ["null", "true", "[1]", "{}"] {
            let ran = with_model(
                |_| says("x"),
                || execute::<Fold>(&[dated("a", value)], config),
            );
            assert!(
                matches!(&ran.result, Err(Error::InvalidInput(text)) if text.contains("`a` has no text or number")),
                "{value}: {:?}",
                ran.result
            );
        }
    }

    #[test]
    fn the_label_is_no_template_and_the_kind_can_be_set() {
        let run = |config: &'static str| {
            with_model(
                |_| says("x"),
                || execute::<Fold>(&[input("a", "A")], config),
            )
            .result
        };
        for config in [
            r#"{"label": "{{ label }}", "prompt": "q"}"#,
            r#"{"label": "{% if 1 %}l{% endif %}", "prompt": "q"}"#,
        ] {
            assert!(
                matches!(run(config), Err(Error::InvalidConfig(text)) if text.contains("as it stands")),
                "{config}"
            );
        }
        for config in [
            r#"{"label": "two\nlines", "prompt": "q"}"#,
            r#"{"label": "", "prompt": "q"}"#,
        ] {
            assert!(
                matches!(run(config), Err(Error::InvalidConfig(text)) if text.starts_with("`label` ")),
                "{config}"
            );
        }
        assert_eq!(
            run(r#"{"label": "l", "kind": "story", "prompt": "q"}"#).unwrap()[0].kind,
            "story"
        );
    }

    #[test]
    fn an_input_that_is_not_text_is_refused_before_a_question() {
        let picture = Input {
            content: synix_plugin::Content::Bytes(synix_plugin::Blob {
                media_type: "image/png".to_owned(),
                data: vec![0],
            }),
            ..input("b", "")
        };
        let ran = with_model(
            |_| says("x"),
            || execute::<Fold>(&[input("a", "A"), picture], CONFIG),
        );
        assert!(
            matches!(ran.result, Err(Error::InvalidInput(text)) if text == "the input `b` is image/png, not text")
        );
        assert!(ran.requests.is_empty());
    }

    #[test]
    fn a_step_that_fails_names_its_input() {
        let run = |config: &'static str| {
            let inputs = [dated("a", "1"), input("b", "B")];
            with_model(|_| says("no JSON"), || execute::<Fold>(&inputs, config)).result
        };
        let missing = run(r#"{"label": "l", "prompt": "{{ metadata.date }}"}"#);
        assert!(
            matches!(&missing, Err(Error::InvalidInput(text)) if text.starts_with("the step of `b`: undefined value")),
            "{missing:?}"
        );
        let answer = run(r#"{"label": "l", "prompt": "q", "response_format": {}}"#);
        assert!(
            matches!(&answer, Err(Error::InvalidAnswer(text)) if text.starts_with("the step of `a`: the answer is not JSON")),
            "{answer:?}"
        );
    }
}
