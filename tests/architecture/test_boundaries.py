"""What import-linter cannot see: foreign keys, dotted strings, and the shape of front doors."""

import ast
import importlib
import inspect

from django.apps import apps

from tests.architecture.source import LAYERS, trees

# The framework's own user, session and content types belong to no layer.
FRAMEWORK = "django"


def layer_of(model):
    return model.__module__.partition(".")[0]


def test_no_table_points_into_another_layer():
    crossings = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in apps.get_models()
        if layer_of(model) in LAYERS
        for field in model._meta.get_fields()
        if field.is_relation and field.concrete and layer_of(field.related_model) != layer_of(model)
        if layer_of(field.related_model) != FRAMEWORK
    ]

    assert crossings == []


def test_no_string_names_another_layers_insides():
    offences = [
        f"{path}:{node.lineno} {node.value}"
        for path, tree in trees(*LAYERS, "apps")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for layer, _, inside in [node.value.partition(".")]
        if layer in LAYERS and layer != path.parts[0]
        if inside.replace(".", "_").isidentifier()
        if inside.split(".")[0] not in {"public", "vocabulary"}
    ]

    assert offences == []


def test_every_front_door_is_typed_keyword_only_and_documented():
    faults = []
    for layer in LAYERS:
        door = importlib.import_module(f"{layer}.public")
        for name in door.__all__:
            faults += faults_of(f"{layer}.public.{name}", getattr(door, name))

    assert faults == []


def faults_of(name, exported):
    if inspect.isclass(exported) and not exported.__doc__:
        return [f"{name} has no docstring"]
    # A decorator takes the function below it, whatever its door says of keywords.
    if not inspect.isfunction(exported) or exported.__name__.startswith("requires_"):
        return []
    signature = inspect.signature(exported)
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    return [
        words
        for words, is_fault in (
            (f"{name} has no docstring", not exported.__doc__),
            (
                f"{name} does not say what it returns",
                signature.return_annotation is signature.empty,
            ),
            (f"{name} takes positional arguments", kinds - {inspect.Parameter.KEYWORD_ONLY}),
        )
        if is_fault
    ]
