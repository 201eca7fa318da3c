//! What one question is about: the variables of its templates, and the pictures beside its text.

use minijinja::value::Value;

use super::Config;
use crate::llm::Part;
use crate::template::{input_variables, variables_of_inputs};
use crate::{Blob, Content, Error, Input};

/// The variables of a request's templates and the pictures that are sent with it.
#[derive(Debug, Clone, Default)]
pub struct Question<'a> {
    /// What the templates can name.
    pub variables: Value,
    pictures: Vec<&'a Blob>,
}

impl Question<'_> {
    /// Returns a question without pictures.
    pub const fn of_text(variables: Value) -> Self {
        Self {
            variables,
            pictures: Vec::new(),
        }
    }

    /// Returns the pictures as parts of a message, in the order of the inputs.
    pub(super) fn pictures(&self) -> impl Iterator<Item = Part> {
        let pictures = self.pictures.iter();
        pictures.map(|&picture| Part::Image(picture.clone()))
    }
}

impl Config {
    /// Returns the question about an input: `label`, `kind`, `content` and `metadata`.
    pub fn about<'a>(&self, input: &'a Input) -> Result<Question<'a>, Error> {
        let content = self.content_of(input)?;
        Ok(self.question(input_variables(input, content), &[input]))
    }

    /// Returns the question about inputs: `inputs`, a list with the variables of each, in order.
    pub fn about_all<'a>(&self, inputs: &[&'a Input]) -> Result<Question<'a>, Error> {
        let variables = [("inputs", self.list(inputs)?)];
        Ok(self.question(Value::from_pairs(variables), inputs))
    }

    /// Returns the question about a group: its name as `group`, and its `inputs`.
    pub fn about_group<'a>(
        &self,
        group: &str,
        inputs: &[&'a Input],
    ) -> Result<Question<'a>, Error> {
        let variables = [
            ("group", Value::from(group)),
            ("inputs", self.list(inputs)?),
        ];
        Ok(self.question(Value::from_pairs(variables), inputs))
    }

    /// Returns the question of a step: the variables of an input and `so_far`, the answer of the previous step.
    pub fn about_step<'a>(&self, input: &'a Input, so_far: &str) -> Result<Question<'a>, Error> {
        let content = self.content_of(input)?;
        let variables = input_variables(input, content);
        let names = ["label", "kind", "content", "metadata"];
        let pairs = names.map(|name| (name, variables.get_attr(name).unwrap_or_default()));
        let so_far = [("so_far", Value::from(so_far))];
        let variables = Value::from_pairs(so_far.into_iter().chain(pairs));
        Ok(self.question(variables, &[input]))
    }

    /// Returns the `content` of an input in templates: its text. That of a picture is empty, and without `attach` an error.
    pub fn content_of<'a>(&self, input: &'a Input) -> Result<&'a str, Error> {
        match picture(input) {
            Some(_) if self.attach => Ok(""),
            Some(picture) if self.has_prompt() => Err(Error::InvalidInput(format!(
                "the input `{}` is {}, not text; with `attach = true` a picture is sent with the question",
                input.header.label, picture.media_type
            ))),
            Some(_) | None => input.text(),
        }
    }

    fn list(&self, inputs: &[&Input]) -> Result<Value, Error> {
        variables_of_inputs(inputs, |input| self.content_of(input))
    }

    fn question<'a>(&self, variables: Value, inputs: &[&'a Input]) -> Question<'a> {
        let pictures = inputs.iter().filter_map(|input| picture(input));
        Question {
            variables,
            pictures: pictures.filter(|_| self.attach).collect(),
        }
    }
}

/// Returns the bytes of an input that is a picture.
fn picture(input: &Input) -> Option<&Blob> {
    match &input.content {
        Content::Bytes(blob) if blob.media_type.starts_with("image/") => Some(blob),
        Content::Bytes(_) | Content::Text(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Request;
    use crate::testing::{bytes, input};

    fn config(settings: &str) -> Config {
        serde_json::from_str(settings).unwrap()
    }

    #[test]
    fn pictures_stand_before_the_text_in_the_order_of_the_inputs() {
        let config = config(
            r#"{"prompt": "{% for i in inputs %}{{ i.label }}={{ i.content }};{% endfor %}", "attach": true}"#,
        );
        let inputs = [
            bytes("b", "image/png", &[1]),
            input("c", "text"),
            bytes("a", "image/webp", &[2]),
        ];
        let inputs: Vec<&Input> = inputs.iter().collect();
        let request = config.request(&config.about_all(&inputs).unwrap()).unwrap();
        let mut expected = Request::user("b=;c=text;a=;");
        let blob = |media_type: &str, byte| {
            Part::Image(Blob {
                media_type: media_type.to_owned(),
                data: vec![byte],
            })
        };
        let pictures = [blob("image/png", 1), blob("image/webp", 2)];
        expected.messages[0].parts.splice(0..0, pictures);
        assert_eq!(request, expected);
    }

    #[test]
    fn the_picture_of_a_message_follows_the_instructions() {
        let config = config(r#"{"prompt": "q", "system": "s", "attach": true}"#);
        let face = bytes("face", "image/png", &[1]);
        let request = config.request(&config.about(&face).unwrap()).unwrap();
        let counts: Vec<usize> = request.messages.iter().map(|m| m.parts.len()).collect();
        assert_eq!(counts, [1, 2]);
    }

    #[test]
    fn a_picture_without_attach_is_an_error_that_tells_of_it() {
        let face = bytes("face", "image/png", &[1]);
        let error = config(r#"{"prompt": "q"}"#).about(&face).unwrap_err();
        let Error::InvalidInput(text) = error else {
            panic!("{error:?}")
        };
        assert_eq!(
            text,
            "the input `face` is image/png, not text; with `attach = true` a picture is sent with the question"
        );
    }

    #[test]
    fn other_bytes_are_never_attached() {
        let sound = bytes("hum", "audio/wav", &[1]);
        let config = config(r#"{"prompt": "q", "attach": true}"#);
        for error in [
            config.about(&sound).unwrap_err(),
            config.about_step(&sound, "").unwrap_err(),
            config.about_group("g", &[&sound]).unwrap_err(),
        ] {
            assert!(
                matches!(&error, Error::InvalidInput(text) if text == "the input `hum` is audio/wav, not text"),
                "{error:?}"
            );
        }
    }

    #[test]
    fn a_step_has_the_variables_of_its_input() {
        let config = config(
            r#"{"prompt": "{{ so_far }}{{ label }}{{ kind }}{{ content }}{{ metadata | length }}"}"#,
        );
        let note = input("a", "text");
        let request = config.request(&config.about_step(&note, "x").unwrap());
        assert_eq!(request.unwrap(), Request::user("xatexttext0"));
    }
}
