"""How a person proves who they are: their passkeys, added and removed by themselves."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

import interaction.public

_REFUSALS = {
    "known_already": "This passkey is in use already.",
    "no_site": "Passkeys need the bank's name in the address: a number such as 127.0.0.1 has none."
    " Open the bank under localhost, or under its own name.",
    "too_late": "That took too long. Please begin again.",
    "too_many": "You have ten passkeys. Remove one first.",
}
_NOT_ACCEPTED = "The passkey was not accepted. Nothing has changed."


@never_cache
@require_GET
@interaction.public.requires_person
def show(request: HttpRequest) -> HttpResponse:
    """Show a person's passkeys and a form for another."""
    return _page(request, "", status=200)


@require_POST
@interaction.public.requires_person
def options(request: HttpRequest) -> HttpResponse:
    """Tell the browser how to make a passkey."""
    principal = interaction.public.principal_of(user=request.user, session=request.session)
    try:
        wanted = interaction.public.begin_passkey(
            principal=principal,
            name=request.user.get_username(),
            session=request.session,
            origin=interaction.public.origin_of(request=request),
            at=timezone.now(),
        )
    except interaction.public.PasskeyRefused as refused:
        return JsonResponse({"words": _words(refused)}, status=409)
    return JsonResponse(wanted)


@sensitive_post_parameters("code")
@require_POST
@interaction.public.requires_person
def add(request: HttpRequest) -> HttpResponse:
    """Keep the passkey the browser made."""
    try:
        interaction.public.keep_passkey(
            principal=interaction.public.principal_of(user=request.user, session=request.session),
            session=request.session,
            answer=interaction.public.passkey_in(request=request),
            label=interaction.public.cleaned_text(text=request.POST.get("label", ""))[:60],
            code=_code(request),
            at=timezone.now(),
        )
    except interaction.public.ProofRefused as refused:
        return _page(request, refused.words, status=422)
    except interaction.public.PasskeyRefused as refused:
        return _page(request, _words(refused), status=422)
    return HttpResponseRedirect("/security/")


@sensitive_post_parameters("code")
@require_POST
@interaction.public.requires_person
def remove(request: HttpRequest) -> HttpResponse:
    """Remove a passkey."""
    try:
        interaction.public.drop_passkey(
            principal=interaction.public.principal_of(user=request.user, session=request.session),
            passkey_id=request.POST.get("passkey_id", "")[:1400],
            code=_code(request),
            at=timezone.now(),
        )
    except interaction.public.ProofRefused as refused:
        return _page(request, refused.words, status=422)
    except interaction.public.PasskeyUnknown:
        return _page(request, "That passkey is none of yours, or is removed already.", status=422)
    return HttpResponseRedirect("/security/")


def _page(request: HttpRequest, refusal: str, *, status: int) -> HttpResponse:
    principal = interaction.public.principal_of(user=request.user, session=request.session)
    context = {
        "own": interaction.public.own_passkeys(principal=principal, at=timezone.now()),
        "landing": interaction.public.landing(principal=principal),
        "refusal": refusal,
        "person": request.user,
        "label": request.POST.get("label", "")[:60],
    }
    return render(request, "customer/front/security.html", context, status=status)


def _code(request: HttpRequest) -> str:
    return "".join(request.POST.get("code", "").split())[:10]


def _words(refused: interaction.public.PasskeyRefused) -> str:
    return _REFUSALS.get(refused.reason, _NOT_ACCEPTED)
