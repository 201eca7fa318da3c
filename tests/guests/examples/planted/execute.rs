//! What the planted guests make of a unit.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use synix_plugin::llm::Ending;
use synix_plugin::{
    Blob, Content, Error, Input, LlmError, MetadataEntry, OtherError, Output, Request, Unit,
};

use crate::describe::USED;
use crate::kit::{ask, config, depth, label, metadata, out, trap, with_metadata};

static CALLS: AtomicU32 = AtomicU32::new(0);

pub(crate) fn execute(
    fault: &str,
    unit: &Unit,
    inputs: &[Input],
    settings: &str,
) -> Result<Vec<Output>, Error> {
    USED.store(true, Ordering::Relaxed);
    let settings = config(settings);
    match fault {
        "many-all" if inputs.len() > 8 => trap(),
        "many-all" | "mixed-all" | "split-arrival-inside" => {
            let texts: Vec<&str> = inputs
                .iter()
                .map(|one| one.text().unwrap_or_default())
                .collect();
            let empty = inputs.iter().filter(|one| one.text() == Ok("")).count();
            if fault == "mixed-all" && empty > 0 && empty < texts.len() {
                trap();
            }
            return Ok(vec![out(&unit.key, texts.join("\n"))]);
        }
        _ if fault.starts_with("split-") => return Ok(vec![out(&unit.key, label(&inputs[0]))]),
        _ => {}
    }
    let mut made = Vec::new();
    for input in inputs {
        made.extend(one(fault, input, &settings)?);
    }
    Ok(made)
}

fn one(fault: &str, input: &Input, settings: &Value) -> Result<Vec<Output>, Error> {
    let text = input.text()?;
    let name = label(input);
    let refuse = |message: String| Err(Error::InvalidInput(message));
    let copy = out(name, text);
    match fault {
        "answer-second" => {
            let first = ask(format!("One: {text}"))?;
            if !first.starts_with("First ") {
                return Err(Error::InvalidAnswer(
                    "it does not begin as it should".to_owned(),
                ));
            }
            let second = ask(format!("Two: {first}"))?;
            return Ok(vec![out(
                name,
                second.lines().nth(1).unwrap_or_else(|| trap()),
            )]);
        }
        "answer-unlike" => {
            let answers = synix_plugin::complete_all(&[
                Request::user(text),
                Request::user(format!("Again: {text}")),
            ])?;
            if answers[0].text.lines().count() != answers[1].text.lines().count() {
                trap();
            }
        }
        "answer-truncated" => {
            if synix_plugin::complete(&Request::user(text))?.ending != Ending::Complete {
                trap();
            }
        }
        "answer-usage" => {
            let usage = synix_plugin::complete(&Request::user(text))?.usage;
            return Ok(vec![out(
                name,
                (usage.input_tokens / usage.output_tokens).to_string(),
            )]);
        }
        "answer-deep" => return Ok(vec![out(name, depth(ask(text)?.as_bytes()).to_string())]),
        "answer-loops" => {
            let answer = ask(text)?;
            while std::hint::black_box(answer.contains('{')) {}
        }
        "answer-silent" => {
            if ask(text)?.trim().is_empty() {
                return Err(Error::InvalidAnswer(" ".to_owned()));
            }
        }
        "answer-details" => {
            let details = synix_plugin::complete(&Request::user(text))?.details;
            if config(&details)
                .as_object()
                .is_some_and(|members| !members.is_empty())
            {
                trap();
            }
        }
        "swallow-second" => {
            let first = ask(text)?;
            return Ok(vec![out(name, ask(first).unwrap_or_default())]);
        }
        "swallow-limit" => {
            let answer = match synix_plugin::complete(&Request::user(text)) {
                Ok(answer) => answer.text,
                Err(LlmError::OverLimit(_)) => "too much".to_owned(),
                Err(other) => return Err(other.into()),
            };
            return Ok(vec![out(name, answer)]);
        }
        "swallow-shorter" => {
            let answer = match synix_plugin::complete(&Request::user(text)) {
                Ok(answer) => answer.text,
                Err(_) => ask("shorter")?,
            };
            return Ok(vec![out(name, answer)]);
        }
        "swallow-trap" => {
            let first = ask(text)?;
            let second = ask(format!("Again: {first}"));
            return Ok(vec![out(name, second.unwrap_or_else(|_| trap()))]);
        }
        "label-answer" => {
            let answer = ask(text)?;
            let first: String = answer
                .lines()
                .next()
                .unwrap_or_default()
                .chars()
                .take(200)
                .filter(|one| !one.is_control())
                .collect();
            return Ok(vec![out(format!("x{first}"), answer)]);
        }
        "label-lines" => {
            let answer = ask(text)?;
            let of = |line: &str| {
                out(
                    format!(
                        "{name} {}",
                        line.chars()
                            .take(60)
                            .filter(|one| !one.is_control())
                            .collect::<String>()
                    ),
                    line,
                )
            };
            return Ok(answer.lines().map(of).collect());
        }
        "label-content" => {
            return Ok(vec![out(
                format!(
                    "x{}",
                    text.chars()
                        .take(20)
                        .filter(|one| !one.is_control())
                        .collect::<String>()
                ),
                text,
            )]);
        }
        "label-lower" => return Ok(vec![out(name.to_lowercase(), text)]),
        "label-slug" => {
            return Ok(vec![out(
                name.replace(|one: char| !one.is_alphanumeric(), "-"),
                text,
            )]);
        }
        "label-slice" if !name.is_char_boundary(3.min(name.len())) => trap(),
        "label-cut" => return Ok(vec![out(name.chars().take(24).collect::<String>(), text)]),
        "label-last" => return Ok(vec![out(name.rsplit('/').next().unwrap_or(name), text)]),
        "kind-match" if input.header.kind != "text" => trap(),
        "metadata-missing" => {
            if metadata(&input.header, "topic").is_none() {
                trap();
            }
        }
        "metadata-type" => {
            if metadata(&input.header, "date").is_some_and(|date| !date.is_string()) {
                trap();
            }
        }
        "metadata-own" => {
            let mut copy = with_metadata(copy, "origin", "1");
            copy.metadata.extend(input.header.metadata.clone());
            return Ok(vec![copy]);
        }
        "input-deep" => return Ok(vec![out(name, depth(text.as_bytes()).to_string())]),
        "input-square" => {
            let mut sum = 0_u64;
            for left in text.bytes() {
                for right in text.bytes() {
                    sum =
                        std::hint::black_box(sum.wrapping_add(u64::from(left) * u64::from(right)));
                }
            }
            return Ok(vec![out(name, sum.to_string())]);
        }
        "request-format" => {
            let mut request = Request::user(text);
            request.response_format = Some(r#"{"type": "thing"}"#.to_owned());
            return Ok(vec![out(name, synix_plugin::complete(&request)?.text)]);
        }
        "request-hot" => {
            let mut request = Request::user(text);
            request.temperature = Some(7.0);
            return Ok(vec![out(name, synix_plugin::complete(&request)?.text)]);
        }
        "request-hot-trap" => {
            let mut request = Request::user(text);
            request.temperature = Some(f64::NAN);
            return Ok(vec![out(
                name,
                synix_plugin::complete(&request).map_or_else(|_| trap(), |answer| answer.text),
            )]);
        }
        "idle-declared" => {}
        "error-silent" if text.is_empty() => return refuse(String::new()),
        "error-escape" if text.is_empty() => return refuse("\u{1b}[2J\u{1b}[31mno".to_owned()),
        "error-huge" if text.is_empty() => return refuse("no ".repeat(400_000)),
        "error-no-code" if text.is_empty() => {
            return Err(Error::Other(OtherError {
                code: String::new(),
                message: "no".to_owned(),
            }));
        }
        "error-ordinary-escape" => return refuse("\u{1b}[2J\u{202e}no\u{7}".to_owned()),
        "error-ordinary-silent" => return refuse(String::new()),
        "config-enum" if settings["mode"] == "slow" => trap(),
        "config-false" if settings["strict"] == false => trap(),
        "config-nested-zero" if settings["page"]["size"] == 0 => trap(),
        "config-nested-default" => {
            return Ok(vec![out(
                name,
                settings["page"]["size"].as_i64().unwrap_or(20).to_string(),
            )]);
        }
        "config-items"
            if settings["words"]
                .as_array()
                .is_some_and(|words| words.iter().any(|word| word == "")) =>
        {
            trap()
        }
        "config-both" if settings["a"].is_string() && settings["b"].is_string() => trap(),
        "config-loop" | "config-loop-forbidden" => {
            let step = settings["step"].as_i64().unwrap_or(1);
            let mut at = 0;
            while at < 100 {
                at += std::hint::black_box(step.clamp(0, 100));
            }
        }
        "config-silent-error" if settings["step"].as_i64().unwrap_or(1) < 1 => {
            return Err(Error::InvalidConfig("\n".to_owned()));
        }
        "output-media" => return Ok(vec![bytes(name, "image", vec![1])]),
        "output-kind" => {
            return Ok(vec![Output {
                kind: String::new(),
                ..copy
            }]);
        }
        "output-kind-line" => {
            return Ok(vec![Output {
                kind: "a\nb".to_owned(),
                ..copy
            }]);
        }
        "output-escape" => return Ok(vec![out(format!("{name}\u{1b}[2J"), text)]),
        "output-nan" => return Ok(vec![with_metadata(copy, "score", "NaN")]),
        "output-twice" => return Ok(vec![with_metadata(with_metadata(copy, "a", "1"), "a", "2")]),
        "output-deep" => return Ok(vec![with_metadata(copy, "a", "[".repeat(100_000))]),
        "output-key" => return Ok(vec![with_metadata(copy, "", "1")]),
        "output-big-number" => return Ok(vec![with_metadata(copy, "a", "9007199254740993")]),
        "output-many" => {
            return Ok((0..2_000_000)
                .map(|n| out(format!("{name} {n}"), ""))
                .collect());
        }
        "output-large" => return Ok(vec![out(name, "x".repeat(40 << 20))]),
        "output-larger" => return Ok(vec![out(name, "x".repeat(1 << 30))]),
        "log-flood" => (0..3000).for_each(|_| {
            synix_plugin::log::write(synix_plugin::log::Level::Info, &"x".repeat(1000));
        }),
        "state-hang" if CALLS.fetch_add(1, Ordering::Relaxed) > 0 => {
            while std::hint::black_box(true) {}
        }
        "state-trap" if CALLS.fetch_add(1, Ordering::Relaxed) > 0 => trap(),
        "state-output" => {
            return Ok(vec![out(
                format!("{name} {}", CALLS.fetch_add(1, Ordering::Relaxed)),
                text,
            )]);
        }
        "state-ask" => {
            return Ok(vec![out(
                name,
                ask(format!("{}: {text}", CALLS.fetch_add(1, Ordering::Relaxed)))?,
            )]);
        }
        _ => {}
    }
    Ok(vec![copy])
}

pub(crate) fn bytes(name: &str, media_type: &str, data: Vec<u8>) -> Output {
    Output {
        label: name.to_owned(),
        kind: "picture".to_owned(),
        content: Content::Bytes(Blob {
            media_type: media_type.to_owned(),
            data,
        }),
        metadata: Vec::<MetadataEntry>::new(),
    }
}
