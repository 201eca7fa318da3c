//! Runs the rows of a batch and writes the lines of its two files.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use super::batches::EMBEDDINGS;
use super::chat::Completion;
use super::embeddings;
use super::error;
use crate::answer::{Answer, Corruption, ModelReply, choose_reply};
use crate::call::{BAD_GATEWAY, to_json};
use crate::endpoint::Wire;
use crate::job::{Row, RowOutcome};
use crate::ledger::{Executed, PriceClass};
use crate::prompt::{BadPrompt, Prompt};
use crate::script::Mode;
use crate::script_state::ScriptState;
use crate::state::State;

/// The lines written so far, and what they add up to.
#[derive(Debug, Default)]
pub(crate) struct ResultFiles {
    pub(super) output: Vec<u8>,
    pub(super) error: Vec<u8>,
    /// The ledger's entries whose answers are in `output`.
    pub(super) delivers: Vec<u64>,
    pub(super) completed: u64,
    pub(super) failed: u64,
    pub(super) input_tokens: u64,
    pub(super) output_tokens: u64,
}

#[derive(Serialize)]
struct Line<'a, B> {
    id: String,
    custom_id: &'a str,
    response: Option<Response<B>>,
    error: Option<LineError>,
}

#[derive(Serialize)]
struct Response<B> {
    status_code: u16,
    request_id: String,
    body: B,
}

/// What was asked for, as single calls have it.
#[derive(Serialize)]
#[serde(untagged)]
enum RowBody {
    Completion(Completion),
    Vectors(Value),
}

#[derive(Serialize)]
struct LineError {
    code: &'static str,
    message: &'static str,
}

/// What running the rows needs: the id of the batch, the script and the ledger.
pub(super) struct Runner<'a> {
    pub(super) batch: &'a Arc<str>,
    pub(super) state: &'a State,
    pub(super) script_state: &'a ScriptState,
    /// The endpoint of its rows.
    pub(super) url: &'a str,
}

impl Runner<'_> {
    /// Writes the lines of one row, and runs it first if that is its outcome.
    pub(super) fn write(&self, row: &Row, outcome: RowOutcome, result_files: &mut ResultFiles) {
        let never_ran = match outcome {
            RowOutcome::Run => return self.run(row, result_files),
            RowOutcome::Expired => LineError {
                code: "batch_expired",
                message: "This request could not be executed before the completion window expired.",
            },
            RowOutcome::Cancelled => LineError {
                code: "batch_cancelled",
                message: "This request was not executed because the batch was cancelled.",
            },
        };
        let line = Line::<Value> {
            id: self.row_id(),
            custom_id: &row.custom_id,
            response: None,
            error: Some(never_ran),
        };
        append(&mut result_files.error, &to_json(&line));
        result_files.failed += 1;
    }

    fn run(&self, row: &Row, result_files: &mut ResultFiles) {
        let body: Value = serde_json::from_slice(&row.body).unwrap_or(Value::Null);
        let read = match self.url {
            EMBEDDINGS => embeddings::prompts(&body).and_then(|mut prompts| {
                // A row has one text.
                let only = prompts.pop().filter(|_| prompts.is_empty());
                only.ok_or(BadPrompt::Missing("input"))
            }),
            _ => Prompt::read(Wire::OpenAi, &body),
        };
        let prompt = match read {
            Ok(prompt) => prompt,
            Err(bad) => return self.fail(row, 400, &error::of_prompt(&bad), result_files),
        };
        match choose_reply(self.script_state, &prompt, Mode::Batch).0 {
            ModelReply::Answered(answer, corruption) => {
                let made = (&body, &answer, &corruption);
                self.succeed(row, &prompt, made, result_files);
            }
            ModelReply::Denied(reply) => {
                let body = reply.body.unwrap_or_else(|| error::body_of(reply.code));
                self.fail(row, reply.code, &body, result_files);
            }
            ModelReply::Html => self.fail(row, 502, &json!(BAD_GATEWAY), result_files),
            ModelReply::Dropped => result_files.failed += 1,
            ModelReply::StatusZero => {
                append(
                    &mut result_files.output,
                    &to_json(&self.line(&row.custom_id, 0, json!({}))),
                );
                result_files.completed += 1;
            }
        }
    }

    fn succeed(
        &self,
        row: &Row,
        prompt: &Prompt<'_>,
        (body, answer, corruption): (&Value, &Answer, &Corruption),
        result_files: &mut ResultFiles,
    ) {
        let sequence = self.state.recorder.record(Executed {
            sequence: 0,
            endpoint: Arc::clone(self.batch),
            custom_id: Some(row.custom_id.clone()),
            body: prompt.body,
            model: Arc::from(prompt.model),
            input_tokens: prompt.input_tokens,
            output_tokens: self.output_tokens(answer),
            price: PriceClass::Batch,
            delivered: false,
        });
        result_files.completed += 1;
        result_files.input_tokens += prompt.input_tokens;
        result_files.output_tokens += self.output_tokens(answer);
        let completion = match self.url {
            EMBEDDINGS => RowBody::Vectors(embeddings::document(
                body,
                self.script_state,
                &[(prompt, answer)],
            )),
            _ => RowBody::Completion(Completion::new(prompt, answer)),
        };
        let mut line = to_json(&self.line(&row.custom_id, 200, &completion));
        match *corruption {
            Corruption::Lost | Corruption::RowMissing => return,
            Corruption::Truncated(drop) => {
                line.truncate(line.len().saturating_sub(drop));
                return append(&mut result_files.output, &line);
            }
            Corruption::Garbled => {
                line[0] = b'<';
                return append(&mut result_files.output, &line);
            }
            Corruption::Emptied => line = to_json(&self.line(&row.custom_id, 200, json!({}))),
            Corruption::Raw(ref raw) => {
                line = raw.row(&line, "/response/body", Wire::OpenAi, &self.state.base);
                if !raw.delivers {
                    return append(&mut result_files.output, &line);
                }
            }
            Corruption::None | Corruption::RowTwice | Corruption::RowUnknown => {}
        }
        append(&mut result_files.output, &line);
        result_files.delivers.push(sequence);
        match *corruption {
            Corruption::RowTwice => append(&mut result_files.output, &line),
            Corruption::RowUnknown => {
                let unknown_id = format!("unknown-{}", prompt.body.short(12));
                append(
                    &mut result_files.output,
                    &to_json(&self.line(&unknown_id, 200, &completion)),
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

    /// Returns the output tokens of an answer; a vector has none.
    fn output_tokens(&self, answer: &Answer) -> u64 {
        match self.url {
            EMBEDDINGS => 0,
            _ => answer.output_tokens,
        }
    }

    fn fail(&self, row: &Row, code: u16, body: &Value, result_files: &mut ResultFiles) {
        append(
            &mut result_files.error,
            &to_json(&self.line(&row.custom_id, code, body)),
        );
        result_files.failed += 1;
    }

    fn line<'r, B>(&self, custom_id: &'r str, status_code: u16, body: B) -> Line<'r, B> {
        let request_id = self.state.ids.next();
        Line {
            id: self.row_id(),
            custom_id,
            response: Some(Response {
                status_code,
                request_id,
                body,
            }),
            error: None,
        }
    }

    fn row_id(&self) -> String {
        format!("batch_req_{}", self.state.ids.next())
    }
}

fn append(result_file: &mut Vec<u8>, line: &[u8]) {
    result_file.extend_from_slice(line);
    result_file.push(b'\n');
}
