"""A short form of `python -m tests.stack.hostile`: what is made to hurt a collector, and what becomes of it."""

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.stack.collector import Collector
from tests.stack.hostile import ADDRESS_SPACE, post
from tests.stack.hostile_inputs import HEAVY, LIMIT, REFUSED, levels

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
# The same shapes as in the long form, and a part of their size: each item of a request costs, be it empty.
SIZE, SIZE_OF_ITEMS = LIMIT // 8, LIMIT // 64
ITEMS = {"empty spans", "empty events", "empty log records", "empty points", "spans of one attribute"}
SECONDS = 60.0


@pytest.fixture(scope="module")
def collector(tmp_path_factory):
    """A collector of its own, which the machine survives."""
    with Collector(tmp_path_factory.mktemp("collector") / "run") as running:
        running.footprint.allow_addresses(ADDRESS_SPACE)
        yield running


@pytest.mark.parametrize("title", REFUSED)
def test_what_is_no_request_is_refused(collector, title):
    """What is malformed, too large, packed too tightly or of another type is a client's error; a fresh span arrives."""
    assert post(collector, REFUSED[title](LIMIT)) in {400, 413, 415}
    assert collector.arrives(wait=SECONDS)


@pytest.mark.parametrize("title", HEAVY)
def test_what_is_heavy_is_survived(collector, title):
    """What is a request, and an odd one, is answered, and a fresh span arrives."""
    size = SIZE_OF_ITEMS if title in ITEMS else SIZE
    assert post(collector, HEAVY[title](size)) in {200, 400, 503}
    assert collector.arrives(wait=SECONDS)


@pytest.mark.parametrize("depth", [100, 1_000, 10_000, 100_000])
def test_depth_is_survived(collector, depth):
    """A value of any number of levels is answered, and a fresh span arrives."""
    assert post(collector, levels(depth)) in {200, 400, 503}
    assert collector.arrives(wait=SECONDS)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"\xff" * 1000, grpc.StatusCode.INTERNAL),
        (bytes(LIMIT + 1), grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
    ids=["no protobuf", "too large"],
)
def test_the_same_over_grpc(collector, body, code):
    """What is malformed or too large is refused over gRPC too; a fresh span arrives."""
    with grpc.insecure_channel(collector.grpc_address) as channel:
        call = channel.unary_unary(EXPORT)
        with pytest.raises(grpc.RpcError) as refused:
            call(body, timeout=SECONDS)
        assert refused.value.code() == code
        assert call(ExportTraceServiceRequest().SerializeToString(), timeout=SECONDS) is not None
    assert collector.arrives(wait=SECONDS)
