"""Reading boxed expressions."""

from collections.abc import Callable

from orchestration.dmn.errors import ModelRefused
from orchestration.dmn.model import (
    Aggregation,
    Box,
    ConditionalBox,
    ContextBox,
    FilterBox,
    FunctionBox,
    HitPolicy,
    InvocationBox,
    IterationBox,
    IterationKind,
    ListBox,
    LiteralBox,
    RelationBox,
    Rule,
    TableBox,
    TableInput,
    TableOutput,
    Variable,
)
from orchestration.feel.names import normalise
from orchestration.markup import Element, child, children, line_of, local_name, text_of

_EMPTY = LiteralBox("null", 0)
_HIT_POLICIES = {policy.value: policy for policy in HitPolicy} | {
    policy.value.replace(" ", "_"): policy for policy in HitPolicy
}


def child_box(markup: Element | None) -> Box | None:
    """Read the boxed expression an element holds, if it holds one."""
    if markup is None:
        return None
    for each in markup:
        reader = _READERS.get(local_name(each))
        if reader is not None:
            return reader(each)
    return None


def variables(markup: Element, name: str) -> tuple[Variable, ...]:
    """Read parameters: elements with a name and a type."""
    return tuple(
        Variable(normalise(each.get("name") or ""), each.get("typeRef"))
        for each in children(markup, name)
    )


def function_of(markup: Element) -> FunctionBox:
    """Read a function definition or the logic of a business knowledge model."""
    return FunctionBox(
        parameters=variables(markup, "formalParameter"),
        body=child_box(markup) or _EMPTY,
        is_feel=(markup.get("kind") or "FEEL") == "FEEL",
    )


def _literal(markup: Element) -> LiteralBox:
    return LiteralBox(text_of(child(markup, "text")), line_of(markup))


def _context(markup: Element) -> ContextBox:
    entries: list[tuple[Variable | None, Box]] = []
    for entry in children(markup, "contextEntry"):
        named = variables(entry, "variable")
        entries.append((named[0] if named else None, child_box(entry) or _EMPTY))
    return ContextBox(tuple(entries))


def _invocation(markup: Element) -> InvocationBox:
    bindings = tuple(
        (normalise(parameter.get("name") or ""), child_box(binding) or _EMPTY)
        for binding in children(markup, "binding")
        for parameter in children(binding, "parameter")
    )
    return InvocationBox(child_box(markup) or _EMPTY, bindings)


def _list(markup: Element) -> ListBox:
    readers = ((each, _READERS.get(local_name(each))) for each in markup)
    return ListBox(tuple(reader(each) for each, reader in readers if reader is not None))


def _relation(markup: Element) -> RelationBox:
    return RelationBox(
        columns=tuple(normalise(each.get("name") or "") for each in children(markup, "column")),
        rows=tuple(_list(row).items for row in children(markup, "row")),
    )


def _conditional(markup: Element) -> ConditionalBox:
    parts = [child_box(child(markup, name)) or _EMPTY for name in ("if", "then", "else")]
    return ConditionalBox(*parts)


def _iteration(markup: Element) -> IterationBox:
    body = child(markup, "return", "satisfies")
    return IterationBox(
        kind=IterationKind(local_name(markup)),
        variable=normalise(markup.get("iteratorVariable") or ""),
        source=child_box(child(markup, "in")) or _EMPTY,
        body=child_box(body) or _EMPTY,
    )


def _filter(markup: Element) -> FilterBox:
    return FilterBox(
        child_box(child(markup, "in")) or _EMPTY, child_box(child(markup, "match")) or _EMPTY
    )


def _table(markup: Element) -> TableBox:
    policy = _HIT_POLICIES.get(markup.get("hitPolicy") or HitPolicy.UNIQUE.value)
    aggregation = markup.get("aggregation")
    if policy is None or (aggregation and aggregation not in set(Aggregation)):
        words = "The table's hit policy is unknown."
        raise ModelRefused("hit_policy_unknown", markup.get("id") or "", line_of(markup), words)
    names = tuple(each.get("name") or "" for each in children(markup, "annotation"))
    inputs = tuple(_input(each) for each in children(markup, "input"))
    outputs = tuple(_output(each) for each in children(markup, "output"))
    rules = tuple(_rule(each, names) for each in children(markup, "rule"))
    for number, rule in enumerate(rules, 1):
        if len(rule.tests) != len(inputs) or len(rule.outputs) != len(outputs):
            words = f"Rule {number} has not one cell for each column of its table."
            raise ModelRefused("rule_shape", rule.id, rule.line, words)
    return TableBox(
        id=markup.get("id") or f"table-line-{line_of(markup)}",
        line=line_of(markup),
        hit_policy=policy,
        aggregation=Aggregation(aggregation) if aggregation else None,
        inputs=inputs,
        outputs=outputs,
        rules=rules,
    )


def _input(markup: Element) -> TableInput:
    expression = child(markup, "inputExpression")
    literal = _EMPTY if expression is None else _literal(expression)
    type_ref = None if expression is None else expression.get("typeRef")
    return TableInput(literal, type_ref, _tests(markup, "inputValues"))


def _output(markup: Element) -> TableOutput:
    default = child(markup, "defaultOutputEntry")
    return TableOutput(
        name=normalise(markup.get("name") or ""),
        type_ref=markup.get("typeRef"),
        allowed=_tests(markup, "outputValues"),
        default=None if default is None else _default(default),
    )


def _default(markup: Element) -> LiteralBox:
    inner = child(markup, "literalExpression")
    return _literal(markup if inner is None else inner)


def _tests(markup: Element, name: str) -> str | None:
    holder = child(markup, name)
    return None if holder is None else text_of(child(holder, "text")) or None


def _rule(markup: Element, names: tuple[str, ...]) -> Rule:
    texts = [text_of(child(each, "text")) for each in children(markup, "annotationEntry")]
    labels = [*names, *("" for _ in texts[len(names) :])]
    description = text_of(child(markup, "description"))
    annotations = [pair for pair in zip(labels, texts, strict=False) if pair[1]]
    if description:
        annotations.append(("description", description))
    return Rule(
        id=markup.get("id") or f"rule-line-{line_of(markup)}",
        line=line_of(markup),
        tests=tuple(text_of(child(each, "text")) for each in children(markup, "inputEntry")),
        outputs=tuple(_literal(each) for each in children(markup, "outputEntry")),
        annotations=tuple(annotations),
    )


_READERS: dict[str, Callable[[Element], Box]] = {
    "literalExpression": _literal,
    "context": _context,
    "invocation": _invocation,
    "list": _list,
    "relation": _relation,
    "functionDefinition": function_of,
    "conditional": _conditional,
    "for": _iteration,
    "some": _iteration,
    "every": _iteration,
    "filter": _filter,
    "decisionTable": _table,
}
