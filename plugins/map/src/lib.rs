//! Sends one request about each input.
//!
//! Templates can name `label`, `kind`, `content` and `metadata` of the input.

use synix_plugin::prompt::{self, Config, Wording};
use synix_plugin::{Error, Input, Output, Shape, Transform, Unit};

struct Map;

impl Transform for Map {
    const NAME: &'static str = "map";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Asks one question about each input";
    const SHAPE: Shape = Shape::PerInput;
    type Config = Config;

    fn config_schema() -> String {
        prompt::schema(Wording {
            variables: "`content`, `label`, `kind` and `metadata`",
            default_label: Some("{{ label }}"),
        })
    }

    fn execute(_: &Unit, inputs: &[Input], config: &Config) -> Result<Vec<Output>, Error> {
        let made: Result<Vec<Vec<Output>>, Error> =
            inputs.iter().map(|input| answer(input, config)).collect();
        Ok(made?.into_iter().flatten().collect())
    }
}

synix_plugin::export!(Map);

fn answer(input: &Input, config: &Config) -> Result<Vec<Output>, Error> {
    let question = config.about(input)?;
    let label = match config.label() {
        Some(template) => template.render_label(&question.variables)?,
        None => input.header.label.clone(),
    };
    let made = Output::text(label, config.kind(), "").with_metadata_of(&input.header);
    config.answer(made, &[], &question)
}

#[cfg(test)]
mod tests {
    use synix_plugin::llm::Part;
    use synix_plugin::testing::{bytes, described, execute, input, says, settings, with_model};
    use synix_plugin::{Blob, MetadataEntry, Request};

    use super::*;

    #[test]
    fn every_setting_that_is_read_is_described() {
        assert_eq!(described::<Map>(), settings::<Config>());
    }

    #[test]
    fn the_answer_becomes_an_output_under_the_inputs_label() {
        let ran = with_model(
            |_| says("A painter."),
            || {
                execute::<Map>(
                    &[input("alice", "She paints.")],
                    r#"{"prompt": "Sum up: {{ content }}"}"#,
                )
            },
        );
        assert_eq!(
            ran.result.unwrap(),
            [Output::text("alice", "text", "A painter.")]
        );
        assert_eq!(ran.requests, [Request::user("Sum up: She paints.")]);
    }

    #[test]
    fn an_output_keeps_the_metadata_of_its_input() {
        let mut note = input("alice", "");
        note.header.metadata.push(MetadataEntry {
            key: "date".to_owned(),
            value: r#""2026-01-03""#.to_owned(),
        });
        let metadata = note.header.metadata.clone();
        let ran = with_model(
            |_| says("a"),
            || execute::<Map>(&[note], r#"{"prompt": "q"}"#),
        );
        assert_eq!(ran.result.unwrap()[0].metadata, metadata);
    }

    #[test]
    fn label_and_kind_can_be_set() {
        let config = r#"{"prompt": "q", "label": "ws-{{ label }}", "kind": "work-style"}"#;
        let ran = with_model(
            |_| says("a"),
            || execute::<Map>(&[input("alice", "")], config),
        );
        assert_eq!(
            ran.result.unwrap(),
            [Output::text("ws-alice", "work-style", "a")]
        );
    }

    #[test]
    fn the_text_of_a_prompt_file_is_a_template() {
        let config = r#"{"prompt_file": "Who is {{ label }}?\n"}"#;
        let ran = with_model(
            |_| says("a"),
            || execute::<Map>(&[input("alice", "")], config),
        );
        assert_eq!(ran.requests, [Request::user("Who is alice?")]);
    }

    #[test]
    fn a_label_with_an_unknown_variable_is_found_before_a_request_is_paid_for() {
        let config = r#"{"prompt": "q", "label": "{{ nme }}"}"#;
        let ran = with_model(
            |_| says("a"),
            || execute::<Map>(&[input("alice", "")], config),
        );
        assert!(
            matches!(ran.result, Err(Error::InvalidInput(text)) if text.contains("label line 1"))
        );
        assert!(ran.requests.is_empty());
    }

    #[test]
    fn an_invalid_label_is_found_before_a_request_is_paid_for() {
        for (content, rule) in [
            ("", "is empty".to_owned()),
            ("two\nlines", "has a control character".to_owned()),
            (&"x".repeat(513), "has more than 512 characters".to_owned()),
        ] {
            let config = r#"{"prompt": "q", "label": "{{ content }}"}"#;
            let inputs = [input("alice", content)];
            let ran = with_model(|_| says("a"), || execute::<Map>(&inputs, config));
            assert!(
                matches!(&ran.result, Err(Error::InvalidInput(text)) if text.starts_with("the label ") && text.ends_with(&rule)),
                "{:?}",
                ran.result
            );
            assert!(ran.requests.is_empty());
        }
        let config = r#"{"prompt": "q", "label": "{{ content }}"}"#;
        let longest = [input("alice", &"ä".repeat(512))];
        let ran = with_model(|_| says("a"), || execute::<Map>(&longest, config));
        assert!(ran.result.is_ok());
    }

    #[test]
    fn with_a_response_format_an_answer_that_is_not_json_is_refused() {
        let config = r#"{"prompt": "q", "response_format": {"type": "object"}}"#;
        let run = |answer: &'static str| {
            with_model(
                move |_| says(answer),
                || execute::<Map>(&[input("a", "")], config),
            )
            .result
        };
        assert!(matches!(run("Sure!"), Err(Error::InvalidAnswer(_))));
        assert_eq!(
            run(r#"{"x": 1}"#).unwrap(),
            [Output::text("a", "text", r#"{"x": 1}"#)]
        );
    }

    #[test]
    fn an_input_that_is_not_text_is_refused_by_its_label() {
        let sound = bytes("hum", "audio/wav", &[0]);
        let ran = with_model(
            |_| says("a"),
            || execute::<Map>(&[sound], r#"{"prompt": "q", "attach": true}"#),
        );
        assert!(
            matches!(ran.result, Err(Error::InvalidInput(text)) if text == "the input `hum` is audio/wav, not text")
        );
    }

    #[test]
    fn a_picture_is_sent_with_the_question_if_attach_is_set() {
        let run = |config: &str| {
            let face = bytes("face", "image/png", &[7]);
            with_model(|_| says("A face."), || execute::<Map>(&[face], config))
        };
        let ran = run(r#"{"prompt": "Who is {{ label }}?", "attach": true}"#);
        assert_eq!(
            ran.result.unwrap(),
            [Output::text("face", "text", "A face.")]
        );
        let [request] = &ran.requests[..] else {
            panic!("{:?}", ran.requests)
        };
        let picture = Part::Image(Blob {
            media_type: "image/png".to_owned(),
            data: vec![7],
        });
        let text = Part::Text("Who is face?".to_owned());
        assert_eq!(request.messages[0].parts, [picture, text]);
        let ran = run(r#"{"prompt": "Who is {{ label }}?"}"#);
        assert!(
            matches!(ran.result, Err(Error::InvalidInput(text)) if text.contains("`attach = true`"))
        );
        assert!(ran.requests.is_empty());
    }

    #[test]
    fn an_unknown_setting_is_an_invalid_config() {
        let ran = with_model(
            |_| says("a"),
            || execute::<Map>(&[input("a", "")], r#"{"promt": "q"}"#),
        );
        assert!(matches!(ran.result, Err(Error::InvalidConfig(text)) if text.contains("promt")));
    }

    #[test]
    fn members_are_added_to_the_metadata_of_the_input() {
        let mut note = input("alice", "");
        note.header.metadata.push(MetadataEntry {
            key: "date".to_owned(),
            value: r#""2026-01-03""#.to_owned(),
        });
        let config = r#"{"prompt": "q", "response_format": {}, "fields": ["tags"]}"#;
        let ran = with_model(
            |_| says(r#"{"tags": ["a"], "more": 1}"#),
            || execute::<Map>(&[note], config),
        );
        let made = ran.result.unwrap();
        let metadata = made[0].metadata.iter();
        let metadata: Vec<_> = metadata
            .map(|entry| (entry.key.as_str(), entry.value.as_str()))
            .collect();
        assert_eq!(
            metadata,
            [("date", r#""2026-01-03""#), ("tags", r#"["a"]"#)]
        );
    }

    #[test]
    fn an_empty_prompt_is_an_invalid_config() {
        for config in [r#"{"prompt": " \n"}"#, r#"{"prompt_file": ""}"#] {
            let ran = with_model(|_| says("a"), || execute::<Map>(&[input("a", "")], config));
            assert!(
                matches!(&ran.result, Err(Error::InvalidConfig(text)) if text.contains("is empty")),
                "{:?}",
                ran.result
            );
            assert!(ran.requests.is_empty());
        }
    }
}
