"""The feed of model calls loses nothing when a transaction commits late."""

import psycopg
import pytest

from intelligence import public
from tests.layers.intelligence.builders import AT, CASE

INSERT = """
    INSERT INTO intelligence_call (capability, version, digest, alias, hop, outcome, why, result,
        reasons, input_digest, data_class, purpose, cost_micros, latency_us, called_at)
    VALUES ('intent.understand', '1', repeat('0', 64), 'champion', 0, 'answered', '', 'late', '{}',
        repeat('0', 64), 'personal', 'conversation', 0, 1, now())
"""


@pytest.mark.django_db(transaction=True)
def test_a_late_committer_is_not_skipped(entity, dsn):
    with psycopg.connect(dsn) as late:
        late.execute("SELECT set_config('frontline.entity', %s, false)", [entity])
        late.execute(INSERT)
        public.understand(text="balance", at=AT, case_id=CASE)
        before = public.events_after(cursor="", limit=10)

        late.commit()

    after = public.events_after(cursor="", limit=10)
    rest = public.events_after(cursor=after[0].cursor, limit=10)
    assert before == ()
    assert [line.call.result for line in after] == ["late", "balance"]
    assert [line.call.result for line in rest] == ["balance"]
    assert public.events_after(cursor=after[-1].cursor, limit=10) == ()
