//! The batch object of OpenAI and compatible servers.

#[cfg(test)]
mod tests;

use serde_json::Value;

use super::batch::TOKEN_KEY;
use super::dialect::Dialect;
use crate::batch_object::{self, non_empty_text};
use crate::batch_state::{BatchState, Counts, FileId, Phase, ValidationError};
use crate::excerpt::truncate;
use crate::outcome::{count_at, text_member};
use crate::usage;
use synix_core::clock::Timestamp;

/// Greater numbers are milliseconds: as seconds they would be after the year 5000.
const MAX_SECONDS: u64 = 100_000_000_000;

/// Parses a batch object. Only the id is required.
pub(crate) fn parse(dialect: &Dialect, batch: &Value) -> Option<BatchState> {
    let paths = &dialect.paths;
    let file = |pointer: &str| {
        let id = batch.pointer(pointer)?.as_str()?;
        (!id.is_empty()).then(|| id.to_owned())
    };
    let status = truncate(&text_member(batch, "status"), 100);
    let output_file = file(paths.output_file).map(FileId);
    let mut phase = Phase::parse(&status);
    if phase == Phase::Failed && output_file.is_some() {
        // Some rows were answered and billed before the batch failed.
        phase = Phase::Completed;
    }
    Some(BatchState {
        id: batch_object::read_id(batch)?,
        phase,
        status_text: status,
        input_file: file(paths.input_file)
            .or_else(|| INPUT_FILE_PATHS.iter().copied().find_map(file)),
        output_file,
        error_file: file(paths.error_file).map(FileId),
        created: batch.get("created_at").and_then(moment),
        token: batch.get("metadata").and_then(token),
        counts: counts(dialect, batch),
        errors: errors(batch),
        poll_after: None,
    })
}

/// Other pointers to the id of the input file.
const INPUT_FILE_PATHS: [&str; 6] = [
    "/input_file_id",
    "/input_file/id",
    "/input_file",
    "/input_files/0",
    "/input_files/0/id",
    "/inputFileId",
];

/// Finds our token in the metadata of a batch, in any form that servers return them in.
fn token(metadata: &Value) -> Option<String> {
    if let Value::Object(members) = metadata {
        let own = members
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(TOKEN_KEY));
        if let Some(token) = own.and_then(|(_, token)| token.as_str()) {
            return Some(token.to_owned()).filter(|token| !token.is_empty());
        }
    }
    // Metadata may also be a string or a list of pairs, so search for the form of our tokens.
    let text = metadata.to_string().to_ascii_lowercase();
    text.match_indices("synix-").find_map(|(at, start)| {
        let end = at + start.len() + 32;
        let token = text.get(at..end)?;
        let digits = token[start.len()..].bytes();
        let is_ours = digits.clone().all(|byte| byte.is_ascii_hexdigit());
        is_ours.then(|| token.to_owned())
    })
}

fn moment(value: &Value) -> Option<Timestamp> {
    match value.as_u64() {
        Some(millis) if millis > MAX_SECONDS => Some(Timestamp(millis)),
        Some(seconds) => Some(Timestamp(seconds * 1000)),
        None => match value.as_f64() {
            // The fraction of a second does not matter.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the guard keeps it within the range of a moment"
            )]
            Some(time) if (0.0..1e15).contains(&time) => moment(&Value::from(time as u64)),
            _ => Timestamp::parse(value.as_str()?),
        },
    }
}

fn counts(dialect: &Dialect, batch: &Value) -> Option<Counts> {
    let paths = &dialect.paths;
    let counted = [paths.total, paths.completed, paths.failed];
    counted
        .iter()
        .any(|pointer| {
            batch
                .pointer(pointer)
                .and_then(usage::parse_count)
                .is_some()
        })
        .then(|| Counts {
            total: count_at(batch, paths.total),
            completed: count_at(batch, paths.completed),
            failed: count_at(batch, paths.failed),
        })
}

/// Reads the validation errors: OpenAI has a list object, Mistral a list, Together a string.
fn errors(batch: &Value) -> Vec<ValidationError> {
    let errors = batch.get("errors");
    let listed = errors.and_then(|errors| errors.get("data").unwrap_or(errors).as_array());
    let listed = listed.map(Vec::as_slice).unwrap_or_default();
    let listed = listed.iter().map(|error| ValidationError {
        code: truncate(&text_member(error, "code"), 100),
        message: truncate(&text_member(error, "message"), 1000),
        param: non_empty_text(error, "param"),
        line: error.get("line").and_then(Value::as_u64),
    });
    let message = non_empty_text(batch, "error").map(|message| ValidationError {
        code: String::new(),
        message: truncate(&message, 1000),
        param: None,
        line: None,
    });
    listed.chain(message).collect()
}
