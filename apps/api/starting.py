"""What programs outside may do: start a flow, send a message, deliver a webhook.

No session and no cookie is looked at here: a program shows its key, a webhook its signature.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from rest_framework.request import Request
from rest_framework.response import Response

import interaction.public
import sentinel.public
from apps.api.edge import ProgramView, body_of, object_of
from interaction.public import CallerRefused, DeliveryRefused, Received, TriggerUnknown

_BEARER = "Bearer "
_RETRY_SECONDS = "60"
_STATUS = {
    "event_id_missing": 400,
    "headers_missing": 401,
    "signature_refused": 401,
    "stale": 401,
    "payload_too_large": 413,
    "payload_refused": 422,
    "event_id_reused": 409,
    "paused": 503,
}


class Edge(ProgramView):
    """An address within a legal entity; what is refused is said with a code and nothing else."""

    authentication_classes = ()
    permission_classes = ()

    def answered(self, entity: str, take: Callable[[], tuple[Received, ...]]) -> Response:
        """Take what came within a legal entity, and say what became of it."""
        if entity not in {each.entity for each in sentinel.public.legal_entities()}:
            return _refusal(404, "not_found")
        with sentinel.public.legal_entity(entity=entity):
            try:
                received = take()
            except CallerRefused as refused:
                return _refusal(401, refused.code, {"WWW-Authenticate": "Bearer"})
            except TriggerUnknown:
                return _refusal(404, "not_found")
            except DeliveryRefused as refused:
                headers = {"Retry-After": _RETRY_SECONDS} if refused.reason == "paused" else {}
                return _refusal(_STATUS.get(refused.reason, 422), refused.reason, headers)
        is_new = any(each.is_new for each in received)
        cases = [{"case": str(each.case_id), "is_new": each.is_new} for each in received]
        return Response({"started": cases}, status=201 if is_new else 200)


class StartFlow(Edge):
    """`POST`: start a flow, once for each `Idempotency-Key`."""

    def post(self, request: Request, entity: str, process: str, name: str) -> Response:
        """Start the flow of a trigger with the JSON object in the body."""
        payload = object_of(request)

        def take() -> tuple[Received, ...]:
            return (
                interaction.public.start_by_api(
                    key=_key(request),
                    trigger=f"{process}/{name}",
                    idempotency_key=request.headers.get("Idempotency-Key", ""),
                    payload=payload,
                    at=datetime.now(UTC),
                ),
            )

        return self.answered(entity, take)


class TakeMessage(Edge):
    """`POST`: send a message to whoever waits for it, once for each `Idempotency-Key`."""

    def post(self, request: Request, entity: str, name: str) -> Response:
        """Send the JSON object in the body; `Correlation` says whom it is for."""
        payload = object_of(request)

        def take() -> tuple[Received, ...]:
            return interaction.public.message_by_api(
                key=_key(request),
                name=name,
                message_id=request.headers.get("Idempotency-Key", ""),
                correlation=request.headers.get("Correlation"),
                payload=payload,
                at=datetime.now(UTC),
            )

        return self.answered(entity, take)


class TakeWebhook(Edge):
    """`POST`: deliver a webhook, signed as Standard Webhooks say, over the bytes as they came."""

    def post(self, request: Request, entity: str, source: str) -> Response:
        """Start what waits for the webhooks of a source."""
        body = body_of(request)
        headers = {name.lower(): value for name, value in request.headers.items()}

        def take() -> tuple[Received, ...]:
            return interaction.public.receive_webhook(
                source=source, headers=headers, body=body, at=datetime.now(UTC)
            )

        return self.answered(entity, take)


def _key(request: Request) -> str:
    given = request.headers.get("Authorization", "")
    return given.removeprefix(_BEARER) if given.startswith(_BEARER) else ""


def _refusal(status: int, code: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response({"code": code}, status=status, headers=dict(headers or {}))
