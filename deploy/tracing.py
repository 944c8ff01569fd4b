"""One trace per request, by OpenTelemetry; its id stands on every log line written within it.

Spans are kept by nobody unless OTEL_TRACES_EXPORTER is `console`; the ids are there all the same.
Names and paths follow the semantic conventions for HTTP; a query string never enters a span.
"""

import os
from collections.abc import Callable, MutableMapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

_provider = TracerProvider(resource=Resource.create({"service.name": "frontline"}))
if os.environ.get("OTEL_TRACES_EXPORTER") == "console":
    _provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
_tracer = _provider.get_tracer("frontline.web")


def trace_requests(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Open a server span around each request and mark it when the answer is an error of ours."""

    def traced(request: HttpRequest) -> HttpResponse:
        method = request.method or "GET"
        with _tracer.start_as_current_span(method, kind=SpanKind.SERVER) as span:
            span.set_attribute("http.request.method", method)
            response = get_response(request)
            route = request.resolver_match.route if request.resolver_match else ""
            span.update_name(f"{method} /{route}")
            span.set_attribute("http.route", f"/{route}")
            span.set_attribute("http.response.status_code", response.status_code)
            if response.status_code >= 500:
                span.set_status(Status(StatusCode.ERROR))
            return response

    return traced


def with_trace(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Add the id of the trace a log line belongs to, if there is one."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
        event["span_id"] = trace.format_span_id(context.span_id)
    return event
