//! Sends one request about all inputs, or first requests about parts of them.
//!
//! Templates can name `inputs`, a list in label order; each has `label`, `kind`, `content` and `metadata`.

use serde::Deserialize;
use synix_parts::tree::{self, WithParts};
use synix_plugin::prompt::{self, Wording};
use synix_plugin::template::Template;
use synix_plugin::{Error, Header, Input, Output, Shape, Transform, Unit};

struct Reduce;

/// There are no settings besides those of the prompt and of parts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {}

type Config = WithParts<Own>;

impl Transform for Reduce {
    const NAME: &'static str = "reduce";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Asks one question about all inputs";
    const SHAPE: Shape = Shape::All;
    type Config = Config;

    fn config_schema() -> String {
        let text = prompt::schema(Wording {
            variables: "`inputs`, a list in label order; each has `content`, `label`, `kind` and `metadata`",
            default_label: None,
        });
        let Ok(mut schema) = serde_json::from_str(&text) else {
            return text;
        };
        tree::describe(&mut schema);
        schema.to_string()
    }

    fn split(inputs: &[Header], config: &Config) -> Result<Vec<Unit>, Error> {
        config.prompt.check(&[])?;
        config.check_parts()?;
        let label = label(config)?.source;
        // The text of a template is not a useful unit key.
        let key = if label.contains('{') { "all" } else { label };
        let count = u32::try_from(inputs.len()).unwrap_or(u32::MAX);
        Ok(vec![Unit {
            key: key.to_owned(),
            inputs: (0..count).collect(),
            config: None,
        }])
    }

    fn execute(_: &Unit, inputs: &[Input], config: &Config) -> Result<Vec<Output>, Error> {
        // A request without inputs would be billed, too.
        if inputs.is_empty() {
            return Ok(Vec::new());
        }
        let mut inputs: Vec<&Input> = inputs.iter().collect();
        inputs.sort_by(|left, right| left.header.label.cmp(&right.header.label));
        let prompt = &config.prompt;
        let question = prompt.about_all(&inputs)?;
        let label = label(config)?.render_label(&question.variables)?;
        let made = Output::text(label, prompt.kind(), "");
        prompt.ready(&made.label, &[], &question)?;
        let about = |inputs: &[&Input]| Ok(prompt.about_all(inputs)?.variables);
        let answer = match config.reduce_parts(&inputs, about)? {
            None => prompt.ask(&question)?,
            Some(parts) => prompt.ask(&prompt.about_all(&parts.iter().collect::<Vec<_>>())?)?,
        };
        prompt.outputs(made, &[], answer, &question)
    }
}

synix_plugin::export!(Reduce);

fn label(config: &Config) -> Result<Template<'_>, Error> {
    config
        .prompt
        .label()
        .ok_or_else(|| Error::InvalidConfig("`label` is needed".to_owned()))
}

#[cfg(test)]
mod part_tests;

#[cfg(test)]
mod tests {
    use synix_parts::tree::PartSettings;
    use synix_plugin::Request;
    use synix_plugin::testing::{described, execute, input, says, settings, split, with_model};

    use super::*;

    const CONFIG: &str = r#"{"label": "team", "prompt": "Team:{% for a in inputs %}\n- {{ a.label }}: {{ a.content }}{% endfor %}"}"#;

    #[test]
    fn every_setting_that_is_read_is_described() {
        let mut read = settings::<prompt::Config>();
        read.extend(settings::<PartSettings>());
        read.sort();
        assert_eq!(described::<Reduce>(), read);
    }

    #[test]
    fn inputs_are_in_label_order_whatever_their_original_order() {
        let inputs = [
            input("bob", "Bakes."),
            input("alice", "Paints."),
            input("carl", "Sings."),
        ];
        let ran = with_model(|_| says("Two."), || execute::<Reduce>(&inputs, CONFIG));
        assert_eq!(ran.result.unwrap(), [Output::text("team", "text", "Two.")]);
        assert_eq!(
            ran.requests,
            [Request::user(
                "Team:\n- alice: Paints.\n- bob: Bakes.\n- carl: Sings."
            )]
        );
    }

    #[test]
    fn one_unit_has_every_input_and_the_label_of_the_layer() {
        let inputs = [input("alice", ""), input("bob", "")];
        let unit = Unit {
            key: "team".to_owned(),
            inputs: vec![0, 1],
            config: None,
        };
        assert_eq!(split::<Reduce>(&inputs, CONFIG).unwrap(), [unit]);
    }

    #[test]
    fn a_label_that_is_a_template_does_not_name_the_unit() {
        let config = r#"{"label": "team of {{ inputs | length }}", "prompt": "q"}"#;
        assert_eq!(
            split::<Reduce>(&[input("alice", "")], config).unwrap()[0].key,
            "all"
        );
        let ran = with_model(
            |_| says("a"),
            || execute::<Reduce>(&[input("alice", "")], config),
        );
        assert_eq!(ran.result.unwrap()[0].label, "team of 1");
    }

    #[test]
    fn without_inputs_no_request_is_sent() {
        let ran = with_model(|_| says("?"), || execute::<Reduce>(&[], CONFIG));
        assert_eq!(ran.result.unwrap(), []);
        assert!(ran.requests.is_empty());
    }

    #[test]
    fn the_kind_can_be_set() {
        let config = r#"{"label": "team", "kind": "report", "prompt": "q"}"#;
        let ran = with_model(
            |_| says("a"),
            || execute::<Reduce>(&[input("alice", "")], config),
        );
        assert_eq!(ran.result.unwrap(), [Output::text("team", "report", "a")]);
    }

    #[test]
    fn a_missing_label_is_an_invalid_config() {
        assert!(matches!(
            split::<Reduce>(&[], r#"{"prompt": "q"}"#),
            Err(Error::InvalidConfig(_))
        ));
    }

    #[test]
    fn an_invalid_label_is_found_before_a_request_is_paid_for() {
        let config = r#"{"prompt": "q", "label": "{{ inputs[0].content }}"}"#;
        let ran = with_model(
            |_| says("a"),
            || execute::<Reduce>(&[input("a", "two\nlines")], config),
        );
        assert!(
            matches!(&ran.result, Err(Error::InvalidInput(text)) if text.contains("has a control character")),
            "{:?}",
            ran.result
        );
        assert!(ran.requests.is_empty());
    }

    #[test]
    fn the_elements_of_an_answer_are_outputs_of_their_own() {
        let config = r#"{"label": "team", "prompt": "q", "response_format": {}, "explode": "items", "fields": true}"#;
        let ran = with_model(
            |_| says(r#"{"items": [{"who": "Ann"}, {"who": "Bela"}]}"#),
            || execute::<Reduce>(&[input("alice", "")], config),
        );
        let made = ran.result.unwrap();
        let labels: Vec<_> = made.iter().map(|output| output.label.as_str()).collect();
        assert_eq!(labels, ["team-001", "team-002"]);
        assert_eq!(made[1].metadata[0].value, r#""Bela""#);
    }
}
