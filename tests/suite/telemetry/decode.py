"""Decodes messages of OTLP with the official package, and prints them as JSON.

The folder in the first argument has the bodies: NUMBER.traces and NUMBER.metrics.
"""

import base64
import gzip
import json
import pathlib
import sys

from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def value(any_value):
    kind = any_value.WhichOneof("value")
    if kind == "array_value":
        return [value(one) for one in any_value.array_value.values]
    return getattr(any_value, kind)


def attributes(pairs):
    named = {pair.key: value(pair.value) for pair in pairs}
    assert len(named) == len(pairs), "an attribute is there twice"
    return named


def read(path, message):
    body = path.read_bytes()
    if body.startswith(b"\x1f\x8b"):
        body = gzip.decompress(body)
    if body.startswith(b"{"):
        document = json.loads(body)
        # The JSON form of OTLP has ids in hex, and that of Protocol Buffers in base64.
        def ids(node):
            if isinstance(node, dict):
                for key in ("traceId", "spanId", "parentSpanId"):
                    if key in node:
                        node[key] = base64.b64encode(bytes.fromhex(node[key])).decode()
                for child in node.values():
                    ids(child)
            elif isinstance(node, list):
                for child in node:
                    ids(child)

        ids(document)
        return Parse(json.dumps(document), message)
    message.ParseFromString(body)
    return message


spans, metrics, resources = [], [], []
folder = pathlib.Path(sys.argv[1])
for path in sorted(folder.iterdir(), key=lambda path: int(path.stem)):
    if path.suffix == ".traces":
        for resource in read(path, ExportTraceServiceRequest()).resource_spans:
            resources.append(attributes(resource.resource.attributes))
            for scope in resource.scope_spans:
                for span in scope.spans:
                    spans.append(
                        {
                            "trace": span.trace_id.hex(),
                            "id": span.span_id.hex(),
                            "parent": span.parent_span_id.hex(),
                            "name": span.name,
                            "kind": span.kind,
                            "start": span.start_time_unix_nano,
                            "end": span.end_time_unix_nano,
                            "attributes": attributes(span.attributes),
                            "status": span.status.code,
                            "scope": scope.scope.name,
                        }
                    )
    else:
        for resource in read(path, ExportMetricsServiceRequest()).resource_metrics:
            resources.append(attributes(resource.resource.attributes))
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    data = getattr(metric, metric.WhichOneof("data"))
                    for point in data.data_points:
                        found = {
                            "name": metric.name,
                            "unit": metric.unit,
                            "temporality": data.aggregation_temporality,
                            "attributes": attributes(point.attributes),
                            "start": point.start_time_unix_nano,
                            "time": point.time_unix_nano,
                        }
                        if metric.WhichOneof("data") == "histogram":
                            assert sum(point.bucket_counts) == point.count
                            assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
                            found.update(count=point.count, sum=point.sum)
                        else:
                            assert data.is_monotonic
                            found.update(value=point.as_double)
                        metrics.append(found)
print(json.dumps({"spans": spans, "metrics": metrics, "resources": resources}))
