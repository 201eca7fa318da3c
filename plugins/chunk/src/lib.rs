//! Cuts each input into pieces without a model.
//!
//! `cut` decides where pieces end, `headings` finds headings, and `turns` those of a conversation. This module owns the config and the metadata of a
//! piece.

mod cut;
mod headings;
mod turns;

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use synix_parts::tokens::{TOKEN, weight};
use synix_plugin::{Error, Header, Input, Output, Shape, Transform, schema_of};

use cut::{Piece, Rule};
use headings::Section;
use turns::Turns;

/// The number of UTF-8 bytes that count as one token.
const TOKEN_BYTES: usize = 4;
/// The minimum of `max_tokens`; a character has at most a quarter of it.
const LEAST_TOKENS: u32 = 16;
/// The minimum number of digits in the number of a piece.
const DIGITS: usize = 3;

struct Chunk;

/// The config of a layer.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// `headings` cuts before each Markdown heading, and cuts longer sections by length. `turns` cuts between the turns
    /// of a conversation that the reader `chats` made, and cuts a turn only if it alone is too long. `size` and `tokens`
    /// cut by length alone.
    #[serde(default)]
    by: By,
    /// The maximum size of a piece, including its overlap, in `unit`; without an effect beside `max_tokens`.
    #[serde(default = "two_thousand")]
    #[schemars(range(min = 1))]
    size: u32,
    /// The maximum size of a piece in tokens, estimated by script, in place of `size`; needed with `tokens`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", range(min = 16))]
    max_tokens: Option<u32>,
    /// The maximum size of the text that a piece repeats from the end of the previous one, in `unit` or, beside
    /// `max_tokens`, in tokens; less than the size of a piece. The overlap begins at a word if possible, and does not
    /// cross a heading or a turn.
    #[serde(default)]
    overlap: u32,
    /// The unit of sizes: Unicode characters, or tokens, which are estimated as 4 bytes of UTF-8 each.
    #[serde(default)]
    unit: Unit,
    /// The text after which to cut, or a list of texts, the best first. The first one that leaves a piece at least half
    /// full is used; if there is none, the piece ends where it is full.
    #[serde(default)]
    separator: Separator,
    /// The kind of the pieces.
    #[serde(default = "text")]
    #[schemars(length(min = 1, max = 128))]
    kind: String,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum By {
    #[default]
    Size,
    Headings,
    Turns,
    Tokens,
}

#[derive(Deserialize, Serialize, JsonSchema, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Unit {
    #[default]
    Characters,
    Tokens,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
enum Separator {
    One(#[schemars(length(min = 1))] String),
    Many(#[schemars(inner(length(min = 1)))] Vec<String>),
}

impl Default for Separator {
    /// Paragraphs, lines, sentences, words.
    fn default() -> Self {
        let texts = ["\n\n", "\r\n\r\n", "\n", ". ", "? ", "! ", "。", " "];
        Self::Many(texts.map(str::to_owned).to_vec())
    }
}

const fn two_thousand() -> u32 {
    2000
}

fn text() -> String {
    "text".to_owned()
}

impl Config {
    fn rule(&self) -> Result<Rule, Error> {
        let invalid = |text: String| Err(Error::InvalidConfig(text));
        let separators = match &self.separator {
            Separator::One(one) => vec![one.clone()],
            Separator::Many(many) => many.clone(),
        };
        if separators.iter().any(String::is_empty) {
            return invalid(
                "`separator` has an empty text: write what to cut after, or [] to cut where a piece is full"
                    .to_owned(),
            );
        }
        match (self.by, self.max_tokens) {
            (By::Tokens, None) => {
                return invalid("`by = \"tokens\"` needs `max_tokens`".to_owned());
            }
            (By::Size, Some(_)) => {
                return invalid(
                    "`max_tokens` has no effect with `by = \"size\"`: write `by = \"tokens\"`"
                        .to_owned(),
                );
            }
            (By::Headings | By::Turns | By::Tokens, Some(tokens)) => {
                return self.rule_of_tokens(tokens, separators);
            }
            (By::Headings | By::Turns | By::Size, None) => {}
        }
        if self.size == 0 {
            return invalid("`size` is 0: write 1 or more".to_owned());
        }
        if self.overlap >= self.size {
            return invalid(format!(
                "`overlap` is {} and `size` is {}: write an `overlap` of at most {}",
                self.overlap,
                self.size,
                self.size - 1
            ));
        }
        let (scale, weighs): (usize, fn(char) -> usize) = match self.unit {
            Unit::Characters => (1, |_| 1),
            Unit::Tokens => (TOKEN_BYTES, char::len_utf8),
        };
        Ok(Rule {
            size: (self.size as usize).saturating_mul(scale),
            overlap: (self.overlap as usize).saturating_mul(scale),
            weight: weighs,
            separators,
        })
    }

    fn rule_of_tokens(&self, tokens: u32, separators: Vec<String>) -> Result<Rule, Error> {
        if tokens < LEAST_TOKENS {
            return Err(Error::InvalidConfig(format!(
                "`max_tokens` is {tokens}: write at least {LEAST_TOKENS}"
            )));
        }
        // One character may be several tokens, and each piece must have a new one.
        let most = tokens - LEAST_TOKENS / 2;
        if self.overlap > most {
            return Err(Error::InvalidConfig(format!(
                "`overlap` is {} and `max_tokens` is {tokens}: write an `overlap` of at most {most}",
                self.overlap
            )));
        }
        Ok(Rule {
            size: (tokens as usize).saturating_mul(TOKEN),
            overlap: (self.overlap as usize).saturating_mul(TOKEN),
            weight,
            separators,
        })
    }
}

impl Transform for Chunk {
    const NAME: &'static str = "chunk";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Cuts each input into pieces";
    const SHAPE: Shape = Shape::PerInput;
    const CAPABILITIES: &'static [&'static str] = &[];
    type Config = Config;

    fn config_schema() -> String {
        schema_of::<Config>()
    }

    fn execute(
        _: &synix_plugin::Unit,
        inputs: &[Input],
        config: &Config,
    ) -> Result<Vec<Output>, Error> {
        let rule = config.rule()?;
        let mut outputs = Vec::new();
        for input in inputs {
            let text = input.text()?;
            let sections = sections(text, &rule, config.by);
            let mut pieces = Vec::new();
            let mut owners = Vec::new();
            for section in &sections {
                rule.cut(text, section.range.clone(), &mut pieces);
                owners.resize(pieces.len(), section);
            }
            outputs.extend(outputs_of(&input.header, text, &pieces, &owners, config));
        }
        Ok(outputs)
    }
}

synix_plugin::export!(Chunk);

/// A range of a text that is cut by length, and what its pieces have as metadata.
struct Part {
    range: Range<usize>,
    metadata: Option<(&'static str, Value)>,
}

fn sections(text: &str, rule: &Rule, by: By) -> Vec<Part> {
    let of_heading = |section: Section| Part {
        range: section.range,
        metadata: Some(("headings", json!(section.path))),
    };
    let of_turns = |turns: Turns| Part {
        range: turns.range,
        metadata: Some(("turns", json!(turns.count))),
    };
    match by {
        By::Headings => headings::sections(text)
            .into_iter()
            .map(of_heading)
            .collect(),
        By::Turns => turns::runs(text, rule).into_iter().map(of_turns).collect(),
        By::Size | By::Tokens => vec![Part {
            range: 0..text.len(),
            metadata: None,
        }],
    }
}

/// Makes an output for each piece of an input; `owners` are the sections of the pieces.
fn outputs_of(
    header: &Header,
    text: &str,
    pieces: &[Piece],
    owners: &[&Part],
    config: &Config,
) -> Vec<Output> {
    let count = pieces.len();
    let digits = DIGITS.max(count.to_string().len());
    let mut outputs = Vec::with_capacity(count);
    let (mut seen, mut seen_bytes) = (0, 0);
    for (number, (piece, section)) in (1_usize..).zip(pieces.iter().zip(owners)) {
        seen += text[seen_bytes..piece.added].chars().count();
        let repeated = text[piece.start..piece.added].chars().count();
        let added = text[piece.added..piece.end].chars().count();
        let start = seen - repeated;
        (seen, seen_bytes) = (seen + added, piece.end);
        let mut own = vec![
            ("source", json!(header.label)),
            ("index", json!(number)),
            ("count", json!(count)),
            ("start", json!(start)),
            ("end", json!(seen)),
            ("overlap", json!(repeated)),
        ];
        own.extend(section.metadata.clone());
        let label = format!("{}-{number:0digits$}", header.label);
        let output = Output::text(label, &config.kind, &text[piece.start..piece.end]);
        outputs.push(
            own.iter()
                .fold(output.with_metadata_of(header), |output, (key, value)| {
                    output.with_metadata(*key, value)
                }),
        );
    }
    outputs
}

#[cfg(test)]
mod tests;
