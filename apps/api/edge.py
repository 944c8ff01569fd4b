"""What every address for programs has in common: what is refused is said as JSON, with a code."""

from collections.abc import Mapping
from contextlib import suppress

from django.core.exceptions import RequestDataTooBig
from django.http.request import RawPostDataException
from rest_framework.exceptions import APIException, NotFound, ParseError, UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from typing_extensions import override

_CODES = {
    400: "payload_refused",
    401: "not_signed_in",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    415: "media_type_refused",
    429: "too_many_requests",
}


class PayloadTooLarge(APIException):  # type: ignore[misc]  # the framework has no types
    """More was sent than is read."""

    status_code = 413

    def __init__(self) -> None:
        super().__init__({"code": "payload_too_large"})


class ProgramView(APIView):  # type: ignore[misc]  # the framework has no types
    """An address for programs; a refusal of the framework has a code as well."""

    @override
    def handle_exception(self, exc: Exception) -> Response:
        """Say what was refused as JSON, with a code."""
        said = PayloadTooLarge() if isinstance(exc, RequestDataTooBig) else exc
        answer = super().handle_exception(said)
        if "code" not in answer.data:
            answer.data = {"code": _CODES.get(answer.status_code, "refused")}
        return answer


class Nowhere(ProgramView):
    """Any address that leads nowhere, whoever asks."""

    authentication_classes = ()
    permission_classes = ()

    @override
    def initial(self, request: Request, *given: object, **named: object) -> None:
        """Say at once, whatever the method, that there is nothing here."""
        raise NotFound


def body_of(request: Request) -> bytes:
    """Return the bytes of the body as they came.

    Raises:
        RequestDataTooBig: there are more than are read.
        UnsupportedMediaType: they were a form, and have been read as one.
    """
    try:
        return bytes(request._request.body)
    except RawPostDataException as error:
        raise UnsupportedMediaType(request.content_type) from error


def object_of(request: Request) -> Mapping[str, object]:
    """Return the JSON object in the body.

    Raises:
        RequestDataTooBig: there is more of it than is read.
        UnsupportedMediaType: it is a form.
        ParseError: it is not JSON, or no object.
    """
    # The framework would read on however long it is; this measures first.
    body_of(request)
    with suppress(RecursionError):
        if isinstance(request.data, dict):
            return request.data
        raise ParseError({"code": "not_an_object"})
    raise ParseError
