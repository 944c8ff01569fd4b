"""The greeting is tried again when it fails, and holds nothing up."""

import subprocess
import sys

from deploy.greeting import TRIES_MAX, Greeting


def greeter(log, *codes):
    """Return what begins a program that ends with one code after the other."""
    left = list(codes)

    def begin():
        log.append("begun")
        return subprocess.Popen([sys.executable, "-c", f"raise SystemExit({left.pop(0)})"])

    return begin


def go_on_until_over(greeting):
    while not greeting.is_over:
        greeting.go_on()
        if greeting.process is not None:
            greeting.process.wait(30)


def test_it_is_said_once():
    log = []
    greeting = Greeting(greeter(log, 0))

    go_on_until_over(greeting)
    greeting.go_on()

    assert log == ["begun"]


def test_a_greeting_that_failed_is_said_again():
    log = []
    go_on_until_over(Greeting(greeter(log, 1, 0)))

    assert log == ["begun"] * 2


def test_one_that_always_fails_is_given_up():
    log = []
    go_on_until_over(Greeting(greeter(log, *[1] * 9)))

    assert log == ["begun"] * TRIES_MAX


def test_it_is_not_waited_for():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as slow:
        greeting = Greeting(lambda: slow)

        greeting.go_on()
        greeting.go_on()

        assert slow.poll() is None
        assert not greeting.is_over
        slow.stdin.close()
