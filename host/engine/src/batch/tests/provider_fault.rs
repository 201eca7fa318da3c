//! Faults of the provider, and the script that produces them.

use std::fmt;

use proptest::prelude::*;
use proptest::sample::select;
use synix_scripted_provider::{
    Endpoint, Fault, FaultKind, Mode, Pace, Reply, Rule, Script, StatusReply,
};

use synix_core::request::Wire;

/// The number of different questions.
pub(super) const QUESTIONS: usize = 5;

/// A fault of the provider.
#[derive(Clone, PartialEq)]
pub(super) enum ProviderFault {
    /// At `times` calls, starting with the `nth`.
    Call(Call, CallFault, u64, u64),
    /// In the batch of the `nth` create call.
    Batch(BatchFault, u64),
    /// In the row of a question, once.
    Row(usize, RowFault),
    /// The list lacks the newest batch.
    HideNewest(u64, u64),
    /// Batches take this number of polls.
    SlowBatches(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Upload,
    Create,
    List,
    Poll,
    Download,
    Cancel,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallFault {
    LostReply,
    Refused,
    Status(u16),
    ExecutedWithStatus(u16),
    ChunkSize { hidden: bool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BatchFault {
    ExpiresAfter(usize),
    CancelledAfter(usize),
    BadLine(Option<u64>),
    QueueFull,
    UnseenFile,
    LateOutput(u64),
    NoCounts,
    EmptyErrorFileId,
    EmptyErrorFile,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowFault {
    Absent,
    Unreadable,
    ChunkSize,
    NoBody,
    Duplicate,
    ExtraUnknown,
    StatusZero,
    Failed(u16),
}

impl RowFault {
    /// Returns whether the row is billed without an answer.
    pub(super) const fn is_lost(self) -> bool {
        matches!(
            self,
            Self::Absent | Self::Unreadable | Self::ChunkSize | Self::NoBody
        )
    }
}

pub(super) fn question(number: usize) -> String {
    format!("Question {number}, asked once and for all?")
}

/// Returns the script of a provider with these faults.
pub(super) fn script(wire: Wire, faults: &[ProviderFault]) -> Script {
    let mut pace = Pace {
        retry_after: 0,
        ..Pace::default()
    };
    let mut script = Script::new();
    for fault in faults {
        match fault {
            ProviderFault::SlowBatches(polls) => pace.in_progress = *polls,
            ProviderFault::Row(number, kind) => {
                let rule = Rule::on(question(*number)).only(Mode::Batch).times(1);
                script = script.rule(rule.reply(kind.reply()));
            }
            ProviderFault::Call(call, kind, nth, times) => {
                if let Some(endpoint) = call.endpoint(wire) {
                    let fault = Fault::on(endpoint, kind.kind());
                    script = script.fault(fault.nth(*nth).times(*times));
                }
            }
            ProviderFault::HideNewest(nth, times) => {
                if let Some(list) = Call::List.endpoint(wire) {
                    let fault = Fault::on(list, FaultKind::HideNewest { batches: 1 });
                    script = script.fault(fault.nth(*nth).times(*times));
                }
            }
            ProviderFault::Batch(kind, nth) => {
                if let (Some(create), Some(kind)) = (Call::Create.endpoint(wire), kind.kind(wire)) {
                    script = script.fault(Fault::on(create, kind).nth(*nth));
                }
            }
        }
    }
    script.batches(pace)
}

impl Call {
    const fn endpoint(self, wire: Wire) -> Option<Endpoint> {
        Some(match (self, wire) {
            (Self::Upload, Wire::OpenAi) => Endpoint::FilesUpload,
            (Self::Create, Wire::OpenAi) => Endpoint::BatchesCreate,
            (Self::List, Wire::OpenAi) => Endpoint::BatchesList,
            (Self::Poll, Wire::OpenAi) => Endpoint::BatchesRetrieve,
            (Self::Download, Wire::OpenAi) => Endpoint::FilesContent,
            (Self::Cancel, Wire::OpenAi) => Endpoint::BatchesCancel,
            (Self::Upload, Wire::Anthropic) => return None,
            (Self::Create, Wire::Anthropic) => Endpoint::MessageBatchesCreate,
            (Self::List, Wire::Anthropic) => Endpoint::MessageBatchesList,
            (Self::Poll, Wire::Anthropic) => Endpoint::MessageBatchesRetrieve,
            (Self::Download, Wire::Anthropic) => Endpoint::MessageBatchesResults,
            (Self::Cancel, Wire::Anthropic) => Endpoint::MessageBatchesCancel,
        })
    }
}

impl CallFault {
    fn kind(self) -> FaultKind {
        match self {
            Self::LostReply => FaultKind::LoseReply,
            Self::Refused => FaultKind::Refuse,
            Self::Status(code) => FaultKind::Status(StatusReply::new(code)),
            Self::ExecutedWithStatus(code) => FaultKind::Status(StatusReply::new(code).executed()),
            Self::ChunkSize { hidden } => FaultKind::Truncate { drop: 20, hidden },
        }
    }
}

impl BatchFault {
    fn kind(self, wire: Wire) -> Option<FaultKind> {
        let invalid = |code: &str, message: &str, line| FaultKind::FailValidation {
            code: code.to_owned(),
            message: message.to_owned(),
            param: None,
            line,
        };
        let openai_only = matches!(
            self,
            Self::BadLine(_)
                | Self::QueueFull
                | Self::UnseenFile
                | Self::EmptyErrorFileId
                | Self::EmptyErrorFile
        );
        if openai_only && wire == Wire::Anthropic {
            return None;
        }
        Some(match self {
            Self::ExpiresAfter(rows) => FaultKind::ExpireAfter { rows },
            Self::CancelledAfter(rows) => FaultKind::CancelAfter { rows },
            Self::BadLine(line) => invalid("invalid_json_line", "This line is no JSON.", line),
            Self::QueueFull => {
                let message = "Enqueued token limit reached. Limit: 100 enqueued tokens.";
                invalid("token_limit_exceeded", message, None)
            }
            Self::UnseenFile => {
                invalid("invalid_request", "Cannot find file with id file-1.", None)
            }
            Self::LateOutput(polls) => FaultKind::OutputLate { polls },
            Self::NoCounts => FaultKind::NoCounts,
            Self::EmptyErrorFileId => FaultKind::EmptyErrorFileId,
            Self::EmptyErrorFile => FaultKind::ZeroByteErrorFile,
        })
    }
}

impl RowFault {
    fn reply(self) -> Reply {
        match self {
            Self::Absent => Reply::MissingRow,
            Self::Unreadable => Reply::Garbled,
            Self::ChunkSize => Reply::Truncate { drop: 30 },
            Self::NoBody => Reply::EmptyBody,
            Self::Duplicate => Reply::DuplicateRow,
            Self::ExtraUnknown => Reply::UnknownRow,
            Self::StatusZero => Reply::StatusZero,
            Self::Failed(code) => Reply::Status(StatusReply::new(code)),
        }
    }
}

fn call() -> impl Strategy<Value = Call> {
    use Call as C;
    select(vec![
        C::Create,
        C::Create,
        C::Upload,
        C::List,
        C::Poll,
        C::Download,
        C::Cancel,
    ])
}

fn call_fault() -> impl Strategy<Value = CallFault> {
    let status = select(vec![404, 401, 400, 408, 429, 500, 503]);
    prop_oneof![
        3 => Just(CallFault::LostReply),
        2 => Just(CallFault::Refused),
        3 => status.prop_map(CallFault::Status),
        2 => select(vec![500, 503, 504, 408]).prop_map(CallFault::ExecutedWithStatus),
        1 => any::<bool>().prop_map(|hidden| CallFault::ChunkSize { hidden }),
    ]
}

fn batch_fault() -> impl Strategy<Value = BatchFault> {
    prop_oneof![
        3 => (0..3_usize).prop_map(BatchFault::ExpiresAfter),
        3 => (0..3_usize).prop_map(BatchFault::CancelledAfter),
        2 => proptest::option::of(1..4_u64).prop_map(BatchFault::BadLine),
        1 => Just(BatchFault::QueueFull),
        1 => Just(BatchFault::UnseenFile),
        1 => (1..5_u64).prop_map(BatchFault::LateOutput),
        1 => Just(BatchFault::NoCounts),
        1 => Just(BatchFault::EmptyErrorFileId),
        1 => Just(BatchFault::EmptyErrorFile),
    ]
}

fn row_fault() -> impl Strategy<Value = RowFault> {
    use RowFault as R;
    let failed = [400, 429, 500].map(R::Failed);
    let others = [
        R::Absent,
        R::Unreadable,
        R::ChunkSize,
        R::NoBody,
        R::Duplicate,
        R::ExtraUnknown,
        R::StatusZero,
    ];
    select([&others[..], &failed[..]].concat())
}

/// Generates a fault.
pub(super) fn fault() -> impl Strategy<Value = ProviderFault> {
    prop_oneof![
        6 => (call(), call_fault(), 1..3_u64, 1..4_u64).prop_map(|(call, kind, nth, times)| ProviderFault::Call(call, kind, nth, times)),
        3 => (batch_fault(), 1..3_u64).prop_map(|(kind, nth)| ProviderFault::Batch(kind, nth)),
        2 => (0..QUESTIONS, row_fault()).prop_map(|(number, kind)| ProviderFault::Row(number, kind)),
        1 => (1..4_u64, 1..3_u64).prop_map(|(nth, times)| ProviderFault::HideNewest(nth, times)),
        1 => (0..6_u64).prop_map(ProviderFault::SlowBatches),
    ]
}

impl fmt::Debug for ProviderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(call, kind, nth, times) => {
                write!(f, "{kind:?} at {times} {call:?} calls from number {nth} on")
            }
            Self::Batch(kind, nth) => write!(f, "{kind:?} for the batch of create call {nth}"),
            Self::Row(number, kind) => write!(f, "{kind:?} for one row of question {number}"),
            Self::HideNewest(nth, times) => {
                write!(
                    f,
                    "{times} lists from number {nth} on lack the newest batch"
                )
            }
            Self::SlowBatches(polls) => write!(f, "batches take {polls} polls"),
        }
    }
}
