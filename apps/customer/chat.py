"""The conversation without a WebSocket: the same messages and cards as plain forms."""

from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import interaction.public
from apps.customer.screen import dock, screen
from apps.customer.views import principal

_TALK_TO_PERSON = "I would like to talk to a person"


@require_http_methods(["GET", "POST"])
@interaction.public.requires_customer
def page(request: HttpRequest) -> HttpResponse:
    """Show the conversation as a page, or take a message posted to it."""
    if request.method == "POST":
        return _said(request, request.POST.get("text", ""))
    return screen(request, "customer/chat.html", {"is_page": True, "is_chat_page": True})


@require_POST
@interaction.public.requires_customer
def person(request: HttpRequest) -> HttpResponse:
    """Ask for a person, in the customer's own conversation."""
    return _said(request, _TALK_TO_PERSON)


@require_GET
@interaction.public.requires_customer
def thread(request: HttpRequest) -> HttpResponse:
    """Return the conversation as it stands; after an answer the latest card takes the focus."""
    context = dock(request) | {"is_answer": "answered" in request.GET}
    return render(request, "interaction/thread.html", context)


def _said(request: HttpRequest, text: str) -> HttpResponse:
    is_part = "HX-Request" in request.headers
    try:
        interaction.public.receive_message(
            principal=principal(request),
            text=text,
            uploads=_uploads(request),
            sent_id=request.POST.get("sent_id", ""),
            at=timezone.localtime(),
        )
    except interaction.public.MessageRefused as refusal:
        if is_part:
            return HttpResponse(refusal.words, status=422, content_type="text/plain; charset=utf-8")
        context = {"is_page": True, "is_chat_page": True, "chat_error": refusal.words}
        context["chat_text"] = text if len(text) <= interaction.public.TEXT_LENGTH_MAX else ""
        return screen(request, "customer/chat.html", context, status=422)
    if is_part:
        return HttpResponse(headers={"X-Next-Id": interaction.public.new_sent_id()})
    return HttpResponseRedirect(f"{reverse('customer:chat')}#chat")


def _uploads(request: HttpRequest) -> tuple[interaction.public.Upload, ...]:
    """Read the files of a form, each no further than one byte past what would be taken."""
    limit = interaction.public.ATTACHMENT_BYTES_MAX + 1
    return tuple(
        interaction.public.Upload(name=file.name or "", content=file.read(limit))
        for file in request.FILES.getlist("document")
    )


@require_POST
@interaction.public.requires_customer
def answer(request: HttpRequest, card_id: UUID) -> HttpResponse:
    """Take what the customer answered on a card; the same answer twice is one answer."""
    try:
        given = _answer(request)
        exchange = interaction.public.answer_card(
            principal=principal(request),
            card_id=card_id,
            answer=given,
            at=timezone.localtime(),
        )
    except interaction.public.SlipUnknown as error:
        raise Http404 from error
    except (interaction.public.CardAnswerRefused, interaction.public.MessageRefused) as error:
        raise BadRequest(error.words) from error
    words = exchange.reply.text if exchange.reply else ""
    shown_in = request.POST.get("thread", "chat")
    if "HX-Request" not in request.headers:
        return HttpResponseRedirect(_page_of(shown_in))
    return _thread_after(request, shown_in, words)


@require_POST
@interaction.public.requires_customer
def passkey(request: HttpRequest, card_id: UUID) -> HttpResponse:
    """Tell the browser what a passkey has to sign to confirm the payment on a card."""
    try:
        wanted = interaction.public.card_passkey_request(
            principal=principal(request),
            card_id=card_id,
            origin=interaction.public.origin_of(request=request),
            at=timezone.localtime(),
        )
    except interaction.public.SlipUnknown as error:
        raise Http404 from error
    except interaction.public.CardAnswerRefused as error:
        return JsonResponse({"words": error.words}, status=409)
    except (interaction.public.PasskeyUnknown, interaction.public.PasskeyRefused):
        words = "You have no passkey for this address. Use the code from your authenticator."
        return JsonResponse({"words": words}, status=409)
    return JsonResponse(wanted)


def _answer(request: HttpRequest) -> dict[str, object]:
    answer = request.POST.get("answer", "")
    if answer == "passkey":
        given = interaction.public.passkey_in(request=request)
        return {"answer": "passkey", "response": given.response, "origin": given.origin}
    if answer == "code":
        return {"answer": "code", "code": "".join(request.POST.get("code", "").split())[:12]}
    if answer == "choose":
        return {"answer": "choose", "value": request.POST.get("value", "")[:200]}
    if answer == "reply":
        words = interaction.public.cleaned_text(text=request.POST.get("text", ""))
        return {"answer": "reply", "value": request.POST.get("value", "")[:80], "text": words}
    if answer == "remove":
        return {"answer": "remove", "value": request.POST.get("value", "")[:40]}
    return {"answer": "confirm" if answer == "confirm" else "cancel"}


def _page_of(shown_in: str) -> str:
    return reverse("customer:chat") if shown_in == "chat" else _payment_address(shown_in)


def _payment_address(shown_in: str) -> str:
    try:
        return reverse("customer:payment", args=[UUID(shown_in)])
    except ValueError as error:
        raise Http404 from error


def _thread_after(request: HttpRequest, shown_in: str, words: str) -> HttpResponse:
    if shown_in == "chat":
        response = render(request, "interaction/thread.html", dock(request) | {"is_answer": True})
    else:
        card_id = UUID(_payment_address(shown_in).rstrip("/").rpartition("/")[2])
        slips = interaction.public.payment_slips(
            principal=principal(request), card_id=card_id, at=timezone.now()
        )
        context = {"slips": slips, "card_id": card_id, "is_answer": True, "words": words}
        response = render(request, "customer/payment_thread.html", context)
    return interaction.public.announced(response=response, words=words)
