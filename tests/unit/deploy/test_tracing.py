"""A request is one span; its id is on the log lines written within it, its query nowhere."""

from types import SimpleNamespace

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from deploy.tracing import trace_requests, with_trace


def answer(status=200, seen=None):
    def view(request):
        request.resolver_match = SimpleNamespace(route="workspace/customers/")
        if seen is not None:
            seen.append((trace.get_current_span(), with_trace(None, "info", {"event": "looked"})))
        return HttpResponse(status=status)

    return view


def traced(status=200, path="/workspace/customers/?q=Anna"):
    seen = []
    trace_requests(answer(status, seen))(RequestFactory().get(path))
    return seen[0]


def test_request_is_a_span_named_by_its_route():
    span, _ = traced()

    assert span.name == "GET /workspace/customers/"
    assert span.attributes["http.response.status_code"] == 200


def test_query_never_enters_a_span():
    span, _ = traced()

    assert "Anna" not in f"{span.name} {dict(span.attributes)}"


def test_log_line_within_carries_the_trace():
    span, line = traced()

    assert line["trace_id"] == trace.format_trace_id(span.get_span_context().trace_id)


def test_log_line_outside_carries_none():
    assert with_trace(None, "info", {"event": "started"}) == {"event": "started"}


@pytest.mark.parametrize(("status", "code"), [(503, StatusCode.ERROR), (404, StatusCode.UNSET)])
def test_only_our_own_errors_are_errors(status, code):
    span, _ = traced(status)

    assert span.status.status_code is code
