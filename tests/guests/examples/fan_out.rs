//! Asks as many questions at once as its input says, and one that holds all answers.

use synix_plugin::{Error, Input, Output, Request};

synix_test_guests::guest!("fan-out", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let count: u32 = input
        .text()?
        .trim()
        .parse()
        .map_err(|_| Error::InvalidInput("not a number".to_owned()))?;
    let questions: Vec<_> = (0..count)
        .map(|number| Request::user(format!("Part {number}")))
        .collect();
    let answers = synix_plugin::complete_all(&questions)?;
    let joined = answers
        .into_iter()
        .map(|answer| answer.text)
        .collect::<Vec<_>>()
        .join("\n");
    let whole = synix_plugin::complete(&Request::user(format!("Join:\n{joined}")))?.text;
    Ok(vec![Output::text(&input.header.label, "text", whole)])
}
