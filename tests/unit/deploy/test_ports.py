"""A port that was asked for is refused when taken; without one the next free is found."""

import socket

import pytest

from deploy import ports
from deploy.ports import PortTaken, chosen_port

HOST = "127.0.0.1"


@pytest.fixture
def taken():
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_taken_port_is_refused_with_the_way_out(taken):
    with pytest.raises(PortTaken) as refusal:
        chosen_port(taken, HOST)

    assert refusal.value.port == taken
    assert f"Port {taken} is taken" in str(refusal.value)
    assert "--port" in str(refusal.value)


def test_next_free_port_is_found(taken, monkeypatch):
    monkeypatch.setattr(ports, "PORT", taken)

    port = chosen_port(None, HOST)

    assert taken < port < taken + 50


def test_free_port_asked_for_is_taken(taken):
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        free = probe.getsockname()[1]

    assert chosen_port(free, HOST) == free
