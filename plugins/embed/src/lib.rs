//! Requests the vector of each input.
//!
//! A unit is one input, so a change of one input asks no other again. The host sends the texts of several units in one
//! call.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use synix_plugin::embedding::embed;
use synix_plugin::{Blob, Content, Error, Input, Output, Shape, Transform, Unit, schema_of};

/// The media type of the outputs: 32-bit little-endian floating-point numbers.
const MEDIA_TYPE: &str = "application/vnd.synix.f32";

struct Embed;

/// The config of a layer: there is nothing to set.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {}

impl Transform for Embed {
    const NAME: &'static str = "embed";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Requests the vector of each input";
    const SHAPE: Shape = Shape::PerInput;
    const CAPABILITIES: &'static [&'static str] = &["embed"];
    type Config = Config;

    fn config_schema() -> String {
        schema_of::<Config>()
    }

    fn execute(_: &Unit, inputs: &[Input], _: &Config) -> Result<Vec<Output>, Error> {
        let texts: Vec<&str> = inputs.iter().map(Input::text).collect::<Result<_, _>>()?;
        if let Some((input, _)) = inputs.iter().zip(&texts).find(|(_, text)| is_blank(text)) {
            return Err(Error::InvalidInput(format!(
                "the input `{}` has no text, so it has no vector",
                input.header.label
            )));
        }
        let vectors = embed(&texts, None)?;
        let outputs = inputs.iter().zip(texts).zip(vectors);
        Ok(outputs
            .map(|((input, text), vector)| {
                let bytes = vector.values.iter().flat_map(|number| number.to_le_bytes());
                let output = Output {
                    content: Content::Bytes(Blob {
                        media_type: MEDIA_TYPE.to_owned(),
                        data: bytes.collect(),
                    }),
                    ..Output::text(&input.header.label, "embedding", "")
                };
                let output = output
                    .with_metadata("dimensions", &Value::from(vector.values.len()))
                    .with_metadata("model", &Value::from(vector.model));
                if vector.used_bytes < text.len() as u64 {
                    return output.with_metadata("truncated", &Value::from(true));
                }
                output
            })
            .collect())
    }
}

synix_plugin::export!(Embed);

fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use synix_plugin::MetadataEntry;
    use synix_plugin::embedding::Vector;
    use synix_plugin::testing::{bytes, described, execute, input, settings, with_embeddings};

    use super::*;

    fn run(inputs: &[Input], used: u64) -> (Result<Vec<Output>, Error>, Vec<String>) {
        let ran = with_embeddings(
            move |text| {
                Ok(Vector {
                    values: vec![0.5, f32::from(u16::try_from(text.len()).unwrap())],
                    model: "m-1".to_owned(),
                    used_bytes: used.min(text.len() as u64),
                    details: "{}".to_owned(),
                })
            },
            || execute::<Embed>(inputs, "{}"),
        );
        (ran.result, ran.texts)
    }

    #[test]
    fn every_setting_that_is_read_is_described() {
        assert_eq!(described::<Embed>(), settings::<Config>());
    }

    #[test]
    fn each_input_becomes_the_bytes_of_its_vector_under_its_label() {
        let (outputs, texts) = run(&[input("a", "Hi"), input("b", "Hello")], u64::MAX);
        assert_eq!(texts, ["Hi", "Hello"]);
        let outputs = outputs.unwrap();
        let entry = |key: &str, value: &str| MetadataEntry {
            key: key.to_owned(),
            value: value.to_owned(),
        };
        let expected: Vec<u8> = [0.5_f32.to_le_bytes(), 5_f32.to_le_bytes()].concat();
        assert_eq!(
            (outputs[1].label.as_str(), outputs[1].kind.as_str()),
            ("b", "embedding")
        );
        assert_eq!(
            outputs[1].content,
            Content::Bytes(Blob {
                media_type: MEDIA_TYPE.to_owned(),
                data: expected
            })
        );
        assert_eq!(
            outputs[1].metadata,
            [entry("dimensions", "2"), entry("model", "\"m-1\"")]
        );
    }

    #[test]
    fn a_text_that_was_cut_is_marked() {
        let (outputs, _) = run(&[input("a", "Hello")], 3);
        let metadata = &outputs.unwrap()[0].metadata;
        assert!(
            metadata
                .iter()
                .any(|entry| entry.key == "truncated" && entry.value == "true")
        );
    }

    #[test]
    fn an_input_without_text_is_refused_by_its_label_before_a_request_is_paid_for() {
        for (empty, reason) in [
            (input("a", " \n"), "has no text"),
            (bytes("a", "image/png", &[1]), "is image/png, not text"),
        ] {
            let (outputs, texts) = run(&[empty], u64::MAX);
            assert!(
                matches!(&outputs, Err(Error::InvalidInput(text)) if text.contains("`a`") && text.contains(reason)),
                "{outputs:?}"
            );
            assert!(texts.is_empty());
        }
    }
}
