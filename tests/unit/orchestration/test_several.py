"""What is done at once of several requests, and what is shown as steps."""

import pytest

from orchestration.dialogue.several import at_once
from orchestration.planning.splitting import Clause, Limit


def clause(kind, relation="beside", limit=None):
    return Clause(kind, kind, relation, limit)


def kinds(clauses):
    return [(each.kind, each.relation) for each in clauses]


@pytest.mark.parametrize("is_open", [True, False])
def test_a_person_is_never_a_step(is_open):
    now, later = at_once([clause("talk_to_person"), clause("pay"), clause("pay")], is_open=is_open)

    assert kinds(now) == [("talk_to_person", "beside")]
    assert kinds(later) == [("pay", "beside"), ("pay", "beside")]


def test_while_something_is_open_questions_and_blocks_do_not_wait():
    now, later = at_once([clause("pay"), clause("balance"), clause("card_block")], is_open=True)

    assert kinds(now) == [("balance", "beside"), ("card_block", "beside")]
    assert kinds(later) == [("pay", "beside")]


def test_what_follows_a_kept_step_is_kept_with_it():
    now, later = at_once([clause("pay"), clause("balance", "after")], is_open=True)

    assert now == []
    assert kinds(later) == [("pay", "beside"), ("balance", "after")]


def test_what_follows_a_part_done_at_once_follows_nothing():
    now, later = at_once([clause("card_block"), clause("pay", "after")], is_open=True)

    assert kinds(now) == [("card_block", "beside")]
    assert kinds(later) == [("pay", "beside")]


def test_a_condition_is_kept():
    limited = clause("balance", limit=Limit("above", 50_000))

    assert at_once([limited], is_open=True) == ([], [limited])
    assert at_once([limited], is_open=False) == ([], [limited])


def test_with_nothing_open_several_are_steps_and_one_is_begun():
    assert at_once([clause("pay")], is_open=False) == ([clause("pay")], [])
    now, later = at_once([clause("balance"), clause("card_block")], is_open=False)
    assert now == []
    assert kinds(later) == [("balance", "beside"), ("card_block", "beside")]
