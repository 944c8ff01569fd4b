"""Programs that ask Sentinel or carry out what it permits: whose key it is, and strict JSON."""

import json
import unicodedata
from collections.abc import Mapping

from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response

import interaction.public
import sentinel.public
from apps.api.edge import ProgramView, body_of
from interaction.public import Caller, CallerRefused

_BEARER = "Bearer "
_JSON = "application/json"


class NotReadable(ValueError):
    """The body is not one JSON object with every name once, or holds text that cannot be kept."""

    code = "payload_refused"


class ProgramEdge(ProgramView):
    """An address for programs with a key of their own."""

    authentication_classes = ()
    permission_classes = ()


def strict_object(request: Request) -> Mapping[str, object]:
    """Return the JSON object in the body, read in the one way there is to read it.

    Raises:
        NotReadable: it is not `application/json`, not JSON, no object, or says a name twice.
        RequestDataTooBig: there is more of it than is read.
    """
    if request.content_type.partition(";")[0].strip().lower() != _JSON:
        raise NotReadable
    try:
        found = _STRICT.decode(body_of(request).decode())
    except (UnsupportedMediaType, ValueError, RecursionError) as error:
        raise NotReadable from error
    if not isinstance(found, dict) or not _is_plain(found):
        raise NotReadable
    return found


def caller_within(request: Request) -> Caller:
    """Return the program whose key came along, in the legal entity that is worked for.

    Raises:
        CallerRefused: no program here holds it.
    """
    given = request.headers.get("Authorization", "")
    if not given.startswith(_BEARER):
        raise CallerRefused
    return interaction.public.caller_of(key=given.removeprefix(_BEARER))


def entity_of_key(request: Request) -> str:
    """Return the legal entity in which the key that came along was made.

    Raises:
        CallerRefused: no legal entity knows it.
    """
    for each in sentinel.public.legal_entities():
        with sentinel.public.legal_entity(entity=each.entity):
            try:
                caller_within(request)
            except CallerRefused:
                continue
        return each.entity
    raise CallerRefused


def refusal(status: int, code: str, **more: object) -> Response:
    """Return a refusal as every address for programs says it."""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return Response({"code": code, **more}, status=status, headers=headers)


def _is_plain(value: object) -> bool:
    """Return whether all text in a JSON value can be kept and hashed: in NFC, and no zero in it."""
    if isinstance(value, str):
        return "\0" not in value and unicodedata.is_normalized("NFC", value) and _is_whole(value)
    if isinstance(value, dict):
        return all(_is_plain(name) and _is_plain(item) for name, item in value.items())
    return not isinstance(value, list) or all(map(_is_plain, value))


def _is_whole(text: str) -> bool:
    """Return whether a text holds no half of a surrogate pair."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _no_number(text: str) -> object:
    raise ValueError(text)


_STRICT = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number)
