//! What sets apart the batch APIs of servers that speak OpenAI's format.
//!
//! Each table rests on its provider's published documents, and none was tried
//! against the provider's own server. What the documents leave open is as at
//! OpenAI, whose API all of them copy.

use crate::input::BatchTraits;
use synix_core::request::BatchApi;

/// How a server's batch API is spoken to.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// What its batches allow and need.
    pub(crate) traits: BatchTraits,
    /// How the key is shown, in sync calls too.
    pub(super) key: KeyHeader,
    /// Where files are uploaded.
    pub(super) upload: &'static [&'static str],
    /// The purpose of an uploaded file of requests.
    pub(super) purpose: &'static str,
    /// Whether an upload says the file's name in a field of its own.
    pub(super) names_file: bool,
    /// Where batches are.
    pub(super) batches: &'static [&'static str],
    /// What a batch and its lines call the path of a completion.
    pub(crate) endpoint: &'static str,
    /// The form of a line.
    pub(crate) line: Line,
    /// The form of a create call.
    pub(super) order: Order,
    /// The member of the reply to a create call that is the batch; `None`: the reply is.
    pub(super) created_in: Option<&'static str>,
    /// The form of the list.
    pub(super) paging: Paging,
    /// Where a batch object keeps what we read.
    pub(super) members: Members,
}

/// How the key is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyHeader {
    Bearer,
    ApiKey,
}

/// The form of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// `custom_id`, `method`, `url` and `body`.
    Call,
    /// `custom_id` and `body`.
    Body,
    /// The same, and the body lacks the model: the create call names it.
    BodyWithoutModel,
}

/// The form of a create call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// One input file and a completion window.
    Batch,
    /// A list of input files, the model, and a time limit.
    Job,
}

/// The form of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paging {
    /// Pages that say whether there is more; the next one starts after the last id.
    After,
    /// Pages by number, which say how many batches there are.
    Numbered,
    /// One array of all batches, in no documented order.
    Whole,
}

/// JSON pointers into a batch object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Members {
    pub(super) input_file: &'static str,
    pub(super) output_file: &'static str,
    pub(super) error_file: &'static str,
    pub(super) total: &'static str,
    pub(super) completed: &'static str,
    pub(super) failed: &'static str,
}

impl Dialect {
    /// Returns whether a page is a part of the list as it stands at that moment.
    pub(crate) const fn pages_shift(&self) -> bool {
        matches!(self.paging, Paging::Numbered)
    }

    /// Returns the dialect of an API.
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
        most_creations_per_hour: Some(2000),
        ..TRAITS
    },
    key: KeyHeader::Bearer,
    upload: &["files"],
    purpose: "batch",
    names_file: false,
    batches: &["batches"],
    endpoint: "/v1/chat/completions",
    line: Line::Call,
    order: Order::Batch,
    created_in: None,
    paging: Paging::After,
    members: MEMBERS,
};

const TRAITS: BatchTraits = BatchTraits {
    most_requests: 50_000,
    most_bytes: 200_000_000,
    most_creations_per_hour: None,
    uploads: true,
    labelled: true,
    one_model: true,
};

const MEMBERS: Members = Members {
    input_file: "/input_file_id",
    output_file: "/output_file_id",
    error_file: "/error_file_id",
    total: "/request_counts/total",
    completed: "/request_counts/completed",
    failed: "/request_counts/failed",
};

/// Azure's REST reference and batch guide: OpenAI's shapes, a key header and limits of its own.
const AZURE: Dialect = Dialect {
    traits: BatchTraits {
        most_requests: 100_000,
        ..TRAITS
    },
    key: KeyHeader::ApiKey,
    endpoint: "/chat/completions",
    ..OPENAI
};

/// Groq's API reference and batch guide: OpenAI's shapes. The guide allows 200 MB, the reference 100 MB.
const GROQ: Dialect = Dialect {
    traits: BatchTraits {
        most_bytes: 100_000_000,
        ..TRAITS
    },
    ..OPENAI
};

/// Together's API reference and batch guide: no metadata, no counters, no pages.
const TOGETHER: Dialect = Dialect {
    traits: BatchTraits {
        most_bytes: 100_000_000,
        labelled: false,
        ..TRAITS
    },
    upload: &["files", "upload"],
    purpose: "batch-api",
    names_file: true,
    line: Line::Body,
    created_in: Some("job"),
    paging: Paging::Whole,
    ..OPENAI
};

/// Mistral's API reference and its SDK: jobs with the model on them, and counters beside each other.
const MISTRAL: Dialect = Dialect {
    traits: BatchTraits {
        most_requests: 1_000_000,
        ..TRAITS
    },
    batches: &["batch", "jobs"],
    line: Line::BodyWithoutModel,
    order: Order::Job,
    paging: Paging::Numbered,
    members: Members {
        input_file: "/input_files/0",
        output_file: "/output_file",
        error_file: "/error_file",
        total: "/total_requests",
        completed: "/succeeded_requests",
        failed: "/failed_requests",
    },
    ..OPENAI
};
