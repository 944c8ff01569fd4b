"""Who may act, who may spend a token, and who may open a socket: by name, beyond the imports."""

import ast

from tests.architecture.source import LAYERS, PACKAGES, trees

EXECUTES = {"orchestration/act.py"}
# Benches measure the path below `act`.
BENCHES = "deploy/benches/"
# An effect inside a layer redeems at that layer's own door: which drawing runs, and what is put
# right by hand, is Orchestration's.
REDEEMS = {
    "grand_central/gateway.py",
    "orchestration/durable/putting_right.py",
    "orchestration/operating/queues.py",
    # For programs outside, which act elsewhere once they were told that it is spent.
    "orchestration/redeeming.py",
    "orchestration/versions/effects.py",
}
# Parsing an address opens no socket; the rest of urllib does, and the linter sees only its root.
SOCKET_FREE = "urllib.parse"


def users_of(door, name, *packages):
    """Return the files that take `name` through `door`, whichever way they write it."""
    return {
        path.as_posix()
        for path, tree in trees(*packages)
        for node in ast.walk(tree)
        if takes(node, door, name)
    }


def takes(node, door, name):
    if isinstance(node, ast.ImportFrom):
        return node.module == door and any(alias.name == name for alias in node.names)
    return isinstance(node, ast.Attribute) and ast.unparse(node) == f"{door}.{name}"


def renames(node, door):
    layer, _, public = door.partition(".")
    if isinstance(node, ast.ImportFrom):
        return node.module == layer and any(alias.name == public for alias in node.names)
    return isinstance(node, ast.Import) and any(
        alias.name == door and alias.asname for alias in node.names
    )


def test_only_act_executes_an_effect():
    callers = users_of("grand_central.public", "execute", *PACKAGES)

    assert {path for path in callers if not path.startswith(BENCHES)} == EXECUTES


def test_only_act_calls_a_system_outside():
    steps = ("begin_outside", "claim_outside", "call_outside", "conclude_outside")

    callers = {name: users_of("grand_central.public", name, *PACKAGES) for name in steps}

    assert callers == dict.fromkeys(steps, EXECUTES)


def test_only_the_gateway_and_changes_of_how_work_runs_redeem_a_token():
    assert users_of("sentinel.public", "redeem", *PACKAGES) == REDEEMS


def test_no_layer_gives_the_door_of_effects_another_name():
    renamed = [
        f"{path}:{node.lineno}"
        for path, tree in trees(*LAYERS, "apps", "deploy")
        for node in ast.walk(tree)
        if renames(node, "grand_central.public")
    ]

    assert renamed == []


def test_no_layer_fetches_an_address():
    fetching = [
        f"{path}:{node.lineno}"
        for path, tree in trees(*LAYERS, "apps")
        for node in ast.walk(tree)
        for module in modules_of(node)
        if module.partition(".")[0] == "urllib" and module != SOCKET_FREE
    ]

    assert fetching == []


def modules_of(node):
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
