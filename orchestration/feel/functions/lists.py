"""Built-in list functions."""

from collections.abc import Iterator
from decimal import Decimal
from functools import cmp_to_key

from orchestration.feel.comparison import compare, equal
from orchestration.feel.evaluation import Evaluation
from orchestration.feel.functions.registry import builtin
from orchestration.feel.temporal import Date, DaysDuration, MonthsDuration
from orchestration.feel.values import FeelValue, Function

_List = tuple[FeelValue, ...]
# Values that are the same exactly when Python says so; true and 1 are not among them.
_HASHED = (Decimal, str, Date, DaysDuration, MonthsDuration)


def is_same(left: FeelValue, right: FeelValue) -> bool:
    """Tell whether two list items are equal; items of different types are not."""
    return equal(left, right) is True


@builtin("list contains(list: list, element)")
def _list_contains(items: _List, element: FeelValue) -> FeelValue:
    return any(is_same(item, element) for item in items)


@builtin("count(list: list)")
def _count(items: _List) -> FeelValue:
    return Decimal(len(items))


def _extreme(items: _List, wanted: int) -> FeelValue:
    best: FeelValue = items[0] if items else None
    for item in items:
        order = compare(item, best)
        if order is None:
            return None
        best = item if order == wanted else best
    return best


@builtin("min(list: list)")
def _min(items: _List) -> FeelValue:
    return _extreme(items, -1)


@builtin("min(*c)")
def _min_of(*items: FeelValue) -> FeelValue:
    return _extreme(items, -1)


@builtin("max(list: list)")
def _max(items: _List) -> FeelValue:
    return _extreme(items, 1)


@builtin("max(*c)")
def _max_of(*items: FeelValue) -> FeelValue:
    return _extreme(items, 1)


def _all(items: _List) -> FeelValue:
    if any(item is False for item in items):
        return False
    return True if all(item is True for item in items) else None


def _any(items: _List) -> FeelValue:
    if any(item is True for item in items):
        return True
    return False if all(item is False for item in items) else None


@builtin("all(list: list)")
def _all_in(items: _List) -> FeelValue:
    return _all(items)


@builtin("all(*b)")
def _all_of(*items: FeelValue) -> FeelValue:
    return _all(items)


@builtin("any(list: list)")
def _any_in(items: _List) -> FeelValue:
    return _any(items)


@builtin("any(*b)")
def _any_of(*items: FeelValue) -> FeelValue:
    return _any(items)


@builtin("sublist(list: list, start position: number, length?: number)")
def _sublist(items: _List, start: Decimal, length: Decimal | None = None) -> FeelValue:
    position = int(start)
    if position == 0 or abs(position) > len(items):
        return None
    begin = position - 1 if position > 0 else len(items) + position
    if length is None:
        return items[begin:]
    end = begin + int(length)
    return items[begin:end] if begin < end <= len(items) else None


@builtin("append(list: list, *item)")
def _append(items: _List, *more: FeelValue) -> FeelValue:
    return items + more


@builtin("concatenate(*list: list)")
def _concatenate(*lists: _List) -> FeelValue:
    return tuple(item for items in lists for item in items)


@builtin("insert before(list: list, position: number, newItem)")
def _insert_before(items: _List, position: Decimal, item: FeelValue) -> FeelValue:
    index = _index(items, position)
    return None if index is None else (*items[:index], item, *items[index:])


@builtin("remove(list: list, position: number)")
def _remove(items: _List, position: Decimal) -> FeelValue:
    index = _index(items, position)
    return None if index is None else (*items[:index], *items[index + 1 :])


def _index(items: _List, position: Decimal) -> int | None:
    number = int(position)
    if number == 0 or abs(number) > len(items) or number != position:
        return None
    return number - 1 if number > 0 else len(items) + number


@builtin("list replace(list: list, position: number, newItem)")
def _list_replace(items: _List, position: Decimal, item: FeelValue) -> FeelValue:
    index = _index(items, Decimal(int(position)))
    return None if index is None else (*items[:index], item, *items[index + 1 :])


@builtin("list replace(list: list, match: function, newItem)", takes_evaluation=True)
def _list_replace_matching(
    evaluation: Evaluation, items: _List, match: Function, new_item: FeelValue
) -> FeelValue:
    replaced: list[FeelValue] = []
    for item in items:
        evaluation.step()
        answer = match.call(evaluation, (item, new_item), {})
        if not isinstance(answer, bool):
            return None
        replaced.append(new_item if answer else item)
    return tuple(replaced)


@builtin("reverse(list: list)")
def _reverse(items: _List) -> FeelValue:
    return items[::-1]


@builtin("index of(list: list, match)")
def _index_of(items: _List, match: FeelValue) -> FeelValue:
    return tuple(Decimal(at) for at, item in enumerate(items, 1) if is_same(item, match))


def _distinct(items: _List, evaluation: Evaluation) -> _List:
    kept: list[FeelValue] = []
    others: list[FeelValue] = []
    seen: set[FeelValue] = set()
    for item in items:
        if isinstance(item, _HASHED):
            if item in seen:
                continue
            seen.add(item)
        else:
            evaluation.charge(len(others))
            if any(is_same(item, other) for other in others):
                continue
            others.append(item)
        kept.append(item)
    return tuple(kept)


@builtin("union(*list: list)", takes_evaluation=True)
def _union(evaluation: Evaluation, *lists: _List) -> FeelValue:
    return _distinct(tuple(item for items in lists for item in items), evaluation)


@builtin("distinct values(list: list)", takes_evaluation=True)
def _distinct_values(evaluation: Evaluation, items: _List) -> FeelValue:
    return _distinct(items, evaluation)


@builtin("flatten(list: list)")
def _flatten(items: _List) -> FeelValue:
    return tuple(_flat(items))


def _flat(items: _List) -> Iterator[FeelValue]:
    for item in items:
        if isinstance(item, tuple):
            yield from _flat(item)
        else:
            yield item


@builtin("sort(list: list, precedes?: function|Null)", takes_evaluation=True)
def _sort(evaluation: Evaluation, items: _List, precedes: Function | None = None) -> FeelValue:
    def order(left: FeelValue, right: FeelValue) -> int:
        evaluation.step()
        if precedes is None:
            return compare(left, right) or 0
        if precedes.call(evaluation, (left, right), {}) is True:
            return -1
        return 1 if precedes.call(evaluation, (right, left), {}) is True else 0

    if precedes is not None and len(precedes.parameters) != 2:
        return None
    if precedes is None and any(compare(item, items[0]) is None for item in items):
        return None
    return tuple(sorted(items, key=cmp_to_key(order)))
