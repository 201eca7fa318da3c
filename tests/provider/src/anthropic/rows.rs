//! Runs the rows of a message batch and writes the lines of its results.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::error;
use super::messages::Message;
use crate::answer::{Answer, Corruption, ModelReply, choose_reply};
use crate::call::to_json;
use crate::endpoint::Wire;
use crate::job::{Row, RowOutcome};
use crate::ledger::{Executed, PriceClass};
use crate::prompt::Prompt;
use crate::script::{Mode, StatusReply};
use crate::script_state::ScriptState;
use crate::state::State;

/// The lines written so far, and what they add up to.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    pub(super) lines: Vec<u8>,
    /// The ledger's entries whose answers are in `lines`.
    pub(super) delivers: Vec<u64>,
    pub(super) succeeded: u64,
    pub(super) errored: u64,
    pub(super) canceled: u64,
    pub(super) expired: u64,
}

#[derive(Serialize)]
struct Line<'a> {
    custom_id: &'a str,
    result: RowResult<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum RowResult<'a> {
    Succeeded {
        message: &'a Message,
    },
    /// A success without its message.
    #[serde(rename = "succeeded")]
    Emptied,
    Errored {
        error: Value,
    },
    Canceled,
    Expired,
}

/// Who runs the rows: the batch's id, and where to ask and to record.
pub(super) struct Runner<'a> {
    pub(super) batch: &'a Arc<str>,
    pub(super) state: &'a State,
    pub(super) script_state: &'a ScriptState,
}

impl Runner<'_> {
    /// Writes the lines of one row, running it first where that is its outcome.
    pub(super) fn write(&self, row: &Row, outcome: RowOutcome, sheet: &mut Sheet) {
        match outcome {
            RowOutcome::Run => self.run(row, sheet),
            RowOutcome::Expired => {
                sheet.expired += 1;
                append(sheet, &line(&row.custom_id, RowResult::Expired));
            }
            RowOutcome::Cancelled => {
                sheet.canceled += 1;
                append(sheet, &line(&row.custom_id, RowResult::Canceled));
            }
        }
    }

    fn run(&self, row: &Row, sheet: &mut Sheet) {
        let body: Value = serde_json::from_slice(&row.body).unwrap_or(Value::Null);
        let prompt = match Prompt::read(Wire::Anthropic, &body) {
            Ok(prompt) => prompt,
            Err(bad) => return fail(row, error::of_row(400, &error::of_prompt(&bad)), sheet),
        };
        if !self.script_state.knows(prompt.model) {
            return fail(
                row,
                error::of_row(404, &error::of_model(prompt.model)),
                sheet,
            );
        }
        match choose_reply(self.script_state, &prompt, Mode::Batch).0 {
            ModelReply::Answered(answer, corruption) => {
                self.succeed(row, &prompt, &answer, &corruption, sheet);
            }
            ModelReply::Denied(reply) => fail(row, denied(reply), sheet),
            ModelReply::Html => fail(row, error::of_row(502, error::message_of(502)), sheet),
            ModelReply::Dropped => sheet.errored += 1,
            ModelReply::StatusZero => fail(row, error::of_row(500, error::message_of(500)), sheet),
        }
    }

    fn succeed(
        &self,
        row: &Row,
        prompt: &Prompt<'_>,
        answer: &Answer,
        corruption: &Corruption,
        sheet: &mut Sheet,
    ) {
        let sequence = self.state.book.record(Executed {
            sequence: 0,
            endpoint: Arc::clone(self.batch),
            custom_id: Some(row.custom_id.clone()),
            body: prompt.body,
            model: Arc::from(prompt.model),
            input_tokens: prompt.input_tokens,
            output_tokens: answer.output_tokens,
            price: PriceClass::Batch,
            delivered: false,
        });
        sheet.succeeded += 1;
        let message = Message::new(prompt, answer, Mode::Batch);
        let mut text = line(&row.custom_id, RowResult::Succeeded { message: &message });
        match *corruption {
            Corruption::Lost | Corruption::RowMissing => return,
            Corruption::Truncated(drop) => {
                text.truncate(text.len().saturating_sub(drop));
                return append(sheet, &text);
            }
            Corruption::Garbled => {
                text[0] = b'<';
                return append(sheet, &text);
            }
            Corruption::Emptied => text = line(&row.custom_id, RowResult::Emptied),
            Corruption::Raw(ref raw) => {
                text = raw.row(&text, "/result/message", Wire::Anthropic, &self.state.base);
                if !raw.delivers {
                    return append(sheet, &text);
                }
            }
            Corruption::None | Corruption::RowTwice | Corruption::RowUnknown => {}
        }
        append(sheet, &text);
        sheet.delivers.push(sequence);
        match *corruption {
            Corruption::RowTwice => append(sheet, &text),
            Corruption::RowUnknown => {
                let stray = format!("unknown-{}", prompt.body.short(12));
                append(
                    sheet,
                    &line(&stray, RowResult::Succeeded { message: &message }),
                );
            }
            Corruption::None
            | Corruption::Lost
            | Corruption::Truncated(_)
            | Corruption::Garbled
            | Corruption::RowMissing
            | Corruption::Raw(_)
            | Corruption::Emptied => {}
        }
    }
}

/// Words a scripted status; a scripted body keeps its error and gets the members every row has.
fn denied(reply: StatusReply) -> Value {
    match reply.body {
        Some(Value::Object(mut body)) => {
            body.entry("type").or_insert_with(|| "error".into());
            body.entry("request_id").or_insert(Value::Null);
            Value::Object(body)
        }
        _ => error::of_row(reply.code, error::message_of(reply.code)),
    }
}

fn fail(row: &Row, error: Value, sheet: &mut Sheet) {
    sheet.errored += 1;
    append(sheet, &line(&row.custom_id, RowResult::Errored { error }));
}

fn line(custom_id: &str, result: RowResult<'_>) -> Vec<u8> {
    to_json(&Line { custom_id, result })
}

fn append(sheet: &mut Sheet, line: &[u8]) {
    sheet.lines.extend_from_slice(line);
    sheet.lines.push(b'\n');
}
