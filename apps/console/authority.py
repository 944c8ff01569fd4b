"""Who may decide what, up to what, for whom and until when; changes go to a second person."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID, uuid4

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET, require_http_methods

import interaction.public
import sentinel.public
from apps.console.guard import compliance_only
from sentinel.vocabulary import Money, Principal

FIELDS = (
    "what", "holder", "role", "powers", "kinds", "cap", "currency", "on_behalf_of", "valid_from",
    "valid_until", "parent", "replaces", "authority", "first", "second", "reason",
)  # fmt: skip
STANDINGS = {
    "stands": "Stands",
    "coming": "Not yet",
    "over": "Over",
    "ended": "Ended",
    "cut_off": "Cut off",
}
WHATS = ("mandate", "role", "delegate", "revoke", "separate", "join")
SEARCH_LENGTH_MAX = 100
_AMOUNT = re.compile(r"\d{1,12}(?:\.(\d{1,3}))?")


@require_GET
@compliance_only
def index(request: HttpRequest) -> HttpResponse:
    """Show every version of every authority, narrowed by holder, kind of action and standing."""
    at = datetime.now(UTC)
    asked = {name: request.GET.get(name, "")[:SEARCH_LENGTH_MAX].strip() for name in ("q", "kind")}
    standing = request.GET.get("standing", "stands")
    staff = interaction.public.staff_members()
    names = {each.principal_id: each.display_name for each in staff}
    everything = sentinel.public.authorities(at=at)
    shown = [each for each in everything if _is_asked(each, asked, standing, names)]
    principal = interaction.public.principal_of(user=request.user)
    changes = interaction.public.authority_changes(principal=principal)
    context = {
        "rows": shown,
        "is_any": bool(everything),
        "asked": asked,
        "standing": standing,
        "standings": STANDINGS,
        "names": names,
        "pairs": sentinel.public.separations(),
        "conflicts": sentinel.public.duty_conflicts(
            roles_of_record={each.person_id: each.roles for each in staff}, at=at
        ),
        "persons": {each.person_id: each.display_name for each in staff},
        "changes": changes,
        "just_asked": next(
            (each for each in changes if str(each.id) == request.GET.get("asked")), None
        ),
    }
    return render(request, "console/authority.html", context)


def _is_asked(
    each: "sentinel.public.Authority",
    asked: Mapping[str, str],
    standing: str,
    names: Mapping[str, str],
) -> bool:
    wanted = asked["q"].casefold()
    who = (each.holder, names.get(each.holder, ""), each.role, each.on_behalf_of, each.delegator)
    is_kind = not asked["kind"] or any(asked["kind"] in kind for kind in (*each.kinds, "*"))
    is_standing = standing not in STANDINGS or each.standing == standing
    return is_kind and is_standing and any(wanted in text.casefold() for text in who)


@require_http_methods(["GET", "POST"])
@compliance_only
def change(request: HttpRequest) -> HttpResponse:
    """Fill in a change, see it in words, then ask a second person; a refusal loses nothing."""
    source = request.POST if request.method == "POST" else request.GET
    asked = {name: source.get(name, "").strip() for name in FIELDS}
    if asked["what"] not in WHATS:
        raise Http404
    if request.method != "POST" or source.get("step") == "again":
        return _form(request, asked)
    principal = interaction.public.principal_of(user=request.user)
    try:
        flow, said = _wanted(asked)
        if source.get("step") == "ask":
            return _ask(request, (flow, said), asked, principal)
        interaction.public.authority_change(flow=flow, said=said, principal=principal)
        return _form(request, asked, {"words": _words(asked)})
    except interaction.public.AuthorityRefused as refused:
        field = refused.reason if refused.reason in FIELDS else "form"
        return _form(request, asked, {"errors": {field: refused.words}})


def _ask(
    request: HttpRequest,
    wanted: tuple[str, Mapping[str, object]],
    asked: Mapping[str, str],
    principal: Principal,
) -> HttpResponse:
    try:
        change_id = UUID(request.POST.get("change_id", ""))
    except ValueError as error:
        raise Http404 from error
    interaction.public.ask_authority(
        change_id=change_id,
        flow=wanted[0],
        said=wanted[1],
        words=_words(asked),
        principal=principal,
        at=datetime.now(UTC),
    )
    return redirect(f"{reverse('console:authority')}?asked={change_id}")


def _form(
    request: HttpRequest, asked: Mapping[str, str], more: Mapping[str, Any] | None = None
) -> HttpResponse:
    context = {
        "asked": asked,
        "staff": interaction.public.staff_members(),
        "roles": sorted(sentinel.public.roles_in_force()),
        "kinds": [each.kind for each in sentinel.public.action_kinds()],
        "change_id": uuid4(),
        **(more or {}),
    }
    status = 422 if "errors" in context else 200
    return render(request, "console/authority_change.html", context, status=status)


def _wanted(asked: Mapping[str, str]) -> tuple[str, Mapping[str, object]]:
    """Return the flow that a change takes, and what it says."""
    what = asked["what"]
    said: dict[str, object] = {"reason": asked["reason"]}
    if what == "revoke":
        return "revoke_authority", {**said, "authority": asked["authority"]}
    if what in {"separate", "join"}:
        first, second = sorted((asked["first"], asked["second"]))
        pair = {"first": first, "second": second, "is_apart": what == "separate"}
        return "separate_duties", {**said, **pair}
    said |= _holder(asked["holder"])
    said |= {
        "role": asked["role"],
        "powers": asked["powers"],
        "kinds": tuple(asked["kinds"].replace(",", " ").split()),
        "cap": _cap(asked["cap"], asked["currency"]),
        "valid_from": _moment("valid_from", asked["valid_from"]),
        "valid_until": _moment("valid_until", asked["valid_until"]),
    }
    if what == "delegate":
        return "delegate_authority", {**said, "parent": asked["parent"] or None}
    on_behalf = {"on_behalf_of": asked["on_behalf_of"], "replaces": asked["replaces"] or None}
    return "grant_authority", {**said, **on_behalf, "kind": what}


def _holder(holder: str) -> dict[str, object]:
    """Return a holder with the person and the roles of record that the bank knows of them."""
    if not holder.startswith(("employee:", "customer:")):
        return {"holder": holder}
    known = interaction.public.person_of_record(principal_id=holder)
    if known is None:
        raise interaction.public.AuthorityRefused("holder", "Nobody signs in under this name.")
    return {"holder": holder, "holder_person": known.person_id, "holder_roles": known.roles}


def _cap(amount: str, currency: str) -> dict[str, object] | None:
    if not amount:
        return None
    exponent = Money(0, currency).exponent
    found = _AMOUNT.fullmatch(amount)
    decimals = (found[1] or "") if found else ""
    if found is None or len(decimals) > exponent:
        raise interaction.public.AuthorityRefused("cap", "Give an amount such as 2500.00.")
    whole = amount.partition(".")[0]
    return {"minor_units": int(whole + decimals.ljust(exponent, "0")), "currency": currency}


def _moment(field: str, day: str) -> datetime | None:
    if not day:
        return None
    try:
        found = parse_date(day)
    except ValueError:
        found = None
    if found is None:
        raise interaction.public.AuthorityRefused(field, "Give a day.")
    return datetime.combine(found, time.min, timezone.get_current_timezone())


def _words(asked: Mapping[str, str]) -> str:
    """Return a change in the words that the second person reads."""
    what, why = asked["what"], f"Reason given: {asked['reason']}"
    if what == "revoke":
        return f"End the authority {asked['authority']}. {why}"
    if what in {"separate", "join"}:
        verb = "Keep apart" if what == "separate" else "Keep apart no more"
        return f"{verb}: {asked['first']} and {asked['second']}. {why}"
    parts = [
        f"{what.capitalize()} for {asked['holder']}",
        f"role {asked['role']}" if asked["role"] else "",
        f"to {'act and approve' if asked['powers'] == 'both' else asked['powers']}",
        f"over {asked['kinds']}",
        f"up to {asked['cap']} {asked['currency']}" if asked["cap"] else "without a cap",
        f"on behalf of {asked['on_behalf_of']}" if asked["on_behalf_of"] else "",
        f"from {asked['valid_from']}" if asked["valid_from"] else "",
        f"until {asked['valid_until']}" if asked["valid_until"] else "until it is ended",
    ]
    return f"{', '.join(part for part in parts if part)}. {why}"
