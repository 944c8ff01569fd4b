"""The evidence log for programs: C2SP tlog-tiles to read it, proofs of one record, receipts.

A program shows a key that is good for `log:read`. What it reads holds ids and hashes, and names
nobody; still it says who did how much, so that it is not for everybody.
"""

import base64
from collections.abc import Callable
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from typing_extensions import override

import interaction.public
import sentinel.public
from apps.api.edge import ProgramView
from interaction.public import CallerRefused
from sentinel.public import (
    InclusionProof,
    LogReceipt,
    NotSequencedYet,
    ProofRefused,
    RecordNotFound,
    TileDamaged,
    TileUnknown,
)

_BEARER = "Bearer "
_RIGHT = "log:read"
_FOR_EVER = "private, max-age=31536000, immutable"
_TEXT = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"
_SIZE_DIGITS_MAX = 15


class _AsItIs(BaseContentNegotiation):  # type: ignore[misc]  # the framework has no types
    """An address has one form, whatever is said to be accepted."""

    @override
    def select_renderer(
        self, request: Request, renderers: list[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Take the first."""
        del request, format_suffix
        return renderers[0], str(renderers[0].media_type)


class LogView(ProgramView):
    """An address of a legal entity's log; what is refused is said with a code and nothing else."""

    authentication_classes = ()
    permission_classes = ()
    content_negotiation_class = _AsItIs

    def answered(
        self, request: Request, entity: str, read: Callable[[], HttpResponse]
    ) -> HttpResponse:
        """Read within a legal entity for a program that may."""
        if entity not in {each.entity for each in sentinel.public.legal_entities()}:
            return _refusal(404, "not_found")
        with sentinel.public.legal_entity(entity=entity):
            try:
                interaction.public.require_right(key=_key(request), right=_RIGHT)
                return read()
            except CallerRefused as refused:
                return _refusal(401, refused.code, {"WWW-Authenticate": "Bearer"})
            except (RecordNotFound, TileUnknown) as unknown:
                return _refusal(404, unknown.code)
            except NotSequencedYet as early:
                return _refusal(409, early.code, {"Retry-After": "1"})
            except (ProofRefused, TileDamaged) as refused:
                return _refusal(422, refused.code)


class LogCheckpoint(LogView):
    """`GET`: the newest checkpoint, as a signed note with the witnesses' lines."""

    def get(self, request: Request, entity: str) -> HttpResponse:
        """Return the note (C2SP tlog-checkpoint)."""
        return self.answered(request, entity, _checkpoint)


class LogTile(LogView):
    """`GET`: a tile of hashes or a bundle of entries, which never changes (C2SP tlog-tiles)."""

    def get(self, request: Request, entity: str, path: str) -> HttpResponse:
        """Return the bytes of a tile."""

        def read() -> HttpResponse:
            found = sentinel.public.read_tile(path=f"tile/{path}")
            kept = {"Cache-Control": _FOR_EVER}
            return HttpResponse(found, content_type=_BYTES, headers=kept)

        return self.answered(request, entity, read)


class LogInclusion(LogView):
    """`GET`: that a record is in the log, as JSON, or as a receipt to keep (`.tlog-proof`)."""

    def get(self, request: Request, entity: str, record_id: UUID, form: str) -> HttpResponse:
        """Return the proof of one record against the newest checkpoint."""

        def read() -> HttpResponse:
            if form == "tlog-proof":
                found = sentinel.public.receipt(record_id=record_id)
                return HttpResponse(found.text, content_type=_TEXT)
            return JsonResponse(_inclusion(sentinel.public.inclusion_proof(record_id=record_id)))

        return self.answered(request, entity, read)


class LogReceipts(LogView):
    """`GET`: the receipts of everything recorded under a decision, for whoever carried it out."""

    def get(self, request: Request, entity: str, decision_id: UUID) -> HttpResponse:
        """Return them in the order of the log."""

        def read() -> HttpResponse:
            found = sentinel.public.receipts_of(decision_id=decision_id)
            return JsonResponse({"receipts": [_receipt(each) for each in found]})

        return self.answered(request, entity, read)


class LogConsistency(LogView):
    """`GET ?first=&second=`: that the log only grew between two sizes (RFC 6962, 2.1.2)."""

    def get(self, request: Request, entity: str) -> HttpResponse:
        """Return the hashes, from the oldest to the newest part."""
        asked = [request.query_params.get(name, "") for name in ("first", "second")]

        def read() -> HttpResponse:
            if not all(text.isascii() and text.isdigit() for text in asked):
                return _refusal(400, "payload_refused")
            if max(map(len, asked)) > _SIZE_DIGITS_MAX:
                return _refusal(422, ProofRefused.code)
            proof = sentinel.public.consistency_proof(first=int(asked[0]), second=int(asked[1]))
            hashes = [_base64(each) for each in proof.hashes]
            return JsonResponse({"first": proof.first, "second": proof.second, "hashes": hashes})

        return self.answered(request, entity, read)


def _checkpoint() -> HttpResponse:
    latest = sentinel.public.latest_checkpoint()
    if latest is None:
        return _refusal(404, "not_found")
    return HttpResponse(latest.note, content_type=_TEXT, headers={"Cache-Control": "no-store"})


def _inclusion(proof: InclusionProof) -> dict[str, object]:
    return {
        "record": str(proof.record_id),
        "index": proof.index,
        "size": proof.size,
        "leaf": _base64(proof.leaf),
        "hashes": [_base64(each) for each in proof.hashes],
        "checkpoint": proof.note,
    }


def _receipt(found: LogReceipt) -> dict[str, object]:
    return {
        "record": str(found.record_id),
        "kind": found.kind,
        "index": found.index,
        "is_witnessed": found.is_witnessed,
        "proof": found.text,
    }


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _key(request: Request) -> str:
    given = request.headers.get("Authorization", "")
    return given.removeprefix(_BEARER) if given.startswith(_BEARER) else ""


def _refusal(status: int, code: str, headers: dict[str, str] | None = None) -> HttpResponse:
    return JsonResponse({"code": code}, status=status, headers=headers)
