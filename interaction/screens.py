"""What every template knows: the bank's name, and who is there."""

import json

from django.http import HttpRequest, HttpResponse

from interaction.identity import ENTITY_KEY
from interaction.models import User
from sentinel.public import legal_entities


def bank(request: HttpRequest) -> dict[str, str]:
    """Return the name of the signed-in person's bank and their initials, for the shell."""
    entity = request.session.get(ENTITY_KEY) if hasattr(request, "session") else None
    if entity is None or not isinstance(request.user, User):
        return {}
    names = {each.entity: each.name for each in legal_entities()}
    return {"bank_name": names[entity], "initials": initials(name=request.user.display_name)}


def initials(*, name: str) -> str:
    """Return the first letters of a person's first and last name."""
    words = [word for word in name.split() if word[:1].isalpha()]
    ends = words if len(words) < 2 else [words[0], words[-1]]
    return "".join(word[0].upper() for word in ends)


def announced(*, response: HttpResponse, words: str) -> HttpResponse:
    """Let the page say these words once to somebody who does not see it."""
    if words:
        response.headers["HX-Trigger"] = json.dumps({"announce": words})
    return response
