"""OTLP as bytes, for what no protobuf library writes: texts that are no UTF-8, and trees deeper than one reads."""

from __future__ import annotations

_BYTES, _BITS = 2, 7
# Fields by number (opentelemetry-proto 1.7).
_STRING_VALUE, _ARRAY_VALUE, _KVLIST_VALUE = 1, 5, 6
_KEY, _VALUE, _VALUES = 1, 2, 1


def field(number: int, content: bytes) -> bytes:
    """Give a field that holds bytes, a text or a message."""
    return bytes([number << 3 | _BYTES]) + varint(len(content)) + content


def varint(number: int) -> bytes:
    """Give a number as protobuf writes it."""
    written = bytearray()
    while number >> _BITS:
        written.append(number & 0x7F | 0x80)
        number >>= _BITS
    return bytes([*written, number])


def text(content: bytes) -> bytes:
    """Give an AnyValue that is a text, of whatever bytes."""
    return field(_STRING_VALUE, content)


def pair(key: bytes, value: bytes) -> bytes:
    """Give a KeyValue."""
    return field(_KEY, key) + field(_VALUE, value)


def deep(levels: int, innermost: bytes) -> bytes:
    """Give an AnyValue in so many arrays and maps in turn."""
    value = innermost
    for level in range(levels):
        if level % 2:
            value = field(_ARRAY_VALUE, field(_VALUES, value))
        else:
            value = field(_KVLIST_VALUE, field(_VALUES, pair(b"a", value)))
    return value


def span(name: bytes = b"", attributes: bytes = b"", status: bytes = b"") -> bytes:
    """Give an ExportTraceServiceRequest with one span.

    Args:
        name: of the span, of whatever bytes.
        attributes: a KeyValue.
        status: its message.
    """
    made = field(5, name) + (field(9, attributes) if attributes else b"") + field(15, field(2, status))
    return field(1, field(1, b"") + field(2, field(1, b"") + field(2, made)))


def log(body: bytes = b"", attributes: bytes = b"", severity: bytes = b"") -> bytes:
    """Give an ExportLogsServiceRequest with one record.

    Args:
        body: an AnyValue.
        attributes: a KeyValue.
        severity: the text of its severity.
    """
    made = field(3, severity) + field(5, body) + (field(6, attributes) if attributes else b"")
    return field(1, field(1, b"") + field(2, field(1, b"") + field(2, made)))


def metric(name: bytes = b"m", attributes: bytes = b"", unit: bytes = b"") -> bytes:
    """Give an ExportMetricsServiceRequest with one gauge of one point.

    Args:
        name: of the metric, of whatever bytes.
        attributes: a KeyValue.
        unit: of the metric.
    """
    point = field(7, attributes) if attributes else b""
    made = field(1, name) + field(3, unit) + field(5, field(1, point))
    return field(1, field(1, b"") + field(2, field(1, b"") + field(2, made)))
