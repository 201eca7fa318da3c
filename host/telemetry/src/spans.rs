//! Makes a span of each kind of row.

use synix_core::clock::Timestamp;
use synix_prices::{Prices, Rate};
use synix_store::{
    BuildLayer, LayerMode, LayerTally, SendOutcome, Submission, TimedSend, TimedUnit,
};

use crate::attributes as names;
use crate::contents::finish_reason;
use crate::ids::{Subject, TraceId};
use crate::wire::{KeyValue, Span, SpanKind, Status, double, integer, text, texts};

/// The flag of a span whose trace is sampled.
const SAMPLED: u32 = 1;
/// The status of a span that failed.
const ERROR: i32 = 2;

/// The start and the end of a span.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

/// Makes the spans of a build.
#[derive(Debug)]
pub(crate) struct Spans {
    pub(crate) trace: TraceId,
    /// The id of the build, such as `build-7`.
    pub(crate) build: String,
}

impl Spans {
    /// Returns the span of a send. It says why it failed, but not in the provider's words, which may quote the prompt.
    pub(crate) fn of_send(&self, send: &TimedSend, prices: &Prices, times: Times) -> Span {
        let (operation, rate) = (operation(send), rate(send));
        let mut attributes = vec![
            text(names::OPERATION, operation),
            text(names::PROVIDER, send.provider.as_str()),
            text(names::MODEL, send.model.as_str()),
            text(names::REQUEST_KEY, send.key.0.to_string()),
            text(
                names::MODE,
                if rate == Rate::Batch { "batch" } else { "sync" },
            ),
        ];
        if !send.layer.is_empty() {
            attributes.push(text(names::LAYER, send.layer.as_str()));
        }
        attributes.extend(usage(send));
        if let Some(truncated) = send.truncated.filter(|_| !send.is_embedding) {
            attributes.push(texts(names::FINISH_REASONS, finish_reason(truncated)));
        }
        if let Ok(cost) = prices.cost(&send.model, &send.usage, rate)
            && send.outcome != SendOutcome::Unclear
        {
            attributes.push(double(names::COST, cost.usd()));
        }
        let failure = match &send.outcome {
            SendOutcome::Open | SendOutcome::Answered => None,
            SendOutcome::Failed { kind, .. } => Some(kind.as_str()),
            SendOutcome::Unclear => Some("unclear"),
        };
        let parent = match (send.submission, send.layer.as_str()) {
            (Some(submission), _) => Subject::Submission(submission.0),
            (None, "") => Subject::Build,
            (None, layer) => Subject::Layer(layer),
        };
        Span {
            kind: SpanKind::Client.into(),
            ..self.span(
                (Subject::Send(send.attempt.0), Some(parent)),
                format!("{operation} {}", send.model),
                times,
                (attributes, failure),
            )
        }
    }

    pub(crate) fn of_unit(&self, layer: &str, key: &str, unit: &TimedUnit) -> Span {
        let attributes = vec![text(names::LAYER, layer), text(names::UNIT, key)];
        let times = Times {
            start: unit.started,
            end: unit.settled,
        };
        let failure = unit.failure.as_ref().map(|(kind, _)| kind.as_str());
        self.span(
            (Subject::Unit(layer, key), Some(Subject::Layer(layer))),
            // The key is in an attribute, because names of spans must not be as many as units.
            format!("unit {layer}"),
            times,
            (attributes, failure),
        )
    }

    pub(crate) fn of_submission(&self, submission: &Submission) -> Span {
        let mut attributes = vec![
            text(names::PROVIDER, submission.provider.as_str()),
            text(names::MODEL, submission.model.as_str()),
            text(names::LAYER, submission.layers.as_str()),
            integer(names::BATCH_REQUESTS, submission.requests),
            text(names::STATUS, submission.state.name()),
        ];
        attributes.extend(submission.batch.as_deref().map(|id| text(names::BATCH, id)));
        let times = Times {
            start: submission.opened,
            end: submission.changed,
        };
        let is_given_up = submission.state.name() == "abandoned";
        self.span(
            (Subject::Submission(submission.id.0), Some(Subject::Build)),
            format!("submission {}", submission.model),
            times,
            (attributes, is_given_up.then_some("abandoned")),
        )
    }

    pub(crate) fn of_layer(&self, layer: &BuildLayer, tally: LayerTally, times: Times) -> Span {
        let mut attributes = vec![
            text(names::LAYER, layer.name.as_str()),
            integer(names::UNITS_FRESH, layer.fresh),
            integer(names::UNITS_DONE, tally.done),
            integer(names::UNITS_FAILED, tally.failed),
        ];
        let mode = layer.mode.map(LayerMode::name);
        attributes.extend(mode.map(|mode| text(names::MODE, mode)));
        let failed = (tally.failed > 0).then_some("units_failed");
        self.span(
            (Subject::Layer(&layer.name), Some(Subject::Build)),
            format!("layer {}", layer.name),
            times,
            (attributes, failed),
        )
    }

    pub(crate) fn of_build(
        &self,
        attributes: Vec<KeyValue>,
        failure: Option<&str>,
        times: Times,
    ) -> Span {
        let name = "synix build".to_owned();
        self.span((Subject::Build, None), name, times, (attributes, failure))
    }

    fn span(
        &self,
        (subject, parent): (Subject<'_>, Option<Subject<'_>>),
        name: String,
        times: Times,
        (mut attributes, failure): (Vec<KeyValue>, Option<&str>),
    ) -> Span {
        attributes.push(text(names::BUILD, self.build.as_str()));
        attributes.extend(failure.map(|kind| text(names::ERROR_TYPE, kind)));
        Span {
            trace_id: self.trace.bytes().to_vec(),
            span_id: self.trace.span(subject),
            parent_span_id: parent.map_or_else(Vec::new, |parent| self.trace.span(parent)),
            name,
            kind: SpanKind::Internal.into(),
            start_time_unix_nano: nanoseconds(times.start),
            // A clock that was set back must not make a span that ends before it starts.
            end_time_unix_nano: nanoseconds(times.end.max(times.start)),
            attributes,
            status: failure.map(|kind| Status {
                message: kind.to_owned(),
                code: ERROR,
            }),
            flags: SAMPLED,
        }
    }
}

/// Returns the operation of a send, in the words of the conventions.
pub(crate) const fn operation(send: &TimedSend) -> &'static str {
    if send.is_embedding {
        "embeddings"
    } else {
        "chat"
    }
}

pub(crate) const fn rate(send: &TimedSend) -> Rate {
    if send.submission.is_some() {
        Rate::Batch
    } else {
        Rate::Sync
    }
}

/// Returns the token counts of a send. What the provider did not count is absent, and so are zeros of a failure.
fn usage(send: &TimedSend) -> Vec<KeyValue> {
    let usage = &send.usage;
    let is_answered = send.outcome == SendOutcome::Answered;
    if usage.uncounted || (!is_answered && usage.input_tokens == 0 && usage.output_tokens == 0) {
        return Vec::new();
    }
    let mut counts = vec![integer(names::INPUT_TOKENS, usage.input_tokens)];
    if !send.is_embedding {
        counts.push(integer(names::OUTPUT_TOKENS, usage.output_tokens));
    }
    for (name, count) in [
        (names::CACHE_READ_TOKENS, usage.cached_tokens),
        (names::CACHE_CREATION_TOKENS, usage.cache_write_tokens),
        (names::REASONING_TOKENS, usage.reasoning_tokens),
    ] {
        if count > 0 {
            counts.push(integer(name, count));
        }
    }
    counts
}

/// Converts a time into nanoseconds since 1970.
pub(crate) const fn nanoseconds(time: Timestamp) -> u64 {
    time.0.saturating_mul(1_000_000)
}
