"""What the bank says in a conversation on its own: sealed for its customer, named in the feed.

The feed is append-only and never forgets, so no word of a person may stand in it. It names where
the words are kept; once the customer's key is destroyed, nobody can read them.
"""

from uuid import UUID, uuid4

from django.db import connection

import sentinel.public


def keep_words(*, words: str, conversation_id: UUID, customer_id: UUID | None) -> UUID | None:
    """Keep words sealed in the caller's transaction, and return what names them.

    About somebody who was forgotten nothing is kept, and None is returned.
    """
    spoken_id = uuid4()
    subject = f"customer:{customer_id}" if customer_id else f"conversation:{conversation_id}"
    try:
        sealed = sentinel.public.seal_for(subject=subject, words=words, place=f"spoken:{spoken_id}")
    except sentinel.public.SubjectForgotten:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orch_spoken (id, subject, sealed) VALUES (%s, %s, %s)",
            [spoken_id, subject, sealed],
        )
    return spoken_id


def spoken_words(*, spoken_id: UUID) -> str:
    """Return the words a line of the feed names, or nothing once they are forgotten.

    Raises:
        sentinel.public.SealBroken: the words were altered.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT subject, sealed FROM orch_spoken WHERE id = %s", [spoken_id])
        row = cursor.fetchone()
    if row is None:
        return ""
    try:
        return sentinel.public.unseal_for(
            subject=row[0], sealed=bytes(row[1]), place=f"spoken:{spoken_id}"
        )
    except sentinel.public.SubjectForgotten:
        return ""
