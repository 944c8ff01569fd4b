"""The control matrix on the console: all of it, one framework, and what it does not claim."""

import pytest

from tests.journeys.test_hostile_browser import signed_in

PAGE = "/console/controls/"


@pytest.mark.usefixtures("bank")
def test_the_matrix_says_what_it_is_not_and_narrows_to_a_framework():
    carla = signed_in("carla")

    whole, one = carla.get(PAGE), carla.get(f"{PAGE}?framework=DORA")
    odd = carla.get(f"{PAGE}?framework=nonsense")

    assert 'It is not "SOC 2 compliant" either' in whole.content.decode()
    assert {each.framework for each in whole.context["rows"]} == set(whole.context["frameworks"])
    assert {each.framework for each in one.context["rows"]} == {"DORA"}
    assert len(odd.context["rows"]) == len(whole.context["rows"])


@pytest.mark.usefixtures("bank")
@pytest.mark.parametrize("name", ["anna", "omar"])
def test_the_matrix_is_for_compliance(name):
    assert signed_in(name).get(PAGE).status_code in {302, 403, 404}
