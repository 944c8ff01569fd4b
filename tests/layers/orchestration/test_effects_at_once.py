"""Effects of other systems are carried side by side: a slow one holds up none of the others."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import pytest

from orchestration.effects import rows
from orchestration.effects.carrying import carry_effects_here, carry_effects_once
from tests.authority import found_bank
from tests.banks import wait_until
from tests.layers.orchestration.test_outside_effects import STOP, stopping
from tests.processor import KEY

SECONDS_MAX = 20


class Meeting(ThreadingHTTPServer):
    """A card processor that answers nobody before so many ask at once, and then without sense."""

    daemon_threads = True

    def __init__(self, parties):
        self.barrier, self.met = threading.Barrier(parties), 0
        super().__init__(("127.0.0.1", 0), _Door)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def meet(self):
        self.barrier.wait(SECONDS_MAX)
        self.met += 1


class _Door(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer()

    def do_GET(self):
        self._answer()

    def _answer(self):
        self.server.meet()
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_about):
        """Say nothing."""


@pytest.fixture
def meeting(settings, entity):
    found_bank()
    servers = []

    def opened(parties):
        server = Meeting(parties)
        servers.append(server)
        settings.CARD_PROCESSOR_URL = f"http://127.0.0.1:{server.server_port}"
        settings.CARD_PROCESSOR_KEY = KEY
        settings.CARD_PROCESSOR_DEADLINE_SECONDS = SECONDS_MAX
        return server

    yield opened
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.django_db(transaction=True)
def test_three_calls_to_other_systems_are_under_way_at_once(flows, meeting):
    server = meeting(3)
    flows.published(STOP)
    for _ in range(3):
        stopping(flows, str(uuid4()))

    assert carry_effects_once() == 3

    assert not server.barrier.broken
    assert server.met == 3


@pytest.mark.django_db(transaction=True)
def test_a_round_leaves_what_takes_long_to_itself(flows, meeting):
    server = meeting(2)
    stopping(flows, str(uuid4()))

    assert carry_effects_here() == 0

    assert (server.met, server.barrier.n_waiting) == (0, 1)
    assert rows.due_places(5) == ()
    server.barrier.wait(SECONDS_MAX)
    assert wait_until(lambda: not lanes(), SECONDS_MAX)
    assert server.met == 1


def lanes():
    return [each for each in threading.enumerate() if each.name == "effect lane"]
