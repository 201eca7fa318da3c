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
pub(crate) struct ResultFile {
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

/// What running the rows needs: the id of the batch, the script and the ledger.
pub(super) struct Runner<'a> {
    pub(super) batch: &'a Arc<str>,
    pub(super) state: &'a State,
    pub(super) script_state: &'a ScriptState,
}

impl Runner<'_> {
    /// Writes the lines of one row, and runs it first if that is its outcome.
    pub(super) fn write(&self, row: &Row, outcome: RowOutcome, result_file: &mut ResultFile) {
        match outcome {
            RowOutcome::Run => self.run(row, result_file),
            RowOutcome::Expired => {
                result_file.expired += 1;
                append(result_file, &line(&row.custom_id, RowResult::Expired));
            }
            RowOutcome::Cancelled => {
                result_file.canceled += 1;
                append(result_file, &line(&row.custom_id, RowResult::Canceled));
            }
        }
    }

    fn run(&self, row: &Row, result_file: &mut ResultFile) {
        let body: Value = serde_json::from_slice(&row.body).unwrap_or(Value::Null);
        let prompt = match Prompt::read(Wire::Anthropic, &body) {
            Ok(prompt) => prompt,
            Err(bad) => {
                return fail(
                    row,
                    error::of_row(400, &error::of_prompt(&bad)),
                    result_file,
                );
            }
        };
        if !self.script_state.knows(prompt.model) {
            return fail(
                row,
                error::of_row(404, &error::of_model(prompt.model)),
                result_file,
            );
        }
        match choose_reply(self.script_state, &prompt, Mode::Batch).0 {
            ModelReply::Answered(answer, corruption) => {
                self.succeed(row, &prompt, (&answer, &corruption), result_file);
            }
            ModelReply::Denied(reply) => fail(row, denied(reply), result_file),
            ModelReply::Html => fail(row, error::of_row(502, error::message_of(502)), result_file),
            ModelReply::Dropped => result_file.errored += 1,
            ModelReply::StatusZero => {
                fail(row, error::of_row(500, error::message_of(500)), result_file);
            }
        }
    }

    fn succeed(
        &self,
        row: &Row,
        prompt: &Prompt<'_>,
        (answer, corruption): (&Answer, &Corruption),
        result_file: &mut ResultFile,
    ) {
        let sequence = self.state.recorder.record(Executed {
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
        result_file.succeeded += 1;
        let message = Message::new(prompt, answer, Mode::Batch);
        let mut text = line(&row.custom_id, RowResult::Succeeded { message: &message });
        match *corruption {
            Corruption::Lost | Corruption::RowMissing => return,
            Corruption::Truncated(drop) => {
                text.truncate(text.len().saturating_sub(drop));
                return append(result_file, &text);
            }
            Corruption::Garbled => {
                text[0] = b'<';
                return append(result_file, &text);
            }
            Corruption::Emptied => text = line(&row.custom_id, RowResult::Emptied),
            Corruption::Raw(ref raw) => {
                text = raw.row(&text, "/result/message", Wire::Anthropic, &self.state.base);
                if !raw.delivers {
                    return append(result_file, &text);
                }
            }
            Corruption::None | Corruption::RowTwice | Corruption::RowUnknown => {}
        }
        append(result_file, &text);
        result_file.delivers.push(sequence);
        match *corruption {
            Corruption::RowTwice => append(result_file, &text),
            Corruption::RowUnknown => {
                let unknown_id = format!("unknown-{}", prompt.body.short(12));
                append(
                    result_file,
                    &line(&unknown_id, RowResult::Succeeded { message: &message }),
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

/// Returns the error of a scripted status. A scripted body gets the members that every row has.
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

fn fail(row: &Row, error: Value, result_file: &mut ResultFile) {
    result_file.errored += 1;
    append(
        result_file,
        &line(&row.custom_id, RowResult::Errored { error }),
    );
}

fn line(custom_id: &str, result: RowResult<'_>) -> Vec<u8> {
    to_json(&Line { custom_id, result })
}

fn append(result_file: &mut ResultFile, line: &[u8]) {
    result_file.lines.extend_from_slice(line);
    result_file.lines.push(b'\n');
}
