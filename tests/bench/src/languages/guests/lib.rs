use serde::Deserialize;
use synix_plugin::{Error, Input, Output, Request, Shape, Transform, Unit, complete};

#[derive(Deserialize)]
struct Config {}

struct OneQuestion;

impl Transform for OneQuestion {
    const NAME: &'static str = "items";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "Asks the model the text of its input";
    const SHAPE: Shape = Shape::PerInput;
    type Config = Config;

    fn config_schema() -> String {
        r#"{"type": "object"}"#.to_owned()
    }

    fn execute(_: &Unit, inputs: &[Input], _: &Config) -> Result<Vec<Output>, Error> {
        let answer = complete(&Request::user(inputs[0].text()?.to_owned()).max_tokens(100))?;
        Ok(vec![Output::text(&inputs[0].header.label, "text", answer.text)])
    }
}

synix_plugin::export!(OneQuestion);
