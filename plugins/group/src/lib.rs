//! Makes one artifact of each group of inputs.
//!
//! A group is found from an input's header: its contents are not known when units are made.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use synix_plugin::prompt::{self, Wording};
use synix_plugin::template::{Template, fault_of_name, variables_of_group};
use synix_plugin::{Error, Header, Input, Output, Shape, Transform, Unit};

struct Group;

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
    by: Option<String>,
    by_template: Option<String>,
    #[serde(default)]
    on_missing: OnMissing,
    #[serde(default = "ungrouped")]
    missing_group: String,
    #[serde(default = "blank_line")]
    separator: String,
}

/// What becomes of an input that belongs to no group.
#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum OnMissing {
    Group,
    Skip,
    #[default]
    Error,
}

fn ungrouped() -> String {
    "ungrouped".to_owned()
}

fn blank_line() -> String {
    "\n\n".to_owned()
}

const OWN: [&str; 5] = [
    "by",
    "by_template",
    "on_missing",
    "missing_group",
    "separator",
];

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

impl Transform for Group {
    const NAME: &'static str = "group";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Makes one artifact of each group of inputs";
    const SHAPE: Shape = Shape::Grouped;
    type Config = Config;

    fn config_schema() -> String {
        let text = prompt::schema(Wording {
            variables: "`group` and `inputs`, a list in label order; each has `content`, `label`, `kind` and `metadata`",
            default_label: Some("{{ group }}"),
        });
        let Ok(mut schema) = serde_json::from_str::<Value>(&text) else {
            return text;
        };
        schema["oneOf"] = json!([{ "required": ["by"] }, { "required": ["by_template"] }]);
        schema["not"] = json!({ "required": ["prompt", "prompt_file"] });
        schema["properties"]["by"] = json!({
            "type": "string", "minLength": 1,
            "description": "The metadata key whose value names the group. A list puts the input into each group it names."
        });
        schema["properties"]["by_template"] = json!({
            "type": "string", "minLength": 1,
            "description": "In place of `by`: a template over `label`, `kind` and `metadata` that makes the group's name."
        });
        schema["properties"]["on_missing"] = json!({
            "enum": ["group", "skip", "error"], "default": "error",
            "description": "What becomes of an input without a group: into `missing_group`, left out, or an error."
        });
        schema["properties"]["missing_group"] = json!({
            "type": "string", "minLength": 1, "default": "ungrouped",
            "description": "The group of inputs without one."
        });
        schema["properties"]["separator"] = json!({
            "type": "string", "default": "\n\n",
            "description": "Without a prompt nothing is asked: the output is the contents with this between them."
        });
        schema.to_string()
    }

    fn split(inputs: &[Header], config: &Config) -> Result<Vec<Unit>, Error> {
        let own = &config.own;
        let mut groups: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        // The contract promises no order of inputs.
        let mut headers: Vec<(&Header, u32)> = inputs.iter().zip(0..).collect();
        headers.sort_by(|(left, _), (right, _)| left.label.cmp(&right.label));
        for (header, position) in headers {
            let mut names = names_of(header, own)?;
            if names.is_empty() {
                match own.on_missing {
                    OnMissing::Group => names.push(own.missing_group.clone()),
                    OnMissing::Skip => {}
                    OnMissing::Error => {
                        return Err(Error::InvalidInput(format!(
                            "the input `{}` belongs to no group; `on_missing` can be \"group\" or \"skip\"",
                            header.label
                        )));
                    }
                }
            }
            names.sort();
            names.dedup();
            for name in names {
                groups.entry(name).or_default().push(position);
            }
        }
        Ok(groups
            .into_iter()
            .map(|(key, inputs)| Unit {
                key,
                inputs,
                config: None,
            })
            .collect())
    }

    fn execute(unit: &Unit, inputs: &[Input], config: &Config) -> Result<Vec<Output>, Error> {
        let mut inputs: Vec<&Input> = inputs.iter().collect();
        inputs.sort_by(|left, right| left.header.label.cmp(&right.header.label));
        let variables = variables_of_group(&unit.key, &inputs)?;
        let label = match config.prompt.label() {
            Some(template) => template.render_label(&variables)?,
            None => unit.key.clone(),
        };
        let text = if config.prompt.has_prompt() {
            config.prompt.ask(&variables)?
        } else {
            let texts: Vec<&str> = inputs
                .iter()
                .map(|input| input.text())
                .collect::<Result<_, _>>()?;
            texts.join(&config.own.separator)
        };
        Ok(vec![
            Output::text(label, config.prompt.kind(), text)
                .with_metadata("group", &json!(unit.key))
                .with_metadata("count", &json!(inputs.len())),
        ])
    }
}

synix_plugin::export!(Group);

fn names_of(header: &Header, own: &Own) -> Result<Vec<String>, Error> {
    let names = match (&own.by, &own.by_template) {
        (Some(key), None) => match header
            .metadata(key)
            .and_then(|text| serde_json::from_str(text).ok())
        {
            Some(Value::Array(values)) => values.iter().filter_map(name_of).collect(),
            Some(value) => name_of(&value).into_iter().collect(),
            None => Vec::new(),
        },
        (None, Some(source)) => Template {
            name: "by_template",
            source,
        }
        .render_if_defined(header)
        .map_err(|error| about(header, error))?
        .map(|name| name.trim().to_owned())
        .into_iter()
        .collect(),
        (Some(_), Some(_)) | (None, None) => {
            return Err(Error::InvalidConfig(
                "one of `by` and `by_template` is needed, not both".to_owned(),
            ));
        }
    };
    let names: Vec<String> = names.into_iter().filter(|name| !name.is_empty()).collect();
    for name in &names {
        // A group is a unit, and its name the unit's key.
        if let Some(rule) = fault_of_name(name) {
            let shown: String = name.chars().take(80).collect();
            let text = format!("its group {shown:?} {rule}");
            return Err(about(header, Error::InvalidInput(text)));
        }
    }
    Ok(names)
}

/// Says which input an error is about; one of the config is about none.
fn about(header: &Header, error: Error) -> Error {
    match error {
        Error::InvalidInput(text) => {
            Error::InvalidInput(format!("the input `{}`: {text}", header.label))
        }
        Error::InvalidConfig(_) | Error::InvalidAnswer(_) | Error::Other(_) => error,
    }
}

fn name_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use synix_plugin::testing::{described, execute, input, says, settings, split, with_model};
    use synix_plugin::{MetadataEntry, Request};

    use super::*;

    fn about(label: &str, topic: &str) -> Input {
        let mut input = input(label, &format!("text {label}"));
        input.header.metadata.push(MetadataEntry {
            key: "topic".to_owned(),
            value: topic.to_owned(),
        });
        input
    }

    fn groups(inputs: &[Input], config: &str) -> Vec<(String, Vec<u32>)> {
        let units = split::<Group>(inputs, config).unwrap();
        units
            .into_iter()
            .map(|unit| (unit.key, unit.inputs))
            .collect()
    }

    #[test]
    fn every_setting_that_is_read_is_described() {
        let mut read = settings::<Own>();
        let mut own = OWN.map(str::to_owned);
        own.sort();
        assert_eq!(read, own);
        read.extend(settings::<prompt::Config>());
        read.sort();
        assert_eq!(described::<Group>(), read);
    }

    #[test]
    fn inputs_with_one_value_are_one_unit() {
        let inputs = [about("a", r#""x""#), about("b", "7"), about("c", r#""x""#)];
        assert_eq!(
            groups(&inputs, r#"{"by": "topic"}"#),
            [("7".to_owned(), vec![1]), ("x".to_owned(), vec![0, 2])]
        );
    }

    #[test]
    fn a_list_puts_an_input_into_each_of_its_groups_once() {
        assert_eq!(
            groups(&[about("a", r#"["x", "y", "x"]"#)], r#"{"by": "topic"}"#),
            [("x".to_owned(), vec![0]), ("y".to_owned(), vec![0])]
        );
    }

    #[test]
    fn a_template_over_the_header_names_the_group() {
        let inputs = [input("2026-01-03", ""), input("2026-02-01", "")];
        let config = r#"{"by_template": "{{ label[:7] }}"}"#;
        let names: Vec<_> = groups(&inputs, config)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["2026-01", "2026-02"]);
    }

    #[test]
    fn an_input_without_a_group_is_an_error_that_names_it() {
        for config in [
            r#"{"by": "topic"}"#,
            r#"{"by_template": "{{ metadata.topic }}"}"#,
        ] {
            let error = split::<Group>(&[input("a", "")], config).unwrap_err();
            assert!(
                matches!(error, Error::InvalidInput(text) if text.contains("`a`")),
                "{config}"
            );
        }
    }

    #[test]
    fn values_of_every_type_name_a_group_or_none() {
        for (value, names) in [
            (r#"" x ""#, vec!["x"]),
            ("7", vec!["7"]),
            ("1.5", vec!["1.5"]),
            ("true", vec!["true"]),
            (r#"["x", 7, false]"#, vec!["7", "false", "x"]),
            (r#"["7", 7]"#, vec!["7"]),
            ("null", vec![]),
            (r#""""#, vec![]),
            (r#"" \n""#, vec![]),
            ("[]", vec![]),
            (r#"[null, "", ["x"], {}]"#, vec![]),
            (r#"{"x": 1}"#, vec![]),
        ] {
            let config = r#"{"by": "topic", "on_missing": "skip"}"#;
            let found = groups(&[about("a", value)], config);
            let found: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(found, names, "{value}");
        }
    }

    #[test]
    fn a_name_from_a_template_is_trimmed_and_an_empty_one_is_none() {
        let config = r#"{"by_template": " {{ metadata.topic }}\n", "on_missing": "group"}"#;
        assert_eq!(
            groups(&[about("a", r#"" ""#), about("b", r#""x""#)], config),
            [("ungrouped".to_owned(), vec![0]), ("x".to_owned(), vec![1])]
        );
    }

    #[test]
    fn a_template_that_fails_names_the_input_and_one_that_is_wrong_the_variable() {
        let refused = |template: &str| {
            let config = json!({"by_template": template, "on_missing": "skip"}).to_string();
            split::<Group>(&[about("a", "7")], &config).unwrap_err()
        };
        let failed = refused("{{ metadata.topic[:2] }}");
        assert!(
            matches!(&failed, Error::InvalidInput(text) if text.starts_with("the input `a`: ") && text.contains("by_template line 1")),
            "{failed:?}"
        );
        let wrong = refused("{{ content }}");
        assert!(
            matches!(&wrong, Error::InvalidConfig(text) if text.contains("names `content`")),
            "{wrong:?}"
        );
    }

    #[test]
    fn a_group_that_cannot_be_a_unit_is_refused_with_its_input() {
        for topic in ["two\nlines".to_owned(), "x".repeat(513)] {
            let inputs = [about("a", r#""x""#), about("b", &json!(topic).to_string())];
            let error = split::<Group>(&inputs, r#"{"by": "topic"}"#).unwrap_err();
            assert!(
                matches!(&error, Error::InvalidInput(text) if text.starts_with("the input `b`: its group")),
                "{error:?}"
            );
        }
        let longest = about("a", &json!("ä".repeat(512)).to_string());
        assert_eq!(groups(&[longest], r#"{"by": "topic"}"#).len(), 1);
    }

    #[test]
    fn one_of_by_and_by_template_is_needed() {
        for config in ["{}", r#"{"by": "topic", "by_template": "{{ label }}"}"#] {
            let error = split::<Group>(&[about("a", r#""x""#)], config).unwrap_err();
            assert!(
                matches!(error, Error::InvalidConfig(_)),
                "{config}: {error:?}"
            );
        }
    }

    #[test]
    fn inputs_without_a_group_can_be_skipped_or_put_into_one() {
        let inputs = [input("a", ""), about("b", r#""x""#)];
        assert_eq!(
            groups(&inputs, r#"{"by": "topic", "on_missing": "skip"}"#),
            [("x".to_owned(), vec![1])]
        );
        assert_eq!(
            groups(
                &inputs,
                r#"{"by": "topic", "on_missing": "group", "missing_group": "rest"}"#
            ),
            [("rest".to_owned(), vec![0]), ("x".to_owned(), vec![1])]
        );
    }

    #[test]
    fn without_a_prompt_the_contents_stand_together_and_nothing_is_asked() {
        let inputs = [input("b", "two"), input("a", "one"), input("c", "three")];
        let made = |config: &'static str| {
            let ran = with_model(|_| says("?"), || execute::<Group>(&inputs, config));
            assert!(ran.requests.is_empty());
            ran.result.unwrap()
        };
        let expected = |kind: &str, text: &str| {
            Output::text("unit", kind, text)
                .with_metadata("group", &json!("unit"))
                .with_metadata("count", &json!(3))
        };
        assert_eq!(
            made(r#"{"by": "topic"}"#),
            [expected("text", "one\n\ntwo\n\nthree")]
        );
        assert_eq!(
            made(r#"{"by": "topic", "separator": "|", "kind": "digest"}"#),
            [expected("digest", "one|two|three")]
        );
    }

    #[test]
    fn with_a_prompt_one_question_is_asked_about_the_group() {
        let config = r#"{"by": "topic", "label": "about-{{ group }}", "prompt": "{{ group }}:{% for a in inputs %} {{ a.content }}{% endfor %}"}"#;
        let inputs = [input("b", "two"), input("a", "one")];
        let ran = with_model(|_| says("sum"), || execute::<Group>(&inputs, config));
        assert_eq!(ran.requests, [Request::user("unit: one two")]);
        assert_eq!(ran.result.unwrap()[0].label, "about-unit");
    }

    #[test]
    fn a_label_that_no_output_can_have_is_found_before_a_question_is_paid_for() {
        let config = r#"{"by": "topic", "prompt": "q", "label": "{{ inputs[0].content }}"}"#;
        let ran = with_model(
            |_| says("a"),
            || execute::<Group>(&[input("a", "two\nlines")], config),
        );
        assert!(
            matches!(&ran.result, Err(Error::InvalidInput(text)) if text.contains("has a control character")),
            "{:?}",
            ran.result
        );
        assert!(ran.requests.is_empty());
    }
}
