"""Where postings come from that are rightly not ours: declared as data, each with its reason.

A posting without a token of ours is an orphan unless one of these says whose it is. A rule names
the category and the kinds of both accounts, so that none can excuse everything.
"""

from functools import cache
from pathlib import Path
from typing import Annotated

from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

_Names = Annotated[frozenset[str], Field(min_length=1)]


class OriginsRefused(ValueError):
    """The declaration of expected origins is not what it should be; nothing is excused by it."""

    code = "origins_refused"
    is_retryable = False

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ExpectedOrigin(BaseModel):
    """One origin of postings that need no token of ours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z ]{0,39}$")
    why: str = Field(min_length=10)
    categories: _Names
    debit_kinds: _Names
    credit_kinds: _Names

    def explains(self, category: str, debit_kind: str, credit_kind: str) -> bool:
        """Return whether a posting is of this origin."""
        return (
            category in self.categories
            and debit_kind in self.debit_kinds
            and credit_kind in self.credit_kinds
        )


_DECLARATION = TypeAdapter(tuple[ExpectedOrigin, ...])


def expected_origins() -> tuple[ExpectedOrigin, ...]:
    """Return what is declared, in order; the first that explains a posting counts it.

    Raises:
        OriginsRefused: the file cannot be read, or an origin would excuse everything.
    """
    return _declared(Path(settings.EXPECTED_ORIGINS_FILE))


@cache
def _declared(place: Path) -> tuple[ExpectedOrigin, ...]:
    try:
        found = _DECLARATION.validate_json(place.read_bytes())
    except (OSError, ValidationError) as error:
        raise OriginsRefused(f"{place.name}: {error}") from error
    if len({each.name for each in found}) != len(found):
        raise OriginsRefused(f"{place.name}: a name is given twice")
    return found
