"""Who may open a page."""

from uuid import UUID

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from interaction.models import User
from interaction.public import requires_customer, requires_role
from interaction.screens import initials


@requires_customer
def customers_page(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("customer")


@requires_role("operations")
def operations_page(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("operations")


@requires_role()
def employees_page(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("employee")


def _request(user: object, **headers: str) -> HttpRequest:
    request = RequestFactory().get("/app/cards/?x=1", headers=headers)
    request.user = user
    return request


CUSTOMER = User(principal_kind="customer", customer_id=UUID(int=1), roles=["customer"])
OPERATIONS = User(principal_kind="employee", roles=["operations"])
ADVISER = User(principal_kind="employee", roles=["adviser"])


def test_everybody_opens_their_own_pages() -> None:
    assert customers_page(_request(CUSTOMER)).content == b"customer"
    assert operations_page(_request(OPERATIONS)).content == b"operations"
    assert employees_page(_request(ADVISER)).content == b"employee"


@pytest.mark.parametrize(
    ("page", "user"),
    [
        (customers_page, OPERATIONS),
        (operations_page, CUSTOMER),
        (operations_page, ADVISER),
        (employees_page, CUSTOMER),
    ],
)
def test_nobody_opens_somebody_elses(page, user: User) -> None:
    with pytest.raises(PermissionDenied):
        page(_request(user))


def test_a_customer_who_calls_themselves_operations_stays_a_customer() -> None:
    pretender = User(principal_kind="customer", customer_id=UUID(int=1), roles=["operations"])

    with pytest.raises(PermissionDenied):
        operations_page(_request(pretender))


def test_a_stranger_signs_in_first_and_comes_back() -> None:
    response = customers_page(_request(AnonymousUser()))

    assert response.status_code == 302
    assert response.headers["Location"] == "/sign-in/?next=%2Fapp%2Fcards%2F%3Fx%3D1"


def test_a_part_of_a_page_sends_the_whole_page_to_sign_in() -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "/app/"}

    response = customers_page(_request(AnonymousUser(), **headers))

    assert (response.status_code, response.headers["HX-Redirect"]) == (
        204,
        "/sign-in/?next=%2Fapp%2F",
    )


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Anna de Vries", "AV"), ("Bob", "B"), ("Ömer Şahin", "ÖŞ"), ("", ""), ("42 Anna", "A")],
)
def test_initials_are_those_of_the_first_and_last_name(name: str, letters: str) -> None:
    assert initials(name=name) == letters
