"""Enters the signed-in person's legal entity for the whole of a request."""

from collections.abc import Callable, Iterator
from itertools import chain
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
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
                # An address that leads nowhere is answered on another thread, which sees no rows of
                # this entity: who is there is looked up before.
                _ = request.user.is_authenticated
                response = self._respond(request)
        # Whoever sits at this machine next must not find the pages by going back.
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def process_view(
        self, request: HttpRequest, view: object, _args: object, _kwargs: object
    ) -> None:
        """Refuse text that PostgreSQL cannot hold before a view stores half of it.

        An address for programs takes no form, and reads and refuses what it is sent by itself.

        Raises:
            SuspiciousOperation: a field holds a zero character, which no browser's form sends.
        """
        if not getattr(view, "csrf_exempt", False) and any(
            "\0" in text for text in _typed(request)
        ):
            msg = "a field holds a zero character"
            raise SuspiciousOperation(msg)


def _typed(request: HttpRequest) -> Iterator[str]:
    """Return every value of the address and of the form."""
    for fields in (request.GET, request.POST):
        yield from chain.from_iterable(values for _name, values in fields.lists())
