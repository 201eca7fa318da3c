//! The JSON form of OTLP: ids as hex digits, 64-bit integers as texts, and names in lower camel case.

use serde_json::{Map, Value as Json, json};

use crate::wire::{
    AnyValue, Data, HistogramPoint, KeyValue, Metric, MetricsRequest, NumberPoint, PartialSuccess,
    Resource, Scope, Span, TraceRequest, Value,
};

pub(crate) fn traces(request: &TraceRequest) -> Json {
    let resource_spans = request.resource_spans.iter().map(|spans| {
        let scopes = spans.scope_spans.iter().map(|spans| {
            let all: Vec<Json> = spans.spans.iter().map(span).collect();
            json!({"scope": spans.scope.as_ref().map(scope), "spans": all})
        });
        json!({
            "resource": spans.resource.as_ref().map(resource),
            "scopeSpans": scopes.collect::<Vec<_>>(),
        })
    });
    json!({"resourceSpans": resource_spans.collect::<Vec<_>>()})
}

pub(crate) fn metrics(request: &MetricsRequest) -> Json {
    let resource_metrics = request.resource_metrics.iter().map(|metrics| {
        let scopes = metrics.scope_metrics.iter().map(|metrics| {
            let all: Vec<Json> = metrics.metrics.iter().map(metric).collect();
            json!({"scope": metrics.scope.as_ref().map(scope), "metrics": all})
        });
        json!({
            "resource": metrics.resource.as_ref().map(resource),
            "scopeMetrics": scopes.collect::<Vec<_>>(),
        })
    });
    json!({"resourceMetrics": resource_metrics.collect::<Vec<_>>()})
}

/// Reads how much of a message was refused; `None` if nothing was, or if the reply makes no sense.
pub(crate) fn partial_success(body: &[u8]) -> Option<PartialSuccess> {
    let reply: Json = serde_json::from_slice(body).ok()?;
    let partial = reply.get("partialSuccess")?;
    let rejected = ["rejectedSpans", "rejectedDataPoints"]
        .iter()
        .find_map(|name| partial.get(name));
    let rejected = rejected.and_then(|count| {
        let text = count.as_str().and_then(|text| text.parse().ok());
        text.or_else(|| count.as_i64())
    });
    let message = partial.get("errorMessage").and_then(Json::as_str);
    Some(PartialSuccess {
        rejected: rejected.unwrap_or(0),
        error_message: message.unwrap_or_default().to_owned(),
    })
}

fn scope(scope: &Scope) -> Json {
    json!({"name": scope.name, "version": scope.version})
}

fn resource(resource: &Resource) -> Json {
    json!({"attributes": attributes(&resource.attributes)})
}

fn span(span: &Span) -> Json {
    let mut members = Map::new();
    let mut add = |name: &str, value: Json| members.insert(name.to_owned(), value);
    add("traceId", hex(&span.trace_id));
    add("spanId", hex(&span.span_id));
    if !span.parent_span_id.is_empty() {
        add("parentSpanId", hex(&span.parent_span_id));
    }
    add("name", json!(span.name));
    add("kind", json!(span.kind));
    add("startTimeUnixNano", number(span.start_time_unix_nano));
    add("endTimeUnixNano", number(span.end_time_unix_nano));
    add("attributes", attributes(&span.attributes));
    add("flags", json!(span.flags));
    if let Some(status) = &span.status {
        add(
            "status",
            json!({"code": status.code, "message": status.message}),
        );
    }
    Json::Object(members)
}

fn metric(metric: &Metric) -> Json {
    let (name, data) = match &metric.data {
        Some(Data::Sum(sum)) => (
            "sum",
            json!({
                "dataPoints": sum.data_points.iter().map(number_point).collect::<Vec<_>>(),
                "aggregationTemporality": sum.aggregation_temporality,
                "isMonotonic": sum.is_monotonic,
            }),
        ),
        Some(Data::Histogram(histogram)) => (
            "histogram",
            json!({
                "dataPoints": histogram.data_points.iter().map(histogram_point).collect::<Vec<_>>(),
                "aggregationTemporality": histogram.aggregation_temporality,
            }),
        ),
        None => return json!({"name": metric.name}),
    };
    json!({"name": metric.name, "unit": metric.unit, name: data})
}

fn number_point(point: &NumberPoint) -> Json {
    json!({
        "attributes": attributes(&point.attributes),
        "startTimeUnixNano": number(point.start_time_unix_nano),
        "timeUnixNano": number(point.time_unix_nano),
        "asDouble": point.as_double,
    })
}

fn histogram_point(point: &HistogramPoint) -> Json {
    json!({
        "attributes": attributes(&point.attributes),
        "startTimeUnixNano": number(point.start_time_unix_nano),
        "timeUnixNano": number(point.time_unix_nano),
        "count": number(point.count),
        "sum": point.sum,
        "bucketCounts": point.bucket_counts.iter().map(|count| number(*count)).collect::<Vec<_>>(),
        "explicitBounds": point.explicit_bounds,
        "min": point.min,
        "max": point.max,
    })
}

fn attributes(attributes: &[KeyValue]) -> Json {
    let pairs = attributes
        .iter()
        .map(|pair| json!({"key": pair.key, "value": pair.value.as_ref().map(any_value)}));
    Json::Array(pairs.collect())
}

fn any_value(value: &AnyValue) -> Json {
    match &value.value {
        Some(Value::Text(text)) => json!({"stringValue": text}),
        Some(Value::Integer(number)) => json!({"intValue": number.to_string()}),
        Some(Value::Double(number)) => json!({"doubleValue": number}),
        Some(Value::Array(array)) => {
            let values: Vec<Json> = array.values.iter().map(any_value).collect();
            json!({"arrayValue": {"values": values}})
        }
        None => json!({}),
    }
}

fn number(number: u64) -> Json {
    Json::String(number.to_string())
}

fn hex(bytes: &[u8]) -> Json {
    Json::String(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
