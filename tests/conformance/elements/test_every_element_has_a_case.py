"""No element is run that no case shows to run as the specification says."""

from importlib import import_module

from tests.conformance.elements.catalogue import CASES, wanted

MODULES = ("activities", "events", "gateways", "guards")


def test_every_element_has_a_case():
    for name in MODULES:
        import_module(f"tests.conformance.elements.test_element_{name}")

    assert wanted() - set(CASES) == set()
    assert set(CASES) - wanted() == set()
