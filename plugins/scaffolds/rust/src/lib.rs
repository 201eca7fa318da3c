//! Extracts the action items of each input, then orders them by urgency.

use schemars::JsonSchema;
use serde::Deserialize;
use synix_plugin::{Error, Input, Output, Request, Shape, Transform, Unit, complete, schema_of};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Most items to list
    #[serde(default = "five")]
    #[schemars(range(min = 1, max = 20))]
    limit: u32,
}

fn five() -> u32 {
    5
}

struct ActionItems;

impl Transform for ActionItems {
    const NAME: &'static str = "{{name}}";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Extracts action items and orders them by urgency";
    const SHAPE: Shape = Shape::PerInput;
    type Config = Config;

    fn config_schema() -> String {
        schema_of::<Config>()
    }

    fn execute(_: &Unit, inputs: &[Input], config: &Config) -> Result<Vec<Output>, Error> {
        let mut outputs = Vec::new();
        for input in inputs {
            outputs.extend(extract(input, config.limit)?);
        }
        Ok(outputs)
    }
}

synix_plugin::export!(ActionItems);

fn extract(input: &Input, limit: u32) -> Result<[Output; 2], Error> {
    let label = &input.header.label;
    let text = input.text()?;
    let items = ask(format!(
        "List the action items in this text, one per line, at most {limit}. \
        Write \"none\" if there are none.\n\n{text}"
    ))?;
    let ordered = ask(format!(
        "Order these action items by urgency, most urgent first, one per line.\n\n{items}"
    ))?;
    Ok([
        output(label, "-items", "action-items", &items),
        output(label, "-ordered", "action-items-ordered", &ordered),
    ])
}

fn ask(text: String) -> Result<String, Error> {
    let answer = complete(&Request::user(text).max_tokens(300).temperature(0.0))?;
    Ok(answer.text.trim().to_owned())
}

fn output(source: &str, end: &str, kind: &str, text: &str) -> Output {
    let count = text.lines().filter(|line| !line.trim().is_empty()).count();
    Output::text(format!("{source}{end}"), kind, text)
        .with_metadata("source", &source.into())
        .with_metadata("count", &count.into())
}

#[cfg(test)]
mod tests {
    use synix_plugin::llm::{LlmError, Part, Response};
    use synix_plugin::testing::{execute, input, says, with_model};
    use synix_plugin::{Blob, Content};

    use super::*;

    fn question(request: &Request) -> &str {
        match &request.messages[0].parts[0] {
            Part::Text(text) => text,
            other => panic!("not a text: {other:?}"),
        }
    }

    fn model(request: &Request) -> Result<Response, LlmError> {
        says(if question(request).starts_with("List") {
            " call Ada\npay rent \n"
        } else {
            "pay rent\n\ncall Ada"
        })
    }

    #[test]
    fn both_lists_become_outputs() {
        let notes = [input("monday", "Ada asked for a call; the rent is due.")];
        let ran = with_model(model, move || execute::<ActionItems>(&notes, "{}"));
        let expected = |end, kind, text| {
            Output::text(format!("monday{end}"), kind, text)
                .with_metadata("source", &"monday".into())
                .with_metadata("count", &2.into())
        };
        assert_eq!(
            ran.result.unwrap(),
            [
                expected("-items", "action-items", "call Ada\npay rent"),
                expected("-ordered", "action-items-ordered", "pay rent\n\ncall Ada"),
            ]
        );
    }

    #[test]
    fn the_second_question_holds_the_first_answer() {
        let notes = [input("monday", "notes")];
        let ran = with_model(model, move || execute::<ActionItems>(&notes, r#"{"limit": 3}"#));
        assert!(question(&ran.requests[0]).contains("at most 3."));
        assert!(question(&ran.requests[1]).ends_with("\n\ncall Ada\npay rent"));
    }

    #[test]
    fn a_picture_is_refused_before_anything_is_asked() {
        let mut face = input("face", "");
        face.content = Content::Bytes(Blob { media_type: "image/png".to_owned(), data: vec![0] });
        let ran = with_model(model, move || execute::<ActionItems>(&[face], "{}"));
        assert_eq!(ran.result, Err(Error::InvalidInput("the input `face` is image/png, not text".to_owned())));
        assert!(ran.requests.is_empty());
    }
}
