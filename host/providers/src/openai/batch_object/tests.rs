use serde_json::json;

use super::*;
use synix_core::request::BatchApi;

fn openai(batch: &Value) -> Option<BatchState> {
    parse(Dialect::of(BatchApi::OpenAi), batch)
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
        created: Some(Timestamp(1_700_000_000_000)),
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
fn empty_strings_and_nulls_are_absent() {
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
fn only_the_id_is_required() {
    assert_eq!(
        openai(&json!({"id": "b"})).unwrap().phase,
        Phase::Unknown(String::new())
    );
    assert_eq!(openai(&json!({"status": "completed"})), None);
}

#[test]
fn validation_errors_have_their_line() {
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

/// M1: the rows that were answered before the batch failed are paid for.
#[test]
fn a_failed_batch_with_an_output_file_is_completed() {
    let batch = json!({"id": "b", "status": "failed", "output_file_id": "f"});
    assert_eq!(openai(&batch).unwrap().phase, Phase::Completed);
}

#[test]
fn a_time_is_in_seconds_milliseconds_or_rfc_3339() {
    for time in [
        json!(1_705_329_000),
        json!(1_705_329_000_000_u64),
        json!("2024-01-15T14:30:00Z"),
    ] {
        let batch = json!({"id": "b", "created_at": time});
        assert_eq!(
            openai(&batch).unwrap().created,
            Some(Timestamp(1_705_329_000_000))
        );
    }
}

/// As Azure documents a successful batch: an error file of zero bytes, and counts that are null.
#[test]
fn azure_batches_are_read_like_those_of_openai() {
    let batch = json!({
        "id": "batch_1", "status": "completed", "output_file_id": "file-o", "error_file_id": "file-e",
        "request_counts": {"total": 3, "completed": null, "failed": null},
    });
    let state = parse(Dialect::of(BatchApi::Azure), &batch).unwrap();
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
    let state = parse(Dialect::of(BatchApi::Mistral), &job).unwrap();
    let expected = BatchState {
        id: "j".to_owned(),
        phase: Phase::Expired,
        status_text: "TIMEOUT_EXCEEDED".to_owned(),
        input_file: Some("file-in".to_owned()),
        output_file: Some(FileId("file-out".to_owned())),
        error_file: None,
        created: Some(Timestamp(1_700_000_000_000)),
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
    let state = parse(Dialect::of(BatchApi::Together), &job).unwrap();
    assert_eq!((state.phase, state.counts), (Phase::Failed, None));
    assert_eq!(state.input_file.as_deref(), Some("file-in"));
    assert_eq!(state.errors[0].message, "cannot read the file");
}

#[test]
fn the_phases_of_every_server_are_known() {
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

/// X1: both identify our batches, in any form that servers return them in.
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
fn a_malformed_batch_does_not_panic() {
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
