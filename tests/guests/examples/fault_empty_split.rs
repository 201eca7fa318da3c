//! Takes it for granted that a layer has inputs.

use synix_plugin::{Error, Header, Input, Output, Shape, Transform, Unit};
use synix_test_guests::NoConfig;

struct Fault;

impl Transform for Fault {
    const NAME: &'static str = "fault-empty-split";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "A guest with a planted fault";
    const SHAPE: Shape = Shape::Grouped;
    const CAPABILITIES: &'static [&'static str] = &[];
    type Config = NoConfig;

    fn config_schema() -> String {
        NoConfig::SCHEMA.to_owned()
    }

    fn split(inputs: &[Header], _: &NoConfig) -> Result<Vec<Unit>, Error> {
        let kind = inputs[0].kind.clone();
        let mut positions: Vec<u32> = (0..).take(inputs.len()).collect();
        positions.sort_by(|&left, &right| {
            let label = |at: u32| inputs.get(at as usize).map(|input| &input.label);
            label(left).cmp(&label(right))
        });
        Ok(vec![Unit {
            key: kind,
            inputs: positions,
            config: None,
        }])
    }

    fn execute(unit: &Unit, inputs: &[Input], _: &NoConfig) -> Result<Vec<Output>, Error> {
        let texts: Result<Vec<&str>, Error> = inputs.iter().map(Input::text).collect();
        Ok(vec![Output::text(&unit.key, "text", texts?.join("\n"))])
    }
}

synix_plugin::export!(Fault);
