"""Where parameters come from, as far as it can be shown: what cannot be is not believed.

A flow says of each value that the customer typed it, or a colleague confirmed it, and names the row
that shows it. Whoever names none has shown nothing. An agent's word is looked up: what is not in
this customer's own conversation, or on this case's own task, is the agent's: a model's.
"""

import re
from collections.abc import Callable, Mapping
from uuid import UUID

from django.db import connection

from orchestration.step_results import StepContext
from sentinel.vocabulary import Provenance, Source

_CLAIMS = {
    Provenance.CUSTOMER_TYPED,
    Provenance.CUSTOMER_SELECTED,
    Provenance.EMPLOYEE_CONFIRMED,
}
_REFERENCE = re.compile(r"[a-z_]{1,40}:\S{1,160}")
_MESSAGE = re.compile(r"message:([0-9a-f-]{36}):([0-9]{1,9})")
_CARD = re.compile(r"card:([0-9a-f-]{36})")
_TASK = re.compile(r"orch_task:([0-9a-f-]{36})")
_SAID = """
SELECT EXISTS (SELECT FROM orch_conversation_state
 WHERE conversation_id = %s AND principal_id = %s AND turn >= %s)
"""
_CHOSEN = """
SELECT EXISTS (SELECT FROM orch_card
 WHERE id = %s AND principal_id = %s AND state IN ('answered', 'done'))
"""
_CONFIRMED = """
SELECT EXISTS (SELECT FROM orch_task WHERE id = %s AND case_id = %s AND state = 'done')
"""


def sources_of(values: Mapping[str, object], context: StepContext) -> dict[str, Source]:
    """Return the sources a flow names, each only as good as what shows it."""
    return {name: _shown(_said(value), context) for name, value in values.items()}


def _said(value: object) -> Source:
    """Return a source as it was said; what is not understood is unknown."""
    kept = value if isinstance(value, Mapping) else {}
    given = str(kept.get("provenance"))
    is_known = given in {each.value for each in Provenance}
    provenance = Provenance(given) if is_known else Provenance.UNKNOWN
    return Source(provenance, str(kept.get("reference", "")))


def _shown(source: Source, context: StepContext) -> Source:
    if source.provenance not in _CLAIMS:
        return source
    if not _REFERENCE.fullmatch(source.reference):
        return Source(Provenance.UNKNOWN, source.reference)
    if context.principal.kind != "agent" or _is_there(source, context):
        return source
    return Source(Provenance.MODEL, source.reference)


def _is_there(source: Source, context: StepContext) -> bool:
    """Tell whether the row an agent names exists and is this customer's, or this case's."""
    if source.provenance is Provenance.EMPLOYEE_CONFIRMED:
        return _found(_TASK, source.reference, _CONFIRMED, lambda key: [key, context.case_id])
    customer = f"customer:{context.customer_id}"
    message = _MESSAGE.fullmatch(source.reference)
    if message is not None:
        turn = int(message[2])
        return _found(_MESSAGE, source.reference, _SAID, lambda key: [key, customer, turn])
    return _found(_CARD, source.reference, _CHOSEN, lambda key: [key, customer])


def _found(
    shape: re.Pattern[str],
    reference: str,
    sql: str,
    values: Callable[[UUID], list[UUID | str | int]],
) -> bool:
    named = shape.fullmatch(reference)
    if named is None:
        return False
    try:
        key = UUID(named[1])
    except ValueError:
        return False
    with connection.cursor() as cursor:
        cursor.execute(sql, values(key))
        (is_found,) = cursor.fetchone()
    return bool(is_found)
