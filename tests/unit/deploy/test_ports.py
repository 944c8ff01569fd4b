"""A port that was asked for is refused when taken; without one the next free is found."""

import socket

import pytest

from deploy import ports
from deploy.ports import PortTaken, listener

HOST = "127.0.0.1"


@pytest.fixture
def taken():
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        yield other.getsockname()[1]


def test_taken_port_is_refused_with_the_way_out(taken):
    with pytest.raises(PortTaken) as refusal:
        listener(taken, HOST)

    assert refusal.value.port == taken
    assert f"Port {taken} is taken" in str(refusal.value)
    assert "--port" in str(refusal.value)


def test_next_free_port_is_found(taken, monkeypatch):
    monkeypatch.setattr(ports, "PORT", taken)

    with listener(None, HOST) as found:
        assert taken < found.getsockname()[1] < taken + 50


def test_free_port_asked_for_is_held_from_then_on():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        free = probe.getsockname()[1]

    with listener(free, HOST) as held:
        assert held.getsockname() == (HOST, free)
        with pytest.raises(PortTaken):
            listener(free, HOST)


def test_two_that_start_at_once_get_two_ports():
    with listener(None, HOST) as first, listener(None, HOST) as second:
        assert first.getsockname() != second.getsockname()
