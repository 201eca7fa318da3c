//! The batch object of OpenAI and of those that copy it.

use serde_json::Value;

use super::batch::TOKEN;
use super::dialect::Dialect;
use crate::counted;
use crate::fault::cut_to;
use crate::object::{self, filled};
use crate::outcome::{count, text_of};
use crate::state::{BatchState, Counts, FileId, Phase, ValidationError};
use crate::wait;
use synix_core::clock::Moment;

/// Numbers above are milliseconds: as seconds they would be after the year 5000.
const LATEST_SECOND: u64 = 100_000_000_000;

/// Reads a batch object, of which only the id is sure to be there.
pub(crate) fn read(dialect: &Dialect, batch: &Value) -> Option<BatchState> {
    let members = &dialect.members;
    let file = |pointer: &str| {
        let id = batch.pointer(pointer)?.as_str()?;
        (!id.is_empty()).then(|| id.to_owned())
    };
    let status = cut_to(&text_of(batch, "status"), 100);
    let output_file = file(members.output_file).map(FileId);
    let mut phase = Phase::read(&status);
    if phase == Phase::Failed && output_file.is_some() {
        // Rows were answered, and paid, whatever failed after them.
        phase = Phase::Completed;
    }
    Some(BatchState {
        id: object::id_of(batch)?,
        phase,
        status_text: status,
        input_file: file(members.input_file).or_else(|| INPUT_FILES.iter().copied().find_map(file)),
        output_file,
        error_file: file(members.error_file).map(FileId),
        created: batch.get("created_at").and_then(moment),
        token: batch.get("metadata").and_then(token),
        counts: counts(dialect, batch),
        errors: errors(batch),
        poll_after: None,
    })
}

/// Where else servers keep the id of the input file.
const INPUT_FILES: [&str; 6] = [
    "/input_file_id",
    "/input_file/id",
    "/input_file",
    "/input_files/0",
    "/input_files/0/id",
    "/inputFileId",
];

/// Finds our token in a batch's metadata, whatever form the server gives them.
fn token(metadata: &Value) -> Option<String> {
    if let Value::Object(members) = metadata {
        let own = members
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(TOKEN));
        if let Some(token) = own.and_then(|(_, token)| token.as_str()) {
            return Some(token.to_owned()).filter(|token| !token.is_empty());
        }
    }
    // A text, a list of pairs: a token of ours is told by its own form.
    let text = metadata.to_string().to_ascii_lowercase();
    text.match_indices("synix-").find_map(|(at, start)| {
        let end = at + start.len() + 32;
        let token = text.get(at..end)?;
        let digits = token[start.len()..].bytes();
        let is_ours = digits.clone().all(|byte| byte.is_ascii_hexdigit());
        is_ours.then(|| token.to_owned())
    })
}

fn moment(value: &Value) -> Option<Moment> {
    match value.as_u64() {
        Some(millis) if millis > LATEST_SECOND => Some(Moment(millis)),
        Some(seconds) => Some(Moment(seconds * 1000)),
        None => match value.as_f64() {
            // A fraction of a second does not matter.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "in the bounds of a moment"
            )]
            Some(time) if (0.0..1e15).contains(&time) => moment(&Value::from(time as u64)),
            _ => wait::rfc_3339(value.as_str()?),
        },
    }
}

fn counts(dialect: &Dialect, batch: &Value) -> Option<Counts> {
    let members = &dialect.members;
    let counted = [members.total, members.completed, members.failed];
    counted
        .iter()
        .any(|pointer| batch.pointer(pointer).and_then(counted::number).is_some())
        .then(|| Counts {
            total: count(batch, members.total),
            completed: count(batch, members.completed),
            failed: count(batch, members.failed),
        })
}

/// Reads why a batch was not accepted: OpenAI has a list object, Mistral a list, Together a text.
fn errors(batch: &Value) -> Vec<ValidationError> {
    let errors = batch.get("errors");
    let listed = errors.and_then(|errors| errors.get("data").unwrap_or(errors).as_array());
    let listed = listed.map(Vec::as_slice).unwrap_or_default();
    let listed = listed.iter().map(|error| ValidationError {
        code: cut_to(&text_of(error, "code"), 100),
        message: cut_to(&text_of(error, "message"), 1000),
        param: filled(error, "param"),
        line: error.get("line").and_then(Value::as_u64),
    });
    let told = filled(batch, "error").map(|message| ValidationError {
        code: String::new(),
        message: cut_to(&message, 1000),
        param: None,
        line: None,
    });
    listed.chain(told).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use synix_core::request::BatchApi;

    fn openai(batch: &Value) -> Option<BatchState> {
        read(Dialect::of(BatchApi::OpenAi), batch)
    }

    #[test]
    fn a_batch_is_read() {
        let batch = json!({
            "id": "batch_1", "object": "batch", "status": "completed", "input_file_id": "file-in",
            "created_at": 1_700_000_000,
            "output_file_id": "file-out", "error_file_id": null, "metadata": {"synix_token": "t1"},
            "request_counts": {"total": 3, "completed": 2, "failed": 1},
        });
        let expected = BatchState {
            id: "batch_1".to_owned(),
            phase: Phase::Completed,
            status_text: "completed".to_owned(),
            input_file: Some("file-in".to_owned()),
            output_file: Some(FileId("file-out".to_owned())),
            error_file: None,
            created: Some(Moment(1_700_000_000_000)),
            token: Some("t1".to_owned()),
            counts: Some(Counts {
                total: 3,
                completed: 2,
                failed: 1,
            }),
            errors: Vec::new(),
            poll_after: None,
        };
        assert_eq!(openai(&batch), Some(expected));
    }

    /// A3: a file id may be an empty text, counts may be null.
    #[test]
    fn what_is_empty_or_null_is_absent() {
        let batch = json!({
            "id": "b", "status": "completed", "output_file_id": null, "error_file_id": "",
            "metadata": null, "request_counts": {"total": 3, "completed": null}, "errors": null,
        });
        let state = openai(&batch).unwrap();
        assert_eq!(
            (state.output_file, state.error_file, state.token),
            (None, None, None)
        );
        assert_eq!(state.counts.unwrap().completed, 0);
    }

    #[test]
    fn an_id_is_enough() {
        assert_eq!(
            openai(&json!({"id": "b"})).unwrap().phase,
            Phase::Unknown(String::new())
        );
        assert_eq!(openai(&json!({"status": "completed"})), None);
    }

    #[test]
    fn validation_errors_keep_their_line() {
        let batch = json!({"id": "b", "status": "failed", "errors": {"object": "list", "data": [
            {"code": "invalid_json_line", "message": "not JSON", "param": null, "line": 7},
        ]}});
        let expected = ValidationError {
            code: "invalid_json_line".to_owned(),
            message: "not JSON".to_owned(),
            param: None,
            line: Some(7),
        };
        assert_eq!(openai(&batch).unwrap().errors, [expected]);
    }

    /// M1: rows that were answered before a batch failed are paid, and taken.
    #[test]
    fn a_failed_batch_with_rows_has_rows() {
        let batch = json!({"id": "b", "status": "failed", "output_file_id": "f"});
        assert_eq!(openai(&batch).unwrap().phase, Phase::Completed);
    }

    #[test]
    fn a_time_is_seconds_milliseconds_or_text() {
        for time in [
            json!(1_705_329_000),
            json!(1_705_329_000_000_u64),
            json!("2024-01-15T14:30:00Z"),
        ] {
            let batch = json!({"id": "b", "created_at": time});
            assert_eq!(
                openai(&batch).unwrap().created,
                Some(Moment(1_705_329_000_000))
            );
        }
    }

    /// What Azure documents of a batch that succeeded: an error file of zero bytes, a count that is null.
    #[test]
    fn azure_batches_are_read_as_openai_has_them() {
        let batch = json!({
            "id": "batch_1", "status": "completed", "output_file_id": "file-o", "error_file_id": "file-e",
            "request_counts": {"total": 3, "completed": null, "failed": null},
        });
        let state = read(Dialect::of(BatchApi::Azure), &batch).unwrap();
        assert_eq!(state.phase, Phase::Completed);
        assert_eq!(state.error_file, Some(FileId("file-e".to_owned())));
        assert_eq!(state.counts.map(|counts| counts.total), Some(3));
    }

    #[test]
    fn a_mistral_job_is_read() {
        let job = json!({
            "id": "j", "object": "batch", "status": "TIMEOUT_EXCEEDED", "created_at": 1_700_000_000,
            "input_files": ["file-in"], "output_file": "file-out", "error_file": null,
            "total_requests": 5, "completed_requests": 4, "succeeded_requests": 3, "failed_requests": 1,
            "metadata": {"synix_token": "t1"}, "errors": [{"message": "too slow", "count": 1}],
        });
        let state = read(Dialect::of(BatchApi::Mistral), &job).unwrap();
        let expected = BatchState {
            id: "j".to_owned(),
            phase: Phase::Expired,
            status_text: "TIMEOUT_EXCEEDED".to_owned(),
            input_file: Some("file-in".to_owned()),
            output_file: Some(FileId("file-out".to_owned())),
            error_file: None,
            created: Some(Moment(1_700_000_000_000)),
            token: Some("t1".to_owned()),
            counts: Some(Counts {
                total: 5,
                completed: 3,
                failed: 1,
            }),
            errors: vec![ValidationError {
                code: String::new(),
                message: "too slow".to_owned(),
                param: None,
                line: None,
            }],
            poll_after: None,
        };
        assert_eq!(state, expected);
    }

    #[test]
    fn a_together_job_is_read() {
        let job = json!({
            "id": "j", "status": "FAILED", "input_file_id": "file-in", "progress": 75,
            "created_at": "2024-01-15T14:30:00Z", "error": "cannot read the file",
        });
        let state = read(Dialect::of(BatchApi::Together), &job).unwrap();
        assert_eq!((state.phase, state.counts), (Phase::Failed, None));
        assert_eq!(state.input_file.as_deref(), Some("file-in"));
        assert_eq!(state.errors[0].message, "cannot read the file");
    }

    #[test]
    fn the_words_of_every_server_are_known() {
        for (word, phase) in [
            ("validating", Phase::Waiting),
            ("QUEUED", Phase::Waiting),
            ("RUNNING", Phase::Running),
            ("IN_PROGRESS", Phase::Running),
            ("SUCCESS", Phase::Completed),
            ("COMPLETED", Phase::Completed),
            ("CANCELING", Phase::Cancelling),
            ("CANCELLATION_REQUESTED", Phase::Cancelling),
            ("CANCELLED", Phase::Cancelled),
            ("TIMEOUT_EXCEEDED", Phase::Expired),
            ("FAILED", Phase::Failed),
        ] {
            let state = openai(&json!({"id": "b", "status": word})).unwrap();
            assert_eq!(state.phase, phase, "{word}");
        }
    }

    /// X1: what tells a batch of ours from others, in every form that it comes back in.
    #[test]
    fn the_token_and_the_file_are_found_in_every_form() {
        let ours = "synix-0123456789abcdef0123456789abcdef";
        for metadata in [
            json!({"synix_token": ours}),
            json!({"SYNIX_TOKEN": ours}),
            json!({"metadata": {"synix_token": ours.to_uppercase()}}),
            json!(format!("{{\"synix_token\":\"{ours}\"}}")),
            json!([{"key": "synix_token", "value": ours}]),
        ] {
            let batch = json!({"id": "b", "metadata": metadata});
            assert_eq!(
                openai(&batch).unwrap().token.as_deref(),
                Some(ours),
                "{batch}"
            );
        }
        for metadata in [
            json!(null),
            json!("synix-"),
            json!({"a": "synix-xyz"}),
            json!(7),
        ] {
            let batch = json!({"id": "b", "metadata": metadata});
            assert_eq!(openai(&batch).unwrap().token, None);
        }
        for batch in [
            json!({"id": "b", "input_file_id": "f"}),
            json!({"id": "b", "input_file": {"id": "f"}}),
            json!({"id": "b", "input_files": ["f"]}),
        ] {
            assert_eq!(openai(&batch).unwrap().input_file.as_deref(), Some("f"));
        }
    }

    #[test]
    fn a_batch_of_an_absurd_shape_does_not_panic() {
        for batch in [
            json!(1),
            json!([1]),
            json!({"id": {}}),
            json!({"id": "b", "status": 7, "errors": 1, "request_counts": [], "metadata": "x", "created_at": -1}),
            json!({"id": "b", "errors": {"data": [1, null]}, "created_at": "soon", "output_file_id": {}}),
        ] {
            assert!(openai(&batch).is_none_or(|state| !state.phase.is_terminal()));
        }
    }
}
