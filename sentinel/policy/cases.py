"""Cases: what a bundle's own policies are expected to answer, written as data inside it. Pure.

They travel with the policies they try, under the same digest and signature, so that whoever
changes a rule changes its expectations with it or is refused.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

ENTITY = "tests"
CaseValue = bool | int | str | tuple[str, ...] | None


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PolicyCase(_Model):
    """One request and the answer it must get.

    `who` is "customer", "employee:operations,adviser", "agent:assistant" or "system:journeys".
    `given` names contexts of the bundle, laid over one another and under `context`; None takes an
    attribute away. `by` are the ids of exactly the policies that decide.
    """

    name: Annotated[str, Field(min_length=1, max_length=160)]
    who: Annotated[str, Field(pattern=r"^(customer|employee|agent|system)(:[a-z_]+(,[a-z_]+)*)?$")]
    action: str
    resource: Annotated[str, Field(pattern=r"^[a-z_]+:[A-Za-z0-9._-]+$")] = "thing:1"
    given: tuple[str, ...] = ()
    context: dict[str, CaseValue] = {}
    expect: Literal["permit", "deny"]
    by: tuple[str, ...] = ()


class PolicyCases(_Model):
    """The cases of one bundle and the contexts they share."""

    contexts: dict[str, dict[str, CaseValue]] = {}
    cases: tuple[PolicyCase, ...] = ()

    def plain(self) -> dict[str, object]:
        """Return the cases as JSON values, without what is left to its default."""
        return self.model_dump(mode="json", exclude_defaults=True)
