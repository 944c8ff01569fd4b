"""Searches: what somebody looked for stays in their session; the address carries a number of it.

An address stands in histories, logs and bookmarks, so no name may stand in it. The number means
something to this session alone, and for half an hour.
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

TEXT_LENGTH_MAX = 80
KEPT_MAX = 20
KEPT_SECONDS = 30 * 60
_SESSION_KEY = "searches"


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, the filters beside it, and the query of the address that shows it."""

    text: str
    filters: Mapping[str, str]
    query: str


def search_of(*, request: HttpRequest, filters: Sequence[str] = ()) -> Search:
    """Return what a form asks for, or what the address's number stood for."""
    asked = request.POST if request.method == "POST" else request.GET
    chosen = {name: asked[name] for name in filters if asked.get(name)}
    if request.method == "POST":
        text = request.POST.get("q", "").strip()[:TEXT_LENGTH_MAX]
        number = _keep(request, text) if text else ""
    else:
        number = request.GET.get("s", "")
        text = _kept(request, number)
    named = {**chosen, "s": number} if text else chosen
    return Search(text, chosen, urlencode(named))


def found(
    *, request: HttpRequest, search: Search, page: str, part: str, context: Mapping[str, object]
) -> HttpResponse:
    """Show what was found: the part alone where htmx asks for it, else a page with an address."""
    address = f"{request.path}?{search.query}" if search.query else request.path
    asks_part = request.headers.get("HX-Request") == "true"
    # Going back in the browser asks for the whole page again.
    is_part = asks_part and request.headers.get("HX-History-Restore-Request") != "true"
    if request.method == "POST" and not is_part:
        return HttpResponseRedirect(address)
    shown = {**context, "search": search.text, "query": search.query}
    response = render(request, part if is_part else page, shown)
    if request.method == "POST":
        response["HX-Push-Url"] = address
    return response


def _keep(request: HttpRequest, text: str) -> str:
    kept = _fresh(request)
    number = next((each for each, (known, _at) in kept.items() if known == text), None)
    number = number or secrets.token_urlsafe(9)
    kept.pop(number, None)
    newest = list({**kept, number: (text, int(time.time()))}.items())[-KEPT_MAX:]
    request.session[_SESSION_KEY] = dict(newest)
    return number


def _kept(request: HttpRequest, number: str) -> str:
    return _fresh(request).get(number, ("", 0))[0]


def _fresh(request: HttpRequest) -> dict[str, tuple[str, int]]:
    oldest = time.time() - KEPT_SECONDS
    kept = request.session.get(_SESSION_KEY, {})
    return {number: (text, at) for number, (text, at) in kept.items() if at > oldest}
