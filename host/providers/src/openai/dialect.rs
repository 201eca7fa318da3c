//! How the batch APIs of OpenAI-compatible servers differ.
//!
//! Each table follows the provider's published documents; none was tried
//! against the provider's own server. What the documents do not specify is the
//! same as at OpenAI, whose API all of them copy.

use crate::batch_input::BatchTraits;
use synix_core::request::{BatchApi, RequestKind};

/// The variant of the batch API that a server implements.
#[derive(Debug)]
pub(crate) struct Dialect {
    pub(crate) traits: BatchTraits,
    /// The header with the key, for single calls too.
    pub(super) key: KeyHeader,
    /// The path of uploads.
    pub(super) upload: &'static [&'static str],
    /// The purpose of an uploaded file of requests.
    pub(super) purpose: &'static str,
    /// Whether an upload has a separate field with the file's name.
    pub(super) has_file_name_field: bool,
    /// The path of batches.
    pub(super) batches: &'static [&'static str],
    /// The path of a completion in a batch and its lines.
    endpoint: &'static str,
    /// The same for embeddings.
    embeddings: &'static str,
    pub(crate) line_form: LineForm,
    pub(super) create_form: CreateForm,
    /// The member of a create reply with the batch; `None` if the reply itself is the batch.
    pub(super) created_member: Option<&'static str>,
    pub(super) paging: Paging,
    pub(super) paths: BatchPaths,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyHeader {
    Bearer,
    ApiKey,
}

/// The form of a line in a batch file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineForm {
    /// `custom_id`, `method`, `url` and `body`.
    Call,
    /// `custom_id` and `body`.
    Body,
    /// The same, but the body has no model: the create call names it.
    BodyWithoutModel,
}

/// The form of a create call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CreateForm {
    /// One input file and a completion window.
    Batch,
    /// A list of input files, the model, and a time limit.
    Job,
}

/// The form of the list of batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paging {
    /// Pages that say whether there are more; the cursor is the last id.
    Cursor,
    /// Numbered pages with the total number of batches.
    PageNumber,
    /// One array of all batches, in no documented order.
    SinglePage,
}

/// JSON pointers to the members of a batch object.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchPaths {
    pub(super) input_file: &'static str,
    pub(super) output_file: &'static str,
    pub(super) error_file: &'static str,
    pub(super) total: &'static str,
    pub(super) completed: &'static str,
    pub(super) failed: &'static str,
}

impl Dialect {
    /// Returns whether a batch that is created between two calls moves others to the next page.
    pub(crate) const fn has_shifting_pages(&self) -> bool {
        matches!(self.paging, Paging::PageNumber)
    }

    /// Returns the path of requests of this kind in a batch and its lines.
    pub(crate) const fn endpoint_of(&self, kind: RequestKind) -> &'static str {
        match kind {
            RequestKind::Completion => self.endpoint,
            RequestKind::Embedding { .. } => self.embeddings,
        }
    }

    pub(crate) const fn of(api: BatchApi) -> &'static Self {
        match api {
            BatchApi::OpenAi => &OPENAI,
            BatchApi::Azure => &AZURE,
            BatchApi::Groq => &GROQ,
            BatchApi::Together => &TOGETHER,
            BatchApi::Mistral => &MISTRAL,
        }
    }
}

/// OpenAI's API reference and batch guide.
const OPENAI: Dialect = Dialect {
    traits: BatchTraits {
        max_creations_per_hour: Some(2000),
        ..TRAITS
    },
    key: KeyHeader::Bearer,
    upload: &["files"],
    purpose: "batch",
    has_file_name_field: false,
    batches: &["batches"],
    endpoint: "/v1/chat/completions",
    embeddings: "/v1/embeddings",
    line_form: LineForm::Call,
    create_form: CreateForm::Batch,
    created_member: None,
    paging: Paging::Cursor,
    paths: PATHS,
};

const TRAITS: BatchTraits = BatchTraits {
    max_requests: 50_000,
    max_bytes: 200_000_000,
    max_creations_per_hour: None,
    uploads: true,
    carries_token: true,
    single_model: true,
};

const PATHS: BatchPaths = BatchPaths {
    input_file: "/input_file_id",
    output_file: "/output_file_id",
    error_file: "/error_file_id",
    total: "/request_counts/total",
    completed: "/request_counts/completed",
    failed: "/request_counts/failed",
};

/// Azure's REST reference and batch guide: OpenAI's objects, with another key header and other limits.
const AZURE: Dialect = Dialect {
    traits: BatchTraits {
        max_requests: 100_000,
        ..TRAITS
    },
    key: KeyHeader::ApiKey,
    endpoint: "/chat/completions",
    embeddings: "/embeddings",
    ..OPENAI
};

/// Groq's API reference and batch guide: OpenAI's objects. The guide allows 200 MB, the reference 100 MB.
const GROQ: Dialect = Dialect {
    traits: BatchTraits {
        max_bytes: 100_000_000,
        ..TRAITS
    },
    ..OPENAI
};

/// Together's API reference and batch guide: no metadata, no counts, no pages.
const TOGETHER: Dialect = Dialect {
    traits: BatchTraits {
        max_bytes: 100_000_000,
        carries_token: false,
        ..TRAITS
    },
    upload: &["files", "upload"],
    purpose: "batch-api",
    has_file_name_field: true,
    line_form: LineForm::Body,
    created_member: Some("job"),
    paging: Paging::SinglePage,
    ..OPENAI
};

/// Mistral's API reference and SDK: a job names its model, and has its counts at the top level.
const MISTRAL: Dialect = Dialect {
    traits: BatchTraits {
        max_requests: 1_000_000,
        ..TRAITS
    },
    batches: &["batch", "jobs"],
    line_form: LineForm::BodyWithoutModel,
    create_form: CreateForm::Job,
    paging: Paging::PageNumber,
    paths: BatchPaths {
        input_file: "/input_files/0",
        output_file: "/output_file",
        error_file: "/error_file",
        total: "/total_requests",
        completed: "/succeeded_requests",
        failed: "/failed_requests",
    },
    ..OPENAI
};
