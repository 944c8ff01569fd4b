"""Calls that turn text into code, or load what can run, stand nowhere."""

import ast

from tests.architecture.source import LAYERS, PACKAGES, trees

FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
CATCHES_EVERYTHING = {
    # A step of a drawing may break in any way: it is tried again, then a person looks at it.
    "orchestration/durable/calls.py",
    # One message may break in any way: the line to the customer stays open.
    "apps/customer/stream.py",
    # An altered row may break a replay in any way: that is what the proof is looking for.
    "orchestration/durable/proving.py",
    # A file made to trip the verifier may do so in any way: that it fails is not a verdict.
    "sentinel/verify/frontline_verify.py",
}
FORBIDDEN_METHODS = {("pickle", "load"), ("pickle", "loads"), ("yaml", "load"), ("os", "system")}


def calls(*packages):
    for path, tree in trees(*packages):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield path, node


def test_no_text_becomes_code():
    found = [
        f"{path}:{call.lineno} {call.func.id}"
        for path, call in calls(*PACKAGES)
        if isinstance(call.func, ast.Name) and call.func.id in FORBIDDEN_CALLS
    ]

    assert found == []


def test_nothing_is_loaded_that_could_run():
    found = [
        f"{path}:{call.lineno} {call.func.value.id}.{call.func.attr}"
        for path, call in calls(*PACKAGES)
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name)
        if (call.func.value.id, call.func.attr) in FORBIDDEN_METHODS
    ]

    assert found == []


def test_no_shell_is_started():
    found = [
        f"{path}:{call.lineno}"
        for path, call in calls(*PACKAGES)
        for keyword in call.keywords
        if keyword.arg == "shell" and getattr(keyword.value, "value", None) is True
    ]

    assert found == []


def test_no_layer_catches_everything():
    found = [
        f"{path}:{node.lineno}"
        for path, tree in trees(*LAYERS, "apps")
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and str(path) not in CATCHES_EVERYTHING
        if node.type is None
        or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"})
    ]

    assert found == []
