"""What the ticking process calls: one look at every legal entity."""

import sentinel.public
from orchestration.durable import sweeping


def run_due_once(*, limit: int = 50) -> int:
    """Look once, in every legal entity, for timers, retries and left messages; return how many.

    Several processes may do so at once: what one holds, the others leave alone.
    """
    done = 0
    for entity in sentinel.public.legal_entities():
        with sentinel.public.legal_entity(entity=entity.entity):
            swept = sweeping.sweep(limit=limit)
            done += swept.escalated + swept.timers + swept.answered + swept.moved
    return done
