"""Every error of a layer states a code, and survives the queue between two processes."""

import enum
import importlib
import inspect
import pickle
import pkgutil
import typing
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from tests.architecture.source import LAYERS

SAMPLES = {
    str: "words",
    int: 7,
    float: 0.5,
    bool: True,
    bytes: b"bytes",
    UUID: UUID(int=7),
    date: date(2026, 1, 2),
    datetime: datetime(2026, 1, 2, tzinfo=UTC),
    Decimal: Decimal("1.5"),
    tuple: ("words",),
    list: ["words"],
    dict: {"words": "words"},
}


def modules():
    for layer in LAYERS:
        package = importlib.import_module(layer)
        for found in pkgutil.walk_packages(package.__path__, f"{layer}."):
            if ".migrations" not in found.name:
                yield importlib.import_module(found.name)


def error_classes():
    return sorted(
        {
            member
            for module in modules()
            for _, member in inspect.getmembers(module, inspect.isclass)
            if issubclass(member, Exception) and member.__module__.split(".")[0] in LAYERS
        },
        key=lambda error: f"{error.__module__}.{error.__qualname__}",
    )


def sample(annotation):
    origin = typing.get_origin(annotation) or annotation
    if inspect.isclass(origin) and issubclass(origin, enum.Enum):
        return next(iter(origin))
    return SAMPLES.get(origin)


def instance_of(error):
    """Build the error with values of the types its constructor names."""
    if error.__init__ is Exception.__init__ or "__init__" not in vars_of(error):
        return error("words")
    hints = typing.get_type_hints(error.__init__)
    parameters = list(inspect.signature(error.__init__).parameters.values())[1:]
    positional, keywords = [], {}
    for parameter in parameters:
        value = sample(hints.get(parameter.name, str))
        if parameter.kind is parameter.KEYWORD_ONLY:
            keywords[parameter.name] = value
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            positional.append(value)
    return error(*positional, **keywords)


def vars_of(error):
    return {
        name
        for parent in error.__mro__
        if parent.__module__.split(".")[0] in LAYERS
        for name in vars(parent)
    }


@pytest.mark.parametrize("error", error_classes(), ids=lambda error: error.__qualname__)
def test_error_states_itself_and_survives_a_queue(error):
    raised = instance_of(error)

    arrived = pickle.loads(pickle.dumps(raised))

    assert error.__doc__
    assert isinstance(raised.code, str)
    assert isinstance(raised.is_retryable, bool)
    assert type(arrived) is error
    assert arrived.args == raised.args
    assert vars(arrived) == vars(raised)
