"""Where a text may stand in a span, a log record or a metric: requests full of texts, and what came out of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

_NOW = 1_763_800_000_000_000_000


@dataclass(slots=True)
class Item:
    """What stands in a span, a log record or a metric, in the order in which its layout names the places.

    Attributes:
        texts: of the places for a text.
        attributes: of the places for attributes, all that stand in each.
        body: of a log record, where it is no text.
    """

    texts: Sequence[str]
    attributes: Sequence[Sequence[KeyValue]]
    body: AnyValue | None = field(default=None)


class Traces:
    """A span each with an event, alone in its scope and its resource."""

    signal = "traces"
    texts = ("scope.name", "scope.version", "span.name", "span.status.message", "spanevent.name")
    attributes = ("resource.attributes", "scope.attributes", "span.attributes", "spanevent.attributes")

    @staticmethod
    def build(number: int, items: Iterable[Item]) -> ExportTraceServiceRequest:
        """Give a request that is known by its number."""
        request = ExportTraceServiceRequest()
        for index, item in enumerate(items, 1):
            resource = request.resource_spans.add()
            scope = resource.scope_spans.add()
            span = scope.spans.add(
                trace_id=number.to_bytes(16, "big"), span_id=index.to_bytes(8, "big"), start_time_unix_nano=_NOW
            )
            event = span.events.add()
            scope.scope.name, scope.scope.version, span.name, span.status.message, event.name = item.texts
            holders = (resource.resource, scope.scope, span, event)
            for holder, pairs in zip(holders, item.attributes, strict=True):
                holder.attributes.extend(pairs)
        return request

    @staticmethod
    def number(message: Any) -> int:
        """Give the number of the request that a message came of."""
        return int.from_bytes(message.resource_spans[0].scope_spans[0].spans[0].trace_id, "big")

    @staticmethod
    def read(message: Any) -> Iterator[Item]:
        """Give what stands in the spans."""
        for resource in message.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    event = span.events[0]
                    yield Item(
                        (scope.scope.name, scope.scope.version, span.name, span.status.message, event.name),
                        (resource.resource.attributes, scope.scope.attributes, span.attributes, event.attributes),
                    )


class Logs:
    """A log record each, alone in its scope and its resource."""

    signal = "logs"
    texts = ("scope.name", "scope.version", "log.body", "log.severity_text", "log.event_name")
    attributes = ("resource.attributes", "scope.attributes", "log.attributes")

    @staticmethod
    def build(number: int, items: Iterable[Item]) -> ExportLogsServiceRequest:
        """Give a request that is known by its number."""
        request = ExportLogsServiceRequest()
        for item in items:
            resource = request.resource_logs.add()
            scope = resource.scope_logs.add()
            log = scope.log_records.add(trace_id=number.to_bytes(16, "big"), time_unix_nano=_NOW)
            scope.scope.name, scope.scope.version, body, log.severity_text, log.event_name = item.texts
            if item.body is None:
                log.body.string_value = body
            else:
                log.body.CopyFrom(item.body)
            for holder, pairs in zip((resource.resource, scope.scope, log), item.attributes, strict=True):
                holder.attributes.extend(pairs)
        return request

    @staticmethod
    def number(message: Any) -> int:
        """Give the number of the request that a message came of."""
        return int.from_bytes(message.resource_logs[0].scope_logs[0].log_records[0].trace_id, "big")

    @staticmethod
    def read(message: Any) -> Iterator[Item]:
        """Give what stands in the log records."""
        for resource in message.resource_logs:
            for scope in resource.scope_logs:
                for log in scope.log_records:
                    is_text = log.body.WhichOneof("value") == "string_value"
                    body = log.body.string_value if is_text else ""
                    yield Item(
                        (scope.scope.name, scope.scope.version, body, log.severity_text, log.event_name),
                        (resource.resource.attributes, scope.scope.attributes, log.attributes),
                        None if is_text else log.body,
                    )


class Metrics:
    """A metric each with one point and, where its kind has them, one exemplar; alone in its scope and its resource."""

    signal = "metrics"
    texts = ("scope.name", "scope.version", "metric.name", "metric.description", "metric.unit")
    attributes = ("resource.attributes", "scope.attributes", "datapoint.attributes", "exemplar.filtered_attributes")
    kinds = ("gauge", "sum", "histogram", "exponential_histogram", "summary")

    @classmethod
    def build(cls, number: int, items: Iterable[Item]) -> ExportMetricsServiceRequest:
        """Give a request that is known by its number; the metrics are of each kind in turn."""
        request = ExportMetricsServiceRequest()
        for index, item in enumerate(items):
            resource = request.resource_metrics.add()
            scope = resource.scope_metrics.add()
            metric = scope.metrics.add()
            kind = cls.kinds[index % len(cls.kinds)]
            point = getattr(metric, kind).data_points.add(time_unix_nano=number)
            scope.scope.name, scope.scope.version, metric.name, metric.description, metric.unit = item.texts
            holders = (resource.resource, scope.scope, point)
            for holder, pairs in zip(holders, item.attributes, strict=False):
                holder.attributes.extend(pairs)
            if kind != "summary":
                point.exemplars.add(as_int=1).filtered_attributes.extend(item.attributes[-1])
        return request

    @staticmethod
    def number(message: Any) -> int:
        """Give the number of the request that a message came of."""
        metric = message.resource_metrics[0].scope_metrics[0].metrics[0]
        return getattr(metric, metric.WhichOneof("data")).data_points[0].time_unix_nano

    @staticmethod
    def read(message: Any) -> Iterator[Item]:
        """Give what stands in the metrics; a summary has one place less."""
        for resource in message.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    kind = metric.WhichOneof("data")
                    point = getattr(metric, kind).data_points[0]
                    exemplar = () if kind == "summary" else (point.exemplars[0].filtered_attributes,)
                    yield Item(
                        (scope.scope.name, scope.scope.version, metric.name, metric.description, metric.unit),
                        (resource.resource.attributes, scope.scope.attributes, point.attributes, *exemplar),
                    )


Layout = type[Traces] | type[Logs] | type[Metrics]
LAYOUTS: tuple[Layout, ...] = (Traces, Logs, Metrics)
