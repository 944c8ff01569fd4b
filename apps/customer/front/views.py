"""The front door: the bank's first page, signing in and out, the tour, the phone, and errors."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import structlog
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import interaction.public

_LAST_BANK_COOKIE = "bank"
_YEAR_SECONDS = 365 * 24 * 60 * 60

log = structlog.get_logger(__name__)


@require_GET
def front_page(request: HttpRequest) -> HttpResponse:
    """Show the three doors and the tour."""
    return render(request, "customer/front/front.html", {"is_sample": _is_sample()})


@never_cache
@sensitive_post_parameters("password", "code")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask who is there; a wrong answer says nothing about which part of it was wrong."""
    if request.method != "POST":
        return _sign_in_form(request, "", status=200)
    credentials = interaction.public.Credentials(
        entity=request.POST.get("entity", "")[:64],
        username=request.POST.get("username", "")[:150],
        password=request.POST.get("password", "")[:256],
        address=request.META.get("REMOTE_ADDR", ""),
        code="".join(request.POST.get("code", "").split())[:10],
    )
    try:
        principal = interaction.public.sign_in(
            request=request, credentials=credentials, at=timezone.now()
        )
    except interaction.public.SignInRefused as refusal:
        return _sign_in_form(request, refusal.words, status=401)
    except interaction.public.TooManyAttempts as refusal:
        asks = refusal.is_code_helpful
        response = _sign_in_form(request, refusal.words, status=429, is_code_asked=asks)
        if refusal.wait_seconds:
            response["Retry-After"] = str(refusal.wait_seconds)
        return response
    response = HttpResponseRedirect(_next(request, interaction.public.landing(principal=principal)))
    response.set_cookie(
        _LAST_BANK_COOKIE,
        credentials.entity,
        max_age=_YEAR_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


def _sign_in_form(
    request: HttpRequest, words: str, *, status: int, is_code_asked: bool = False
) -> HttpResponse:
    chosen = request.POST.get("entity") or request.COOKIES.get(_LAST_BANK_COOKIE, "")
    context = {
        "banks": interaction.public.banks(),
        "chosen": chosen,
        "username": request.POST.get("username", "") or request.GET.get("as", ""),
        "next": request.POST.get("next") or request.GET.get("next", ""),
        "words": words,
        "is_code_asked": is_code_asked or "code" in request.POST,
        "is_signed_out": "signed-out" in request.GET,
        "is_sample": _is_sample(),
    }
    return render(request, "customer/front/sign_in.html", context, status=status)


def _next(request: HttpRequest, landing: str) -> str:
    wanted = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    # A customer sent away from a workspace page would only be sent away again.
    return wanted if wanted and is_ours and landing in wanted else landing


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Forget who was here."""
    interaction.public.sign_out(request=request)
    return HttpResponseRedirect("/sign-in/?signed-out=yes")


@require_GET
def tour(request: HttpRequest) -> HttpResponse:
    """Walk a visitor through the three-minute story."""
    context = {"is_sample": _is_sample(), "story": _story() if _is_sample() else ()}
    return render(request, "customer/front/tour.html", context)


_STORY = ("anna", "omar", "carla")


def _story() -> list[interaction.public.SignIn]:
    """Return how the people of the story sign in, in the order of the story."""
    known = {each.username: each for each in interaction.public.sign_ins()}
    return [known[name] for name in _STORY if name in known]


@require_GET
def sample_invoice(_request: HttpRequest) -> HttpResponse:
    """Hand out the landlord's invoice of the story."""
    path = Path(settings.SAMPLE_INVOICE_FILE) if _is_sample() else None
    if path is None or not path.exists():
        raise Http404
    headers = {"Content-Disposition": 'attachment; filename="invoice-hendriks-vastgoed.pdf"'}
    return HttpResponse(path.read_bytes(), content_type="application/pdf", headers=headers)


@never_cache
@require_GET
def phone(request: HttpRequest) -> HttpResponse:
    """Show the simulated phones of the sample customers; outside a sample bank there are none."""
    if not _is_sample():
        raise Http404
    at = timezone.now()
    context = {
        "phones": interaction.public.phones(at=at),
        "until": at.replace(microsecond=0) + _rest_of_step(at.second),
    }
    return render(request, "customer/front/phone.html", context)


def _rest_of_step(second: int) -> timedelta:
    return timedelta(seconds=30 - second % 30)


def _is_sample() -> bool:
    return bool(settings.FRONTLINE_SAMPLE_BANK)


def _way_back(request: HttpRequest) -> dict[str, object]:
    """Return where somebody who met an error can go on: the form they sent, or their own pages."""
    person = getattr(request, "user", None)
    if person is None or not person.is_authenticated:
        return _FRONT
    home = interaction.public.landing(principal=interaction.public.principal_of(user=person))
    came_from = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(came_from, allowed_hosts={request.get_host()})
    if request.method == "POST" and is_ours:
        return {"home": came_from, "home_words": "Back to where you were", "person": person}
    return {"home": home, "home_words": "Go to your pages", "person": person}


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Say that there is nothing here."""
    return _error(request, 404, "There is nothing at this address", _NOT_FOUND)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Say that this page is for somebody else."""
    return _error(request, 403, "This page is not for you", _FORBIDDEN)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Say that what arrived could not be read."""
    return _error(request, 400, "That could not be read", _BAD_REQUEST)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that a form is too old to be trusted; a new token is made for the next one."""
    get_token(request)
    log.info("stale_form", reason=reason)
    return _error(request, 403, "This form is too old", _STALE)


def failed(request: HttpRequest) -> HttpResponse:
    """Say that something of ours broke, with a reference that stands in our log."""
    words = _NOT_SHOWN if request.method == "GET" else _FAILED
    return _error(request, 500, "Something broke on our side", words)


_FRONT: dict[str, object] = {"home": "/", "home_words": "Go to the front page"}
_NOT_FOUND = "It may have moved, or it belongs to somebody else. Nothing was changed."
_FORBIDDEN = "You are signed in, but your role does not open it. Nothing was changed."
_BAD_REQUEST = "Nothing was done with it. Go back and try again."
_STALE = "Nothing was done. Go back, reload the page, and send it again."
_NOT_SHOWN = "This page could not be shown. Nothing was changed; try again in a moment."
_FAILED = (
    "We do not know yet how far it got. Look at your payments before you repeat anything: "
    "a payment that was made stands there, and making it again from the same card does nothing."
)


def _error(request: HttpRequest, status: int, title: str, words: str) -> HttpResponse:
    reference = uuid4().hex[:12]
    log.warning("error_page", status=status, reference=reference, path=request.path)
    context = {"heading": title, "words": words, "reference": reference, "status": status}
    # Whoever is there is not looked up while something of ours is broken.
    context |= _way_back(request) if status < 500 else _FRONT
    if "HX-Request" in request.headers:
        return render(request, "customer/front/error_part.html", context, status=status)
    return render(request, "customer/front/error.html", context, status=status)
