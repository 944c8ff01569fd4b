"""Fields of a task's form on a page: what they look like, and what comes back from them."""

from django.http import QueryDict

from apps.workspace.forms import answer_from, answered, fields_of

SCHEMA = {
    "type": "object",
    "properties": {
        "on": {"type": "string", "format": "date", "title": "Seen on"},
        "seen": {
            "type": "array",
            "items": {"type": "string", "enum": ["passport", "letter"]},
            "x-labels": {"passport": "A passport"},
        },
    },
    "required": ["on"],
}


def test_a_date_and_a_choice_of_several_have_fields_of_their_own():
    on, seen = fields_of(schema=SCHEMA, filled={"seen": ["letter"]})

    assert (on.widget, on.is_required, seen.widget) == ("date", True, "checks")
    assert [(each.label, each.is_chosen) for each in seen.choices] == [
        ("A passport", False),
        ("Letter", True),
    ]


def test_several_choices_come_back_as_a_list():
    posted = QueryDict("on=2026-11-21&seen=passport&seen=letter")

    answer = answer_from(schema=SCHEMA, posted=posted)

    assert answer == {"on": "2026-11-21", "seen": ["passport", "letter"]}
    assert answered(schema=SCHEMA, answers=[answer]) == (
        ("Seen on", "2026-11-21"),
        ("Seen", "A passport, letter"),
    )
