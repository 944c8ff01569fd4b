"""What the ticking process calls: one look at every legal entity."""

import sentinel.public
from orchestration.durable import sweeping
from orchestration.versions import moving

# With much to do, one legal entity must not keep the others waiting for longer than this.
BUSY_SECONDS_MAX = 2.0


def run_due_once(*, limit: int = 50) -> int:
    """Look once, in every legal entity, for what is due; return how much was done.

    Several processes may do so at once: what one holds, the others leave alone.
    """
    done = 0
    for entity in sentinel.public.legal_entities():
        with sentinel.public.legal_entity(entity=entity.entity):
            done += run_due_here(limit=limit, seconds=0.0, awaits_calls=True)
    return done


def run_due_here(
    *, limit: int = 50, seconds: float = BUSY_SECONDS_MAX, awaits_calls: bool = False
) -> int:
    """Look, in this legal entity, for what is due; return how much was done.

    With more than `limit` due, go on with the rest for some seconds: the next look is a tick away.
    Calls apart are begun, and awaited only on request: a later look takes their answers in.
    """
    swept = sweeping.sweep(limit=limit, seconds=seconds, awaits_calls=awaits_calls)
    done = swept.escalated + swept.timers + swept.answered + swept.moved
    return done + moving.move_agreed_once(limit=limit)
