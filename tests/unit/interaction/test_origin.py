"""A line is opened by a page of the same host and port, and by no other."""

import pytest

from interaction.channels.origin import is_same_origin


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:8000", "localhost:8000"),
        ("http://localhost", "localhost"),
        ("http://localhost", "localhost:80"),
        ("https://bank.example", "bank.example"),
        ("https://bank.example:443", "bank.example"),
        ("https://BANK.example", "bank.EXAMPLE"),
        ("http://[::1]:8000", "[::1]:8000"),
    ],
)
def test_the_banks_own_page_opens_a_line(origin, host):
    assert is_same_origin(origin=origin, host=host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:8001", "localhost:8000"),
        ("http://localhost", "localhost:8000"),
        ("http://localhost:8000", "localhost"),
        ("https://bank.example:8443", "bank.example"),
        ("https://evil.example", "bank.example"),
        ("https://bank.example.evil.example", "bank.example"),
        ("https://user@evil.example", "bank.example"),
        ("http://localhost:99999", "localhost:99999"),
        ("http://localhost:port", "localhost:port"),
        ("http://[::1", "[::1"),
        ("file://", ""),
        ("null", "bank.example"),
        ("", "bank.example"),
        ("", ""),
        ("https://bank.example", ""),
    ],
)
def test_another_port_or_host_or_no_page_at_all_does_not(origin, host):
    assert not is_same_origin(origin=origin, host=host)
