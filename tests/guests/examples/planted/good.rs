//! Guests that keep to the contract in unusual ways: no point may fail.

use synix_plugin::{Error, Input, Output, Request, Unit};

use crate::execute::bytes;
use crate::kit::{ask, config, label, metadata, out, with_metadata};

pub(crate) fn execute(
    name: &str,
    unit: &Unit,
    inputs: &[Input],
    settings: &str,
) -> Result<Vec<Output>, Error> {
    if name == "good-all" || name.starts_with("good-grouped") {
        let texts: Vec<&str> = inputs
            .iter()
            .map(|one| one.text().unwrap_or_default())
            .collect();
        return Ok(vec![out(&unit.key, texts.join("\n"))]);
    }
    let mut made = Vec::new();
    for input in inputs {
        made.extend(one(name, input, settings)?);
    }
    Ok(made)
}

fn one(name: &str, input: &Input, settings: &str) -> Result<Vec<Output>, Error> {
    let at = label(input);
    let settings = config(settings);
    if name == "good-bytes" {
        return Ok(vec![bytes(
            at,
            "application/x-y; a=\"b\"",
            vec![0, 255, 254, 10],
        )]);
    }
    let text = input.text()?;
    let copy = || vec![out(at, text)];
    Ok(match name {
        "good-rounds" => {
            let mut known = vec![text.to_owned(), format!("Also: {text}")];
            for round in 0..3 {
                let requests: Vec<Request> = known
                    .iter()
                    .map(|one| Request::user(format!("{round}: {one}")))
                    .collect();
                known = synix_plugin::complete_all(&requests)?
                    .into_iter()
                    .map(|one| one.text)
                    .collect();
            }
            vec![out(at, known.join("\n"))]
        }
        "good-quiet" if text.trim().is_empty() => Vec::new(),
        "good-quiet" => vec![out(at, ask(text)?)],
        "good-fan" => {
            let listed = ask(text)?;
            let lines = listed.lines().filter(|line| !line.trim().is_empty());
            let requests: Vec<Request> = lines
                .map(|line| Request::user(format!("More: {line}")))
                .collect();
            let answers = synix_plugin::complete_all(&requests)?.into_iter();
            answers
                .enumerate()
                .map(|(number, answer)| out(format!("{at}-{number}"), answer.text))
                .collect()
        }
        "good-votes" => {
            let draw = |sample: u32| Request {
                sample,
                ..Request::user(text)
            };
            let votes = synix_plugin::complete_all(&[draw(0), draw(1), draw(2)])?;
            vec![out(
                at,
                votes
                    .into_iter()
                    .map(|one| one.text)
                    .max()
                    .unwrap_or_default(),
            )]
        }
        "good-json" => {
            let request = Request {
                response_format: Some(r#"{"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}}, "additionalProperties": false}"#.to_owned()),
                ..Request::user(text)
            };
            let answer = synix_plugin::complete(&request)?.text;
            let title = config(&answer)["title"].as_str().map(str::to_owned);
            vec![out(
                at,
                title.ok_or_else(|| Error::InvalidAnswer("there is no title".to_owned()))?,
            )]
        }
        "good-strict" if text.trim().is_empty() => {
            return Err(Error::InvalidInput(format!("{at} has no text")));
        }
        "good-strict" => {
            let answer = ask(text)?;
            if !answer.starts_with("First ") {
                return Err(Error::InvalidAnswer(format!(
                    "it does not begin with First: {answer}"
                )));
            }
            vec![out(at, answer)]
        }
        "good-unused" => Vec::new(),
        "good-no-outputs" => Vec::new(),
        "good-large" => vec![out(at, "x".repeat(30 << 20))],
        "good-odd-text" => vec![out(
            format!("{at} \u{1f600} \u{fffd}"),
            "\u{feff}\0\u{1b}[2J\u{202e}\r",
        )],
        "good-required" => {
            let is_long = |key: &str| settings[key].as_str().is_some_and(|text| text.len() > 2);
            if !is_long("by") || !is_long("day") || !settings["words"].is_array() {
                return Err(Error::InvalidConfig(format!(
                    "not what the schema says: {settings}"
                )));
            }
            copy()
        }
        "good-metadata" => {
            let topic = metadata(&input.header, "topic").unwrap_or_default();
            vec![with_metadata(out(at, text), "topic", topic.to_string())]
        }
        "good-twice-llm" => vec![out(at, ask(text)?)],
        "good-prefix" => vec![
            out(format!("{at}-items"), "a"),
            out(format!("{at}-ordered"), "b"),
        ],
        "good-nested" | "good-open" | "good-file" => vec![out(at, text)],
        _ => copy(),
    })
}
