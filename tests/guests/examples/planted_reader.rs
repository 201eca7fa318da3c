//! Many readers in one file: each has the one fault, or the one oddity, whose name is in [`CHOSEN`].
//!
//! As in `planted`, a test writes the name over the bytes of the finished component. An ordinary one makes each line of
//! a file an artifact, of at most 1 MiB of it.

#![allow(
    clippy::unwrap_used,
    reason = "some of these readers crash, as those of authors do"
)]

use std::fmt::Write as _;

use serde_json::Value;
use synix_plugin::bindings::reader::Guest;
use synix_plugin::bindings::reader::synix::plugin::reading::{self, File, Reason};
use synix_plugin::{Descriptor, Error, OtherError, Output, Shape};

/// `synix-planted:`, then the name, filled up with full stops.
static CHOSEN: [u8; 48] = *b"synix-planted:..................................";

const MEBIBYTE: u32 = 1 << 20;

/// Returns the name of the fault.
fn chosen() -> &'static str {
    let whole = std::str::from_utf8(std::hint::black_box(&CHOSEN)).unwrap_or_default();
    let name = whole.split_once(':').map_or("", |(_, name)| name);
    name.trim_end_matches('.')
}

struct Planted;

impl Guest for Planted {
    fn describe() -> Descriptor {
        let fault = chosen();
        let mut descriptor = Descriptor {
            name: "planted".to_owned(),
            version: "1.0.0".to_owned(),
            summary: "A guest for tests".to_owned(),
            config_schema: schema(fault),
            capabilities: Vec::new(),
            shape: Shape::PerInput,
        };
        match fault {
            "shape-all" => descriptor.shape = Shape::All,
            "declares-llm" => descriptor.capabilities.push("llm".to_owned()),
            "summary-blank" => descriptor.summary = " ".to_owned(),
            "version-word" => descriptor.version = "latest".to_owned(),
            "name-case" => descriptor.name = "Planted".to_owned(),
            _ => {}
        }
        descriptor
    }

    fn read(file: &File, config: String) -> Result<(), Error> {
        let settings: Value = serde_json::from_str(&config)
            .map_err(|error| Error::InvalidConfig(error.to_string()))?;
        let bytes = bytes_of(file);
        let read = Read {
            name: file.name(),
            bytes: &bytes,
            config: &config,
            settings: &settings,
        };
        before(&read)?;
        lines(&read);
        Ok(())
    }
}

fn schema(fault: &str) -> String {
    let properties = match fault {
        "config-default" | "config-traps" | "good-config" => {
            r#""prefix": {"type": "string", "default": "a"}"#
        }
        "schema-default" => r#""prefix": {"type": "string", "default": 1}"#,
        "good-required" => r#""prefix": {"type": "string", "minLength": 1}"#,
        _ => "",
    };
    let required = if fault == "good-required" {
        r#""prefix""#
    } else {
        ""
    };
    let object = if fault == "schema-no-type" {
        ""
    } else {
        r#""type": "object","#
    };
    let closed = if fault == "schema-open" {
        ""
    } else {
        r#", "additionalProperties": false"#
    };
    format!(r#"{{{object} "properties": {{{properties}}}, "required": [{required}]{closed}}}"#)
}

struct Read<'a> {
    name: String,
    bytes: &'a [u8],
    config: &'a str,
    settings: &'a Value,
}

/// Reads the start of a file, or what the fault makes of it.
fn bytes_of(file: &File) -> Vec<u8> {
    let mut bytes = Vec::new();
    match chosen() {
        // Relies on one call.
        "parts-one" => return file.read(0, MEBIBYTE),
        "sparse-at-once" => bytes.reserve_exact(usize::try_from(file.size()).unwrap()),
        _ => {}
    }
    let is_greedy = matches!(chosen(), "sparse-grows" | "sparse-at-once");
    let mut at = 0;
    while at < u64::from(MEBIBYTE) || is_greedy || chosen() == "good-streams" {
        let part = file.read(at, MEBIBYTE);
        if part.is_empty() {
            break;
        }
        at += part.len() as u64;
        if bytes.len() < MEBIBYTE as usize || is_greedy {
            bytes.extend(part);
        }
    }
    bytes
}

/// What happens before a file is read.
fn before(read: &Read<'_>) -> Result<(), Error> {
    let Read {
        name,
        bytes,
        settings,
        ..
    } = read;
    let is_empty = bytes.is_empty();
    match chosen() {
        "ordinary-traps" => panic!("on purpose"),
        "ordinary-unnamed" => Err(Error::InvalidInput("\u{1b}[2J".to_owned())),
        "empty-traps" => {
            assert!(!is_empty, "on purpose");
            Ok(())
        }
        "error-silent" if is_empty => Err(Error::InvalidInput(" ".to_owned())),
        "error-uncoded" if is_empty => Err(Error::Other(OtherError {
            code: String::new(),
            message: "It is empty.".to_owned(),
        })),
        "noise-traps" => {
            assert!(std::str::from_utf8(bytes).is_ok(), "on purpose");
            Ok(())
        }
        "cut-traps" => {
            let is_small = bytes.len() < 60_000;
            let is_known = is_small && bytes.starts_with(b"t") && bytes.is_ascii();
            assert!(!is_known || bytes.ends_with(b"\n"), "on purpose");
            Ok(())
        }
        "name-traps" => {
            assert!(name.contains('.'), "on purpose");
            Ok(())
        }
        "config-traps" => {
            let prefix = settings["prefix"].as_str().unwrap_or_default();
            assert!(prefix.len() < 1000, "on purpose");
            Ok(())
        }
        "log-flood" => {
            let line = "x".repeat(4000);
            for _ in 0..300 {
                synix_plugin::log::write(synix_plugin::log::Level::Info, &line);
            }
            Ok(())
        }
        "good-refuses" => Err(Error::InvalidInput("it is no card file".to_owned())),
        "good-required" if settings["prefix"].as_str().is_none_or(str::is_empty) => {
            Err(Error::InvalidConfig("`prefix` is needed".to_owned()))
        }
        _ => Ok(()),
    }
}

/// Hands over each line.
fn lines(read: &Read<'_>) {
    let Read {
        name,
        bytes,
        config,
        settings,
    } = read;
    let fault = chosen();
    if fault == "good-nothing" {
        return;
    }
    if bytes.is_empty() {
        return reading::skip("the file", &Reason::Empty);
    }
    let prefix = match (fault, settings["prefix"].as_str()) {
        ("config-default", None) => "b",
        (_, Some(prefix)) => prefix,
        (_, None) => "a",
    };
    let prefix: String = prefix
        .chars()
        .filter(|one| one.is_alphanumeric())
        .take(20)
        .collect();
    for (number, line) in bytes.split(|byte| *byte == b'\n').take(1000).enumerate() {
        reading::at(&format!("line {}", number + 1));
        if fault == "good-skips" {
            reading::skip("a line", &Reason::Unsupported);
            continue;
        }
        if fault == "reason-other" {
            reading::skip("a line", &Reason::Other("bored".to_owned()));
            continue;
        }
        let Ok(text) = std::str::from_utf8(line) else {
            reading::skip("a line that is not UTF-8", &Reason::Unreadable);
            continue;
        };
        let mut label = format!("{prefix}-{number}");
        let mut kind = "line".to_owned();
        match fault {
            "label-empty" => label.clear(),
            "label-twice" => label.truncate(prefix.len()),
            "kind-lines" => kind.push('\n'),
            "config-bytes" => {
                let _ = write!(label, "-{}", config.len());
            }
            "good-names" => label = format!("{name}-{number}"),
            _ => {}
        }
        reading::emit(&Output::text(
            label,
            kind,
            text.chars().take(100).collect::<String>(),
        ));
    }
}

#[cfg(target_arch = "wasm32")]
synix_plugin::bindings::reader::export_reader_world!(Planted with_types_in synix_plugin::bindings::reader);
// Off WebAssembly nothing is exported; that it compiles is checked all the same.
#[cfg(not(target_arch = "wasm32"))]
const _: fn() -> Descriptor = <Planted as Guest>::describe;
