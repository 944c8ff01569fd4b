"""What a customer's data is used for: given, withdrawn or objected to by themselves."""

from uuid import UUID, uuid4

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

import interaction.public

NAMES = {
    "behaviour": "How you use your accounts",
    "communication": "What you write to us, and we to you",
    "contact": "Your address and how to reach you",
    "financial": "Your accounts, payments and cards",
    "identity": "Who you are",
    "risk": "What our checks found",
}
PURPOSES = {
    "compliance": "What the law asks of a bank",
    "fraud_review": "Keeping fraud out",
    "offers": "Offers that may suit you",
    "payments": "Making your payments",
    "servicing": "Answering you and looking after your accounts",
}


@never_cache
@require_GET
@interaction.public.requires_customer
def show(request: HttpRequest) -> HttpResponse:
    """Show what rests on a customer's word and what does not."""
    return _page(request, "", status=200)


@require_POST
@interaction.public.requires_customer
def say(request: HttpRequest) -> HttpResponse:
    """Keep what a customer says to one use of their data."""
    principal = interaction.public.principal_of(user=request.user, session=request.session)
    try:
        change_id = UUID(request.POST.get("change_id", ""))
    except ValueError as error:
        raise Http404 from error
    said = {
        "party": principal.id.removeprefix("customer:"),
        "purpose": request.POST.get("purpose", "")[:40],
        "data_class": request.POST.get("data_class", "")[:40],
        "is_given": request.POST.get("say") == "yes",
    }
    try:
        interaction.public.say_consent(
            change_id=change_id, said=said, principal=principal, at=timezone.now()
        )
    except interaction.public.ConsentRefused as refused:
        return _page(request, refused.words, status=422)
    return HttpResponseRedirect("/privacy/")


def _page(request: HttpRequest, refusal: str, *, status: int) -> HttpResponse:
    principal = interaction.public.principal_of(user=request.user, session=request.session)
    own = interaction.public.own_privacy(principal=principal)
    context = {
        "asked": [
            {
                "view": each,
                "words": NAMES.get(each.use.data_class, each.use.data_class),
                "purpose": PURPOSES.get(each.use.purpose, each.use.purpose),
                "change_id": uuid4(),
            }
            for each in own.asked
        ],
        "others": [
            {
                "use": each,
                "words": NAMES.get(each.data_class, each.data_class),
                "purpose": PURPOSES.get(each.purpose, each.purpose),
            }
            for each in own.others
        ],
        "refusal": refusal,
        "person": request.user,
    }
    return render(request, "customer/front/privacy.html", context, status=status)
