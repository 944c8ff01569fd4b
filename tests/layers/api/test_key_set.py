"""Whoever checks tokens reads the keys of a legal entity without asking for leave."""

import pytest
from django.test import Client

from sentinel.public import json_web_keys


@pytest.mark.usefixtures("rules_in_force")
def test_the_key_set_is_public_and_kept_for_five_minutes():
    answer = Client().get("/api/v1/meridian-nl/jwks.json")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/jwk-set+json"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.json() == json_web_keys()


@pytest.mark.usefixtures("rules_in_force")
def test_a_bank_that_is_not_there_has_no_keys_and_nothing_is_written():
    assert Client().get("/api/v1/nowhere/jwks.json").status_code == 404
    assert Client().post("/api/v1/meridian-nl/jwks.json").status_code == 405
