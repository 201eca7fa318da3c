//! Collects spans and metrics, sends them as messages, and counts what is lost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use prost::Message as _;
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use synix_core::clock::Clock;

use crate::http::Receiver;
use crate::ids::TraceId;
use crate::json;
use crate::metrics::Metrics;
use crate::outlet::{Delivered, Outlet};
use crate::resource::resource;
use crate::settings::Settings;
use crate::thread::{Delivery, StartError};
use crate::wire::{
    Data, Metric, MetricsRequest, Resource, ResourceMetrics, ResourceSpans, ScopeMetrics,
    ScopeSpans, Span, TraceRequest, scope,
};

/// The maximum number of spans, and about the maximum number of bytes, of a message.
const MAX_SPANS: usize = 512;
const MAX_BYTES: usize = 1024 * 1024;
/// The time between two messages with metrics.
const METRICS_INTERVAL: Duration = Duration::from_secs(60);

/// What is to be sent, and what became of it.
pub(crate) struct Report {
    runtime: Runtime,
    traces: Option<Outlet>,
    metrics_to: Option<Outlet>,
    resource: Resource,
    pending: Vec<Span>,
    pub(crate) metrics: Metrics,
    metrics_sent: Instant,
    deadline: Option<Instant>,
    delivery: Delivery,
}

impl Report {
    pub(crate) fn new(
        settings: &Settings,
        trace: &TraceId,
        closed: &Arc<Notify>,
    ) -> Result<Self, StartError> {
        let outlet = |endpoint: &Option<_>| -> Result<Option<Outlet>, StartError> {
            let receiver = endpoint.clone().map(Receiver::new).transpose();
            let receiver = receiver.map_err(StartError::Client)?;
            Ok(receiver.map(|receiver| Outlet::new(receiver, Arc::clone(closed))))
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(StartError::System)?;
        Ok(Self {
            runtime,
            traces: outlet(&settings.traces)?.filter(|_| settings.sampler.takes(trace)),
            metrics_to: outlet(&settings.metrics)?,
            resource: resource(&settings.resource),
            pending: Vec::new(),
            metrics: Metrics::new(settings.temporality, Clock::Real.now()),
            metrics_sent: Instant::now(),
            deadline: None,
            delivery: Delivery::default(),
        })
    }

    /// Adds a span, if spans are sent at all.
    pub(crate) fn add(&mut self, span: impl FnOnce() -> Span) {
        if self.traces.is_some() {
            self.pending.push(span());
        }
    }

    /// Counts spans that cannot be sent.
    pub(crate) fn lose(&mut self, spans: u64, reason: &str) {
        if self.traces.is_some() && spans > 0 {
            self.delivery.lost += spans;
            self.delivery
                .reason
                .get_or_insert_with(|| reason.to_owned());
        }
    }

    /// From now on, messages are sent until `deadline`.
    pub(crate) fn begin_flush(&mut self, deadline: Instant) {
        self.deadline = Some(deadline);
        for outlet in self.traces.iter_mut().chain(&mut self.metrics_to) {
            outlet.begin_flush(deadline);
        }
    }

    /// Returns whether the time for the rest is over.
    pub(crate) fn is_over(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Notes that more is lost than is counted.
    pub(crate) const fn leave_uncounted(&mut self) {
        self.delivery.is_more = true;
    }

    pub(crate) fn finish(self) -> Delivery {
        self.delivery
    }

    /// Sends the pending spans. Returns how long they have to wait, if they do.
    pub(crate) fn send_spans(&mut self) -> Option<Duration> {
        let outlet = self.traces.as_mut()?;
        while !self.pending.is_empty() {
            let rest = self.pending.split_off(first_spans(&self.pending));
            let count = self.pending.len() as u64;
            let message = TraceRequest {
                resource_spans: vec![ResourceSpans {
                    resource: Some(self.resource.clone()),
                    scope_spans: vec![ScopeSpans {
                        scope: Some(scope()),
                        spans: std::mem::take(&mut self.pending),
                    }],
                }],
            };
            let body = if outlet.is_json() {
                json::traces(&message).to_string().into_bytes()
            } else {
                message.encode_to_vec()
            };
            let delivered = outlet.deliver(&self.runtime, &body, count);
            self.pending = rest;
            match delivered {
                Delivered::Done { lost, reason } => {
                    self.delivery.add(outlet, lost, reason);
                }
                Delivered::Later(wait) => {
                    let spans = message.resource_spans.into_iter().next();
                    let spans = spans.and_then(|spans| spans.scope_spans.into_iter().next());
                    let first = spans.map_or_else(Vec::new, |spans| spans.spans);
                    self.pending.splice(..0, first);
                    return Some(wait);
                }
            }
        }
        None
    }

    /// Sends the metrics at the end, and before that from time to time.
    pub(crate) fn send_metrics(&mut self) {
        let is_due = self.deadline.is_some() || self.metrics_sent.elapsed() >= METRICS_INTERVAL;
        let Some(outlet) = self.metrics_to.as_mut().filter(|_| is_due) else {
            return;
        };
        self.metrics_sent = Instant::now();
        let now = Clock::Real.now();
        let metrics = self.metrics.collect(now);
        if metrics.is_empty() {
            return;
        }
        let count = metrics.iter().map(points).sum();
        let message = MetricsRequest {
            resource_metrics: vec![ResourceMetrics {
                resource: Some(self.resource.clone()),
                scope_metrics: vec![ScopeMetrics {
                    scope: Some(scope()),
                    metrics,
                }],
            }],
        };
        let body = if outlet.is_json() {
            json::metrics(&message).to_string().into_bytes()
        } else {
            message.encode_to_vec()
        };
        match outlet.deliver(&self.runtime, &body, count) {
            Delivered::Done { lost, reason } => {
                self.delivery.add(outlet, lost, reason);
                self.metrics.accepted(now);
            }
            // The next message has their values, too.
            Delivered::Later(_) => {}
        }
    }
}

impl Delivery {
    fn add(&mut self, outlet: &Outlet, lost: u64, reason: Option<String>) {
        self.lost += lost;
        if let (true, Some(reason)) = (lost > 0, reason) {
            self.reason
                .get_or_insert_with(|| format!("{}: {reason}", outlet.shown()));
        }
    }
}

/// Returns how many of the first spans fit into a message.
fn first_spans(spans: &[Span]) -> usize {
    let mut bytes = 0;
    let fitting = spans.iter().take(MAX_SPANS).take_while(|span| {
        bytes += span.encoded_len();
        bytes <= MAX_BYTES
    });
    fitting.count().max(1)
}

fn points(metric: &Metric) -> u64 {
    let points = match &metric.data {
        Some(Data::Sum(sum)) => sum.data_points.len(),
        Some(Data::Histogram(histogram)) => histogram.data_points.len(),
        None => 0,
    };
    points as u64
}
