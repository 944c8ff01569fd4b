"""A function fits on a screen, a module stays small, and the shared words stay few."""

import ast

from tests.architecture.source import PACKAGES, SOURCE, trees

FUNCTION_LINES_MAX = 50
MODULE_LINES_MAX = 400
VOCABULARY_LINES_MAX = 200
# It must stay one file: people carry it to a machine that has nothing else of Frontline.
CARRIED_ALONE = {"sentinel/verify/frontline_verify.py": 780}


def is_list_of_names(tree):
    """Return whether a module holds a docstring, imports and `__all__` only, as a door does."""
    return all(
        isinstance(node, ast.Import | ast.ImportFrom)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__")
        for node in tree.body
    )


def lines_of(path):
    return len((SOURCE / path).read_text(encoding="utf-8").splitlines())


def test_functions_fit_on_a_screen():
    oversized = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in trees(*PACKAGES, "tests")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.end_lineno - node.lineno >= FUNCTION_LINES_MAX
    ]

    assert oversized == []


def test_modules_stay_small():
    oversized = [
        f"{path}: {lines_of(path)}"
        for path, tree in trees(*PACKAGES, "tests")
        if not (path.name == "public.py" and is_list_of_names(tree))
        if lines_of(path) > CARRIED_ALONE.get(str(path), MODULE_LINES_MAX)
    ]

    assert oversized == []


def test_shared_words_stay_few():
    assert lines_of("sentinel/vocabulary.py") < VOCABULARY_LINES_MAX


def test_no_module_hides_behind_a_name_that_says_nothing():
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "data"}

    hidden = [str(path) for path, _ in trees(*PACKAGES) if path.stem in vague]

    assert hidden == []
