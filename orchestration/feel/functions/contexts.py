"""Built-in context functions."""

from collections.abc import Mapping

from orchestration.feel.functions.registry import builtin
from orchestration.feel.values import Context, FeelValue

_List = tuple[FeelValue, ...]


@builtin("get value(m: context, key: string)")
def _get_value(context: Context, key: str) -> FeelValue:
    return context.get(key)


@builtin("get value(context: context, keys: list)")
def _get_nested(context: Context, keys: _List) -> FeelValue:
    value: FeelValue = context
    if not keys:
        return None
    for key in keys:
        if not isinstance(value, Mapping) or not isinstance(key, str):
            return None
        value = value.get(key)
    return value


@builtin("get entries(m: context)")
def _get_entries(context: Context) -> FeelValue:
    return tuple({"key": key, "value": value} for key, value in context.items())


@builtin("context put(context: context, key: string, value)")
def _context_put(context: Context, key: str, value: FeelValue) -> FeelValue:
    return {**context, key: value}


@builtin("context put(context: context, keys: list, value)")
def _context_put_nested(context: Context, keys: _List, value: FeelValue) -> FeelValue:
    return _put(context, keys, value)


def _put(context: FeelValue, keys: _List, value: FeelValue) -> FeelValue:
    if not keys or not isinstance(keys[0], str) or not isinstance(context, Mapping):
        return None
    first, rest = keys[0], keys[1:]
    if not rest:
        return {**context, first: value}
    inner = _put(context.get(first), rest, value)
    return None if inner is None else {**context, first: inner}


@builtin("context merge(contexts: list)")
def _context_merge(contexts: _List) -> FeelValue:
    merged: dict[str, FeelValue] = {}
    for context in contexts:
        if not isinstance(context, Mapping):
            return None
        merged.update(context)
    return merged


@builtin("context(entries: list)")
def _context(entries: _List) -> FeelValue:
    made: dict[str, FeelValue] = {}
    for entry in entries:
        key = entry.get("key") if isinstance(entry, Mapping) else None
        if not isinstance(entry, Mapping) or not isinstance(key, str):
            return None
        if key in made or "value" not in entry:
            return None
        made[key] = entry["value"]
    return made
