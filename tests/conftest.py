"""Fixtures every ring shares: the database as the application, as its owner, as a superuser."""

import os
from collections.abc import Iterator

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from django.test import TransactionTestCase

from deploy.settings.database import conninfo
from sentinel.public import legal_entity
from tests import postgres
from tests.authority import found_bank

ENTITY = "meridian-nl"


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker) -> Iterator[None]:
    """Give this worker its clone, in place of Django's own test database.

    The application may not truncate, so a test with `transaction=True` is followed by a new clone.
    """

    def renew(_case: TransactionTestCase) -> None:
        connections.close_all()
        postgres.databases.clone(postgres.name)

    postgres.start_once()
    postgres.databases.clone(postgres.name)
    TransactionTestCase._fixture_teardown = renew
    with django_db_blocker.unblock():
        yield
        connections.close_all()
    postgres.databases.drop(postgres.name)


@pytest.fixture(autouse=True)
def _no_session_left() -> Iterator[None]:
    """Close what a test left open, last of all: the next clone would end it unannounced.

    A connection that was ended so is not noticed by Django, and fails every test after it.
    """
    yield
    connections.close_all()


@pytest.fixture
def dsn(db) -> str:
    """Return libpq's words for this worker's database as the application."""
    return conninfo(settings.DATABASES["default"])


@pytest.fixture
def owner_connection(db) -> Iterator[psycopg.Connection]:
    """Connect as the owner of the tables, with autocommit."""
    with psycopg.connect(conninfo(settings.DATABASES["owner"]), autocommit=True) as connection:
        yield connection


@pytest.fixture
def superuser_connection(db) -> Iterator[psycopg.Connection]:
    """Connect as the superuser of the server, with autocommit."""
    with postgres.databases.superuser(postgres.name) as connection:
        yield connection


@pytest.fixture
def process_environment(db) -> dict[str, str]:
    """Return the environment in which a process of ours uses this test's database."""
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "deploy.settings.test"}


@pytest.fixture
def entity(db) -> Iterator[str]:
    """Do the test's work for one legal entity."""
    with legal_entity(entity=ENTITY):
        yield ENTITY


@pytest.fixture
def rules_in_force(entity) -> str:
    """Do the test's work for a legal entity in which the bank's real rules are in force."""
    found_bank()
    return entity
