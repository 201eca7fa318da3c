//! Tests of outputs from answers in JSON.

mod explode;
mod fields;

use minijinja::value::Value as Variables;
use serde_json::json;

use super::*;
use crate::prompt::Question;
use crate::testing::{Ran, says, with_model};

fn config(settings: &Value) -> crate::prompt::Config {
    let mut config = json!({"prompt": "q", "response_format": {"type": "object"}});
    let Value::Object(members) = &mut config else {
        return unreachable_config();
    };
    members.extend(settings.as_object().cloned().unwrap_or_default());
    serde_json::from_value(config).unwrap()
}

fn unreachable_config() -> crate::prompt::Config {
    serde_json::from_str("{}").unwrap()
}

fn ran(settings: &Value, answer: &str) -> Ran<Result<Vec<Output>, Error>> {
    let answer = answer.to_owned();
    let base = Output::text("note", "text", "")
        .with_metadata("date", &json!("2026-01-03"))
        .with_metadata("author", &json!("ann"));
    with_model(
        move |_| says(answer.clone()),
        || {
            let own = [("count", json!(7))];
            let variables = Variables::from_pairs([("label", "note")]);
            config(settings).answer(base, &own, &Question::of_text(variables))
        },
    )
}

fn outputs(settings: &Value, answer: &str) -> Vec<Output> {
    ran(settings, answer).result.unwrap()
}

/// Returns label, content and the metadata beside that of the input and of the transform.
fn parts(output: &Output) -> (&str, &str, Value) {
    let Content::Text(text) = &output.content else {
        return ("", "", Value::Null);
    };
    let added = output.metadata.iter();
    let added = added.filter(|entry| !["date", "author", "count"].contains(&entry.key.as_str()));
    let added: Map<String, Value> = added
        .map(|entry| {
            (
                entry.key.clone(),
                serde_json::from_str(&entry.value).unwrap(),
            )
        })
        .collect();
    (&output.label, text, Value::Object(added))
}

fn labels(settings: &Value, answer: &str) -> Vec<String> {
    let outputs = outputs(settings, answer);
    outputs.into_iter().map(|output| output.label).collect()
}

fn refused(settings: &Value, answer: &str) -> String {
    match ran(settings, answer).result {
        Err(Error::InvalidAnswer(text)) => text,
        other => format!("{other:?}"),
    }
}
