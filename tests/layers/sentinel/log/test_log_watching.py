"""A log that is behind is an alarm, and what it stops is what the alarm says."""

import logging

import pytest
from django.db import connection

from sentinel.log.records import append
from sentinel.log.sequencer import run_sequencer_once
from sentinel.log.watching import watch_log_once


@pytest.fixture(autouse=True)
def keys(settings, tmp_path):
    settings.KEYS_DIR = tmp_path / "keys"


def test_a_log_that_keeps_up_raises_no_alarm(entity, caplog):
    with connection.cursor() as cursor:
        append(cursor, kind="issued", body={})

    with caplog.at_level(logging.ERROR):
        assert watch_log_once() is False

    assert caplog.records == []


def test_a_log_that_is_behind_raises_an_alarm_until_it_has_caught_up(entity, settings, caplog):
    settings.SENTINEL_LOG_LAG_SECONDS_MAX = -1
    with connection.cursor() as cursor:
        append(cursor, kind="issued", body={})

    with caplog.at_level(logging.ERROR):
        assert watch_log_once() is True
        while run_sequencer_once():
            pass
        assert watch_log_once() is False

    (said,) = caplog.messages
    assert said.startswith("log_behind entity=meridian-nl pending=1 ")
