//! What a layer sets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use synix_plugin::Error;

use crate::format::Format;

/// What a layer sets.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The format of the files. `auto` recognises it by the structure, never by the name of the file.
    #[serde(default)]
    pub(crate) format: Choice,
    /// Whether a conversation is one artifact (`none`), or one for each day (`day`), for each stretch without a pause of `gap_hours` (`gap`), or for as many turns as fit into `max_tokens` (`turns`).
    #[serde(default)]
    pub(crate) split: Split,
    /// The pause, in hours, that ends a piece with `split = "gap"`.
    #[serde(default = "eight")]
    #[schemars(range(min = 1))]
    pub(crate) gap_hours: u32,
    /// The most tokens of a piece with `split = "turns"`, estimated as one for each 4 bytes of UTF-8. A turn is cut only if it is longer than that.
    #[serde(default = "eight_thousand")]
    #[schemars(range(min = 64))]
    pub(crate) max_tokens: u32,
    /// What else to show: `tools` are calls of tools and their results, `code` is code that the model ran, canvases and artifacts, `thinking` is the model's reasoning, `attachments` is the text of attached files.
    #[serde(default)]
    pub(crate) include: Vec<Extra>,
    /// The order of day, month and year in a WhatsApp chat where the dates can be read in several ways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DateOrder")]
    pub(crate) date_order: Option<DateOrder>,
}

/// `auto`, or a format.
#[derive(Deserialize, Serialize, JsonSchema, Debug, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum Choice {
    #[default]
    Auto,
    #[serde(rename = "chatgpt")]
    ChatGpt,
    Claude,
    ClaudeCode,
    Codex,
    #[serde(rename = "deepseek")]
    DeepSeek,
    Gemini,
    Slack,
    Telegram,
    Text,
    #[serde(rename = "whatsapp")]
    WhatsApp,
}

impl Choice {
    /// Returns the format that the layer asks for.
    pub(crate) fn format(self) -> Option<Format> {
        match self {
            Choice::Auto => None,
            Choice::ChatGpt => Some(Format::ChatGpt),
            Choice::Claude => Some(Format::Claude),
            Choice::ClaudeCode => Some(Format::ClaudeCode),
            Choice::Codex => Some(Format::Codex),
            Choice::DeepSeek => Some(Format::DeepSeek),
            Choice::Gemini => Some(Format::Gemini),
            Choice::Slack => Some(Format::Slack),
            Choice::Telegram => Some(Format::Telegram),
            Choice::Text => Some(Format::Text),
            Choice::WhatsApp => Some(Format::WhatsApp),
        }
    }

    /// Returns whether the layer takes files of `format`.
    pub(crate) fn allows(self, format: Format) -> bool {
        self.format().is_none_or(|chosen| chosen == format)
    }
}

#[derive(Deserialize, Serialize, JsonSchema, Debug, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Split {
    #[default]
    None,
    Day,
    Gap,
    Turns,
}

#[derive(Deserialize, Serialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Extra {
    Tools,
    Thinking,
    Code,
    Attachments,
}

#[derive(Deserialize, Serialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum DateOrder {
    Dmy,
    Mdy,
    Ymd,
}

const fn eight() -> u32 {
    8
}

const fn eight_thousand() -> u32 {
    8000
}

/// The least `max_tokens`: a heading with a long name must leave room for text.
const LEAST_TOKENS: u32 = 64;

impl Config {
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.gap_hours == 0 {
            return Err(Error::InvalidConfig(
                "`gap_hours` is 0: write 1 or more".to_owned(),
            ));
        }
        if self.max_tokens < LEAST_TOKENS {
            return Err(Error::InvalidConfig(format!(
                "`max_tokens` is {}: write {LEAST_TOKENS} or more",
                self.max_tokens
            )));
        }
        Ok(())
    }

    pub(crate) fn shows(&self, extra: Extra) -> bool {
        self.include.contains(&extra)
    }
}

#[cfg(test)]
impl Default for Config {
    fn default() -> Self {
        Config {
            format: Choice::Auto,
            split: Split::None,
            gap_hours: eight(),
            max_tokens: eight_thousand(),
            include: Vec::new(),
            date_order: None,
        }
    }
}
