"""Who somebody is behind their sign-ins: whoever must be another person is another human."""

from collections.abc import Iterable

from orchestration.durable import statements
from sentinel.vocabulary import Principal


def note(principal: Principal) -> None:
    """Remember the persons of record behind somebody who takes part in a flow."""
    for link in principal.chain():
        if link.person_id:
            statements.count(
                "INSERT INTO orch_person (principal_id, person_id) VALUES (%s, %s)"
                " ON CONFLICT DO NOTHING",
                [link.id, link.person_id],
            )


def with_persons(excluded: Iterable[str], starter: Principal) -> tuple[str, ...]:
    """Return these principals and the persons of record behind them, as far as they took part."""
    names = tuple(dict.fromkeys(excluded))
    if not names:
        return ()
    known = statements.run(
        "SELECT person_id FROM orch_person WHERE principal_id = ANY(%s) ORDER BY person_id",
        [list(names)],
    )
    began = (each.person_id for each in starter.chain() if each.id in names and each.person_id)
    return tuple(dict.fromkeys((*names, *(row[0] for row in known), *began)))


def names_of(principal: Principal) -> tuple[str, ...]:
    """Return every name under which somebody may be excluded: their sign-in and their person."""
    chain = principal.chain()
    named = (*(each.id for each in chain), *(each.person_id for each in chain if each.person_id))
    return tuple(dict.fromkeys(named))


def is_excluded(principal: Principal, excluded: Iterable[str]) -> bool:
    """Tell whether somebody, under any of their sign-ins, is to leave a piece of work alone."""
    return not set(excluded).isdisjoint(names_of(principal))
