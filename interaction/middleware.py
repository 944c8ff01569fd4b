"""Enters the signed-in person's legal entity for the whole of a request."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from interaction.identity import ENTITY_KEY
from sentinel.public import legal_entity


class LegalEntityMiddleware:
    """Let the request see the rows of its own legal entity only; without one it sees none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Take the rest of the chain, as Django hands it over."""
        self._respond = get_response
        self._zone = ZoneInfo(settings.DISPLAY_TIME_ZONE)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request inside the entity its session was opened for."""
        with timezone.override(self._zone):
            entity = request.session.get(ENTITY_KEY)
            if entity is None:
                return self._respond(request)
            with legal_entity(entity=entity):
                return self._respond(request)
