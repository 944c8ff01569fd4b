"""The pages of the customer app: parse, one call, render."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import interaction.public
from apps.customer.screen import screen

_FIELDS = (
    "account",
    "amount",
    "execution_date",
    "iban",
    "name",
    "payee",
    "remittance",
)


def principal(request: HttpRequest) -> interaction.public.Principal:
    """Return who asks."""
    return interaction.public.principal_of(user=request.user, session=request.session)


@require_GET
@interaction.public.requires_customer
def overview(request: HttpRequest) -> HttpResponse:
    """Show the balances, what is under way, the month's spending and the latest bookings."""
    home = interaction.public.home(principal=principal(request), at=timezone.localtime())
    context = {"home": home, "palette_accounts": home.accounts}
    if home.spending:
        context["month_before"] = interaction.public.month_before(month=home.spending.month)
    return screen(request, "customer/overview.html", context)


@require_GET
@interaction.public.requires_customer
def account(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Show one account with search, filters and paging."""
    asked = interaction.public.Asked(
        search=request.GET.get("search", "")[:80],
        category=request.GET.get("category", "")[:40],
        direction=request.GET.get("direction", "")[:3],
        before=_place(request.GET.get("before")),
    )
    try:
        page = interaction.public.account_page(
            principal=principal(request),
            account_id=account_id,
            asked=asked,
            at=timezone.localtime(),
        )
    except interaction.public.AccountUnknown as error:
        raise Http404 from error
    following = {"search": asked.search, "category": asked.category, "direction": asked.direction}
    context = {
        "account": page.account,
        "reading": page.reading,
        "days": page.days,
        "before": page.before,
        "next_page": urlencode(following | {"before": page.before or ""}),
        "asked": asked,
        "categories": [
            (each, interaction.public.category_name(category=each)) for each in page.categories
        ],
    }
    return screen(request, "customer/account.html", context)


def _place(text: str | None) -> str | None:
    """Return the place in the list where a page begins, as our own links name it."""
    moment, _, last_id = (text or "").partition("|")
    try:
        datetime.fromisoformat(moment)
    except ValueError:
        return None
    return text if last_id.isascii() and last_id.isdecimal() and len(last_id) < 19 else None


@require_GET
@interaction.public.requires_customer
def payments(request: HttpRequest) -> HttpResponse:
    """Show the customer's payments and what became of each."""
    found = interaction.public.payments(principal=principal(request), at=timezone.now())
    is_waiting = interaction.public.is_under_way
    context = {
        "waiting": [each for each in found if is_waiting(payment=each)],
        "finished": [each for each in found if not is_waiting(payment=each)],
        "reading": {"is_current": True},
    }
    return screen(request, "customer/payments.html", context)


@require_http_methods(["GET", "POST"])
@interaction.public.requires_customer
def new_payment(request: HttpRequest) -> HttpResponse:
    """Show the payment form; a form without errors begins the payment flow."""
    if request.method != "POST":
        typed = {name: request.GET.get(name, "") for name in _FIELDS}
        return _payment_form(request, typed | {"execution_date": _today()}, (), status=200)
    typed = {name: request.POST.get(name, "")[:500] for name in _FIELDS}
    try:
        exchange = interaction.public.order_payment(
            principal=principal(request),
            typed=typed,
            sent_id=request.POST.get("sent_id", ""),
            at=timezone.localtime(),
        )
    except interaction.public.FormRefused as refusal:
        return _payment_form(request, typed, refusal.errors, status=422)
    except interaction.public.MessageRefused as refusal:
        raise BadRequest(refusal.words) from refusal
    return HttpResponseRedirect(_after(exchange))


def _today() -> str:
    return timezone.localdate().isoformat()


def _payment_form(
    request: HttpRequest,
    typed: dict[str, str],
    errors: tuple[tuple[str, str], ...],
    *,
    status: int,
) -> HttpResponse:
    held = interaction.public.holdings(principal=principal(request), at=timezone.localtime())
    context: dict[str, Any] = {
        "accounts": [each for each in held.accounts if each.can_pay],
        "payees": held.payees,
        "reading": held.reading,
        "typed": typed,
        "errors": errors,
        "errors_by": dict(errors),
        "form_id": interaction.public.new_sent_id(),
    }
    return screen(request, "customer/new_payment.html", context, status=status)


def _after(exchange: interaction.public.Exchange) -> str:
    """Return where to go once something was begun: to its card, else to the conversation."""
    cards = exchange.reply.card_ids if exchange.reply else ()
    if cards:
        return reverse("customer:payment", args=[cards[-1]])
    return reverse("customer:chat")


@require_GET
@interaction.public.requires_customer
def payment(request: HttpRequest, card_id: UUID) -> HttpResponse:
    """Show one payment by its cards: what to confirm, what was paid, why it was refused."""
    slips = _slips(request, card_id)
    return screen(request, "customer/payment.html", {"slips": slips, "card_id": card_id})


@require_GET
@interaction.public.requires_customer
def receipt(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """Hand over the log's record of a payment with its proof, to keep outside the bank."""
    try:
        found = interaction.public.payment_receipt(
            principal=principal(request), payment_id=payment_id, at=timezone.now()
        )
    except interaction.public.ReceiptNotReady:
        words = "Your receipt is being sealed. Please try again in a second."
        plain = "text/plain; charset=utf-8"
        return HttpResponse(words, status=503, content_type=plain, headers={"Retry-After": "1"})
    if found is None:
        raise Http404
    response = HttpResponse(found, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="payment-{payment_id}.tlog-proof"'
    return response


@require_GET
@interaction.public.requires_customer
def payment_thread(request: HttpRequest, card_id: UUID) -> HttpResponse:
    """Return the cards of one payment as they stand."""
    context = {"slips": _slips(request, card_id), "card_id": card_id}
    return render(request, "customer/payment_thread.html", context)


def _slips(request: HttpRequest, card_id: UUID) -> tuple[interaction.public.Slip, ...]:
    slips = interaction.public.payment_slips(
        principal=principal(request), card_id=card_id, at=timezone.now()
    )
    if not slips:
        raise Http404
    return slips


@require_GET
@interaction.public.requires_customer
def payees(request: HttpRequest) -> HttpResponse:
    """Show whom the customer pays."""
    held = interaction.public.holdings(principal=principal(request), at=timezone.localtime())
    lines = [
        {
            "id": each.payee_id,
            "name": each.name,
            "iban": each.iban,
            "added_on": each.added_on,
            "is_trusted": each.is_trusted,
            "initials": interaction.public.initials(name=each.name),
        }
        for each in held.payees
    ]
    return screen(request, "customer/payees.html", {"payees": lines, "reading": held.reading})


@require_GET
@interaction.public.requires_customer
def cards(request: HttpRequest) -> HttpResponse:
    """Show the customer's payment cards."""
    held = interaction.public.holdings(principal=principal(request), at=timezone.localtime())
    return screen(request, "customer/cards.html", {"cards": held.cards, "reading": held.reading})


@require_POST
@interaction.public.requires_customer
def block(request: HttpRequest, card_id: UUID) -> HttpResponse:
    """Begin blocking a card; the customer confirms it on a card of the conversation."""
    try:
        exchange = interaction.public.block_card(
            principal=principal(request),
            card_id=card_id,
            sent_id=request.POST.get("sent_id", ""),
            at=timezone.localtime(),
        )
    except interaction.public.SlipUnknown as error:
        raise Http404 from error
    except interaction.public.MessageRefused as refusal:
        raise BadRequest(refusal.words) from refusal
    return HttpResponseRedirect(_after(exchange))
