"""Disclosure: the clear values of decisions, each with the key that shows they are the sealed ones.

The key opens one decision and no other. What belongs to a subject who was forgotten is said to be
erased; what was recorded before commitments could be opened one by one is left out.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.db import connection

from sentinel.entities import current_entity
from sentinel.recording import values_key
from sentinel.sealing import unseal, unwrap_key

CHUNK = 500
_SEALED = """
SELECT d.id, d.subject, p.sealed, k.wrapped FROM sentinel_decision d
JOIN sentinel_decision_parameters p ON p.decision_id = d.id
JOIN sentinel_subject_key k ON k.entity = d.entity AND k.subject = d.subject
WHERE ({condition}) ORDER BY d.decided_at, d.id
"""


def disclosures(*, condition: str, parameters: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield one line of JSON for each decision that fits a constant condition on `d`.

    Raises:
        SealBroken: what was sealed was altered.
    """
    entity = current_entity()
    with connection.chunked_cursor() as cursor:
        cursor.execute(_SEALED.format(condition=condition), dict(parameters))
        while rows := cursor.fetchmany(CHUNK):
            for decision_id, subject, sealed, wrapped in rows:
                if wrapped is None:
                    yield (
                        json.dumps({"decision": str(decision_id), "erased": True}).encode() + b"\n"
                    )
                    continue
                key = unwrap_key(entity, subject, bytes(wrapped))
                bound = f"decision/v1|{entity}|{decision_id}"
                text = unseal(key, bytes(sealed), bound_to=bound).decode()
                if "context" not in json.loads(text):
                    continue
                opened = values_key(key, decision_id).hex()
                said = {"decision": str(decision_id), "key": opened, "values": text}
                yield json.dumps(said).encode() + b"\n"
