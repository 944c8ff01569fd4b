"""How many plans a person may propose in a minute, counted for all processes together."""

from datetime import datetime, timedelta

from django.db import connection

from sentinel.vocabulary import Principal

PLANS_MAX = 60
WINDOW = timedelta(minutes=1)


class TooManyPlans(RuntimeError):
    """This person has proposed as many plans as may be looked at; `seconds` says for how long."""

    code = "too_many_plans"
    is_retryable = True

    def __init__(self, principal_id: str, seconds: int) -> None:
        super().__init__(principal_id, seconds)
        self.principal_id, self.seconds = principal_id, seconds


def count_plan(*, principal: Principal, at: datetime) -> None:
    """Count a plan before anything of it is looked at, refused ones included.

    A person's minute begins with the first plan after the last one was over. One statement
    counts, so that two processes never take the same place.

    Raises:
        TooManyPlans: this one comes too soon.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO orch_plan_count AS kept (principal_id, began_at, count)
            VALUES (%(who)s, %(at)s, 1)
            ON CONFLICT (entity, principal_id) DO UPDATE
               SET began_at = CASE WHEN kept.began_at <= %(over)s THEN excluded.began_at
                                   ELSE kept.began_at END,
                   count = CASE WHEN kept.began_at <= %(over)s THEN 1
                                ELSE least(kept.count, %(most)s) + 1 END
            RETURNING began_at, count
            """,
            {"who": principal.id, "at": at, "over": at - WINDOW, "most": PLANS_MAX},
        )
        began_at, count = cursor.fetchone()
    if count > PLANS_MAX:
        raise TooManyPlans(principal.id, max(1, round((began_at + WINDOW - at).total_seconds())))
