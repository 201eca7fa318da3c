//! Files: upload, list, download, delete.

use bytes::Bytes;
use serde::Serialize;
use serde_json::json;

use super::error::{error, not_found};
use crate::call::{Call, Outcome};
use crate::clock::seconds;
use crate::ledger::Receipt;
use crate::multipart;
use crate::paged_store::PageQuery;
use crate::state::{State, lock};

/// How long a file is stored by default.
const KEPT: u64 = 30 * 86_400;

/// The most bytes of a batch's input file.
const MOST_BATCH_BYTES: usize = 200_000_000;

/// A file and what is known about it.
#[derive(Debug)]
pub(crate) struct File {
    pub(super) id: String,
    pub(super) content: Bytes,
    pub(super) filename: String,
    pub(super) purpose: &'static str,
    created_at: u64,
    expires_at: u64,
    receipt: Option<Receipt>,
}

/// A file in OpenAI's form.
#[derive(Serialize)]
struct FileObject<'a> {
    id: &'a str,
    object: &'static str,
    bytes: usize,
    created_at: u64,
    expires_at: u64,
    filename: &'a str,
    purpose: &'static str,
    status: &'static str,
    status_details: Option<()>,
}

impl File {
    /// Returns a new file that is stored for the default time.
    pub(super) fn new(
        state: &State,
        purpose: &'static str,
        filename: String,
        content: Bytes,
    ) -> Self {
        let created_at = seconds();
        let id = format!("file-{}", state.ids.next());
        Self {
            id,
            content,
            filename,
            purpose,
            created_at,
            expires_at: created_at + KEPT,
            receipt: None,
        }
    }

    /// Sets the receipt that a complete download delivers.
    pub(super) fn delivering(self, receipt: Receipt) -> Self {
        Self {
            receipt: Some(receipt),
            ..self
        }
    }

    /// Stores the file and returns its id.
    pub(super) fn keep(self, state: &State) -> String {
        let id = self.id.clone();
        lock(&state.files).insert(id.clone(), self);
        id
    }

    fn object(&self) -> FileObject<'_> {
        FileObject {
            id: &self.id,
            object: "file",
            bytes: self.content.len(),
            created_at: self.created_at,
            expires_at: self.expires_at,
            filename: &self.filename,
            purpose: self.purpose,
            status: "processed",
            status_details: None,
        }
    }
}

pub(super) fn upload(state: &State, call: &Call) -> Outcome {
    let Some(parts) = multipart::parts(call.header("content-type").unwrap_or(""), &call.body)
    else {
        return error(
            400,
            "Invalid multipart form: the body could not be parsed.",
            None,
            None,
        );
    };
    let field = |name: &str| parts.iter().find(|part| part.name == name);
    let text = |name: &str| field(name).map(|part| String::from_utf8_lossy(&part.content));
    let Some(purpose) = text("purpose") else {
        return error(
            400,
            "'purpose' is a required property",
            Some("purpose"),
            None,
        );
    };
    let Some(file) = field("file").filter(|part| part.filename.is_some()) else {
        return error(400, "'file' is a required property", Some("file"), None);
    };
    let purpose = match purpose.as_ref() {
        "batch" => "batch",
        "user_data" => "user_data",
        other => {
            let message =
                format!("Invalid value: '{other}'. Supported values are: 'batch' and 'user_data'.");
            return error(400, &message, Some("purpose"), Some("invalid_value"));
        }
    };
    let filename = file.filename.clone().unwrap_or_default();
    if purpose == "batch" && !filename.ends_with(".jsonl") {
        return error(
            400,
            "Invalid file format for Batch API. Must be .jsonl",
            None,
            None,
        );
    }
    if purpose == "batch" && file.content.len() > MOST_BATCH_BYTES {
        return error(
            413,
            "The file is larger than the 200 MB that a batch may have.",
            Some("file"),
            None,
        );
    }
    let mut kept = File::new(state, purpose, filename, file.content.clone());
    if let Some(wanted) = text("expires_after[seconds]").and_then(|text| text.parse::<u64>().ok()) {
        kept.expires_at = kept.created_at.saturating_add(wanted);
    }
    let outcome = Outcome::ok(&kept.object());
    kept.keep(state);
    outcome
}

pub(super) fn list(state: &State, call: &Call) -> Outcome {
    let limit = match call.limit(10_000, 10_000) {
        Ok(limit) => limit,
        Err(text) => {
            return error(
                400,
                &format!("Invalid 'limit': '{text}'."),
                Some("limit"),
                Some("invalid_value"),
            );
        }
    };
    let oldest_first = call.query("order") == Some("asc");
    let span = PageQuery {
        limit,
        after: call.query("after"),
        oldest_first,
        ..PageQuery::default()
    };
    let purpose = call.query("purpose");
    let page = lock(&state.files).page(&span, |file| {
        purpose.is_none_or(|purpose| purpose == file.purpose)
    });
    let Some(page) = page else {
        return error(400, "Invalid 'after': no such file.", Some("after"), None);
    };
    Outcome::ok(&json!({
        "object": "list",
        "data": page.items.iter().map(|file| file.object()).collect::<Vec<_>>(),
        "first_id": page.items.first().map(|file| &file.id),
        "last_id": page.items.last().map(|file| &file.id),
        "has_more": page.has_more,
    }))
}

pub(super) fn retrieve(state: &State, call: &Call) -> Outcome {
    let file = lock(&state.files).get(&call.id);
    file.map_or_else(|| not_found(call), |file| Outcome::ok(&file.object()))
}

pub(super) fn delete(state: &State, call: &Call) -> Outcome {
    match lock(&state.files).remove(&call.id) {
        Some(file) => Outcome::ok(&json!({"id": file.id, "object": "file", "deleted": true})),
        None => not_found(call),
    }
}

pub(super) fn content(state: &State, call: &Call) -> Outcome {
    let Some(file) = lock(&state.files).get(&call.id) else {
        return not_found(call);
    };
    let outcome = Outcome::bytes(
        hyper::StatusCode::OK,
        "application/octet-stream",
        file.content.clone(),
    );
    Outcome {
        receipt: file.receipt.clone(),
        ..outcome
    }
}
