"""Requests that run at the same time share nothing; `python -m benchmarks.interleaving` is the long form."""

import pytest

from benchmarks.interleaving import Figures, compare, measure, remote_trace
from tests.otlp_receiver import ReceivedRecord, ReceivedSpan

REQUESTS, CONCURRENCY = 2000, 100


async def test_interleaved_requests_share_nothing(tmp_path):
    """2,000 requests, 100 at a time: no header, line, span or record has another's id; one event and span each."""
    figures = await measure(REQUESTS, CONCURRENCY, tmp_path)
    assert figures.faults == {}
    unmatched = -(-REQUESTS // 9)
    assert figures.records >= REQUESTS + 3 * (REQUESTS - unmatched)
    assert figures.lines >= figures.records
    assert figures.spans >= REQUESTS + (REQUESTS - unmatched)


def span(number: int, **changes):
    """A server span as it should be."""
    told = {
        "name": "GET", "server": True, "trace_id": f"trace-{number}", "span_id": "s", "parent_span_id": "",
        "trace_state": "", "started": 0, "ended": 0, "attributes": {"request_id": f"request-{number}"},
        "links": [(remote_trace(number), f"{number + 1:016x}")], "events": [], "status": 0,
    }  # fmt: skip
    return ReceivedSpan(**told | changes)


def story(**changes) -> Figures:
    """The comparison of two requests that were told as they should be, but for the changes."""
    told = {
        "lines": [
            {"event": "http.request.completed", "request_id": f"request-{n}", "trace_id": f"trace-{n}", "principal": n}
            for n in (0, 1)
        ],
        "spans": [span(0), span(1)],
        "records": [
            ReceivedRecord("http.request.completed", f"trace-{n}", "s", {"request_id": f"request-{n}"}) for n in (0, 1)
        ],
    }
    return compare({"request-0": "trace-0", "request-1": "trace-1"}, **told | changes)


def test_the_comparison_is_content_with_two_good_stories():
    """Two requests that were told apart have no fault."""
    assert story().faults == {}


LINE = {"event": "x", "request_id": "request-0", "trace_id": "trace-0"}
ACCESS = {"event": "http.request.completed", "request_id": "request-0", "trace_id": "trace-0", "principal": 0}
OTHER = {"event": "http.request.completed", "request_id": "request-1", "trace_id": "trace-1", "principal": 1}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"lines": [ACCESS, OTHER, LINE | {"trace_id": "trace-1"}]}, "foreign_lines"),
        ({"lines": [ACCESS, OTHER, LINE | {"marker": "request-1"}]}, "foreign_lines"),
        ({"lines": [ACCESS, OTHER, {"event": "x", "marker": "request-1"}]}, "foreign_lines"),
        ({"lines": [ACCESS, OTHER, {"event": "x", "trace_id": "trace-1"}]}, "foreign_lines"),
        ({"lines": [ACCESS, OTHER | {"principal": 0}]}, "foreign_lines"),
        ({"lines": [ACCESS]}, "without_one_access_event"),
        ({"lines": [ACCESS, OTHER, OTHER]}, "without_one_access_event"),
        ({"records": []}, "without_one_access_record"),
        ({"spans": [span(0)]}, "without_one_server_span"),
        ({"spans": [span(0), span(1), span(1)]}, "without_one_server_span"),
        ({"spans": [span(0), span(1, links=[])]}, "foreign_spans"),
        ({"spans": [span(0), span(1, trace_id="trace-0")]}, "foreign_spans"),
        ({"spans": [span(0), span(1), span(1, server=False, attributes={"marker": "request-0"})]}, "foreign_spans"),
        ({"spans": [span(0), span(1), span(1, server=False, trace_id="trace-9")]}, "foreign_spans"),
    ],
)
def test_the_comparison_sees_a_fault(changes, fault):
    """Whatever is told with another's id, twice or not at all, is counted."""
    assert story(**changes).faults.get(fault, 0) >= 1
