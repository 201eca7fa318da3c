//! What may go wrong at the provider, in words and as a script.

use std::fmt;

use proptest::prelude::*;
use proptest::sample::select;
use synix_scripted_provider::{
    Endpoint, Fault, FaultKind, Mode, Pace, Reply, Rule, Script, StatusReply,
};

use synix_core::request::Wire;

/// How many different questions there are.
pub(super) const QUESTIONS: usize = 5;

/// Something that goes wrong at the provider.
#[derive(Clone, PartialEq)]
pub(super) enum Mishap {
    /// At `times` calls from the `nth` on.
    Call(Call, How, u64, u64),
    /// To the batch of the `nth` create call.
    Batch(Fate, u64),
    /// To the row of a question, once.
    Row(usize, RowFate),
    /// The list lacks the newest batch.
    Hidden(u64, u64),
    /// Batches take so many polls.
    Slow(u64),
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
pub(super) enum How {
    LostReply,
    Refused,
    Status(u16),
    DoneBehind(u16),
    Cut { hidden: bool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
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
pub(super) enum RowFate {
    Absent,
    Garbled,
    Cut,
    NoBody,
    Twice,
    WithStranger,
    StatusZero,
    Failed(u16),
}

impl RowFate {
    /// Says whether the row is paid and brings no answer.
    pub(super) const fn loses(self) -> bool {
        matches!(
            self,
            Self::Absent | Self::Garbled | Self::Cut | Self::NoBody
        )
    }
}

pub(super) fn question(number: usize) -> String {
    format!("Question {number}, asked once and for all?")
}

/// Returns the script of a provider that misbehaves like this.
pub(super) fn script(wire: Wire, mishaps: &[Mishap]) -> Script {
    let mut pace = Pace {
        retry_after: 0,
        ..Pace::default()
    };
    let mut script = Script::new();
    for mishap in mishaps {
        match mishap {
            Mishap::Slow(polls) => pace.in_progress = *polls,
            Mishap::Row(number, fate) => {
                let rule = Rule::on(question(*number)).only(Mode::Batch).times(1);
                script = script.rule(rule.reply(fate.reply()));
            }
            Mishap::Call(call, how, nth, times) => {
                if let Some(endpoint) = call.endpoint(wire) {
                    let fault = Fault::on(endpoint, how.kind());
                    script = script.fault(fault.nth(*nth).times(*times));
                }
            }
            Mishap::Hidden(nth, times) => {
                if let Some(list) = Call::List.endpoint(wire) {
                    let fault = Fault::on(list, FaultKind::HideNewest { batches: 1 });
                    script = script.fault(fault.nth(*nth).times(*times));
                }
            }
            Mishap::Batch(fate, nth) => {
                if let (Some(create), Some(kind)) = (Call::Create.endpoint(wire), fate.kind(wire)) {
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

impl How {
    fn kind(self) -> FaultKind {
        match self {
            Self::LostReply => FaultKind::LoseReply,
            Self::Refused => FaultKind::Refuse,
            Self::Status(code) => FaultKind::Status(StatusReply::new(code)),
            Self::DoneBehind(code) => FaultKind::Status(StatusReply::new(code).executed()),
            Self::Cut { hidden } => FaultKind::Truncate { drop: 20, hidden },
        }
    }
}

impl Fate {
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
                let words = "Enqueued token limit reached. Limit: 100 enqueued tokens.";
                invalid("token_limit_exceeded", words, None)
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

impl RowFate {
    fn reply(self) -> Reply {
        match self {
            Self::Absent => Reply::MissingRow,
            Self::Garbled => Reply::Garbled,
            Self::Cut => Reply::Truncate { drop: 30 },
            Self::NoBody => Reply::EmptyBody,
            Self::Twice => Reply::DuplicateRow,
            Self::WithStranger => Reply::UnknownRow,
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

fn how() -> impl Strategy<Value = How> {
    let status = select(vec![404, 401, 400, 408, 429, 500, 503]);
    prop_oneof![
        3 => Just(How::LostReply),
        2 => Just(How::Refused),
        3 => status.prop_map(How::Status),
        2 => select(vec![500, 503, 504, 408]).prop_map(How::DoneBehind),
        1 => any::<bool>().prop_map(|hidden| How::Cut { hidden }),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        3 => (0..3_usize).prop_map(Fate::ExpiresAfter),
        3 => (0..3_usize).prop_map(Fate::CancelledAfter),
        2 => proptest::option::of(1..4_u64).prop_map(Fate::BadLine),
        1 => Just(Fate::QueueFull),
        1 => Just(Fate::UnseenFile),
        1 => (1..5_u64).prop_map(Fate::LateOutput),
        1 => Just(Fate::NoCounts),
        1 => Just(Fate::EmptyErrorFileId),
        1 => Just(Fate::EmptyErrorFile),
    ]
}

fn row_fate() -> impl Strategy<Value = RowFate> {
    use RowFate as R;
    let failed = [400, 429, 500].map(R::Failed);
    let others = [
        R::Absent,
        R::Garbled,
        R::Cut,
        R::NoBody,
        R::Twice,
        R::WithStranger,
        R::StatusZero,
    ];
    select([&others[..], &failed[..]].concat())
}

/// Any mishap.
pub(super) fn mishap() -> impl Strategy<Value = Mishap> {
    prop_oneof![
        6 => (call(), how(), 1..3_u64, 1..4_u64).prop_map(|(call, how, nth, times)| Mishap::Call(call, how, nth, times)),
        3 => (fate(), 1..3_u64).prop_map(|(fate, nth)| Mishap::Batch(fate, nth)),
        2 => (0..QUESTIONS, row_fate()).prop_map(|(number, fate)| Mishap::Row(number, fate)),
        1 => (1..4_u64, 1..3_u64).prop_map(|(nth, times)| Mishap::Hidden(nth, times)),
        1 => (0..6_u64).prop_map(Mishap::Slow),
    ]
}

impl fmt::Debug for Mishap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(call, how, nth, times) => {
                write!(f, "{how:?} at {times} {call:?} calls from number {nth} on")
            }
            Self::Batch(fate, nth) => write!(f, "{fate:?} for the batch of create call {nth}"),
            Self::Row(number, fate) => write!(f, "{fate:?} for one row of question {number}"),
            Self::Hidden(nth, times) => {
                write!(
                    f,
                    "{times} lists from number {nth} on lack the newest batch"
                )
            }
            Self::Slow(polls) => write!(f, "batches take {polls} polls"),
        }
    }
}
