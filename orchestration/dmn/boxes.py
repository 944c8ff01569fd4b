"""Boxed expressions compiled to closures of a FEEL frame."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from orchestration.dmn import model as drawn
from orchestration.dmn.errors import Finding
from orchestration.dmn.tables import CompiledRule, CompiledTable
from orchestration.dmn.typing import Types
from orchestration.feel import FeelSyntaxError, tree
from orchestration.feel.collections_compiler import external_function, make_function
from orchestration.feel.compiler import Code, compile_node
from orchestration.feel.evaluation import Frame
from orchestration.feel.expression import expression_code, tests_code
from orchestration.feel.types import ANY, FeelType, coerce
from orchestration.feel.values import FeelValue


@dataclass(frozen=True, slots=True)
class BoxCompiler:
    """Compiles the boxes of one element, knowing the names and types in scope there.

    FEEL that cannot be parsed is noted in `findings` and yields null, so that one faulty decision
    does not take the others of its model with it.
    """

    owner: str
    names: frozenset[str]
    types: Types
    findings: list[Finding] = field(default_factory=list)

    def compile(self, box: drawn.Box) -> Code:
        """Turn a box into a function of a frame."""
        return _COMPILERS[type(box)](self, box)

    def with_names(self, names: Iterable[str]) -> "BoxCompiler":
        """Compile inside a scope that knows more names."""
        return replace(self, names=self.names | frozenset(names))

    def text(self, text: str, line: int) -> Code:
        """Turn FEEL text into a function of a frame."""
        try:
            return expression_code(text, self._known(), self.types.by_name)[1]
        except FeelSyntaxError as error:
            return self._unreadable(error, line)

    def tests(self, text: str, line: int) -> Code:
        """Turn unary tests into a function of a frame that knows `?`."""
        try:
            return tests_code(text, self._known(), self.types.by_name)[1]
        except FeelSyntaxError as error:
            return self._unreadable(error, line)

    def _known(self) -> frozenset[str]:
        return self.names | self.types.names

    def _unreadable(self, error: FeelSyntaxError, line: int) -> Code:
        self.findings.append(Finding("feel_error", self.owner, line, str(error)))
        reason = f"{self.owner}: {error}"

        def refuse(frame: Frame) -> FeelValue:
            frame.evaluation.null(reason)
            return None

        return refuse


def typed(code: Code, wanted: FeelType, owner: str) -> Code:
    """Convert a result to its declared type; one that does not conform becomes null."""
    if wanted == ANY:
        return code

    def convert(frame: Frame) -> FeelValue:
        value, fits = coerce(code(frame), wanted)
        if not fits:
            frame.evaluation.null(f"{owner}: the value is not of its declared type")
        return value

    return convert


def _literal(compiler: BoxCompiler, box: drawn.LiteralBox) -> Code:
    return compiler.text(box.text, box.line)


def _context(compiler: BoxCompiler, box: drawn.ContextBox) -> Code:
    entries: list[tuple[str | None, Code]] = []
    for variable, inner in box.entries:
        code = compiler.compile(inner)
        if variable is None:
            entries.append((None, code))
            continue
        wanted = compiler.types.resolve(variable.type_ref)
        entries.append((variable.name, typed(code, wanted, variable.name)))
        compiler = compiler.with_names({variable.name})

    def make(frame: Frame) -> FeelValue:
        values: dict[str, FeelValue] = {}
        inner = frame.inner(values)
        for name, code in entries:
            if name is None:
                return code(inner)
            values[name] = code(inner)
        return values

    return make


def _invocation(compiler: BoxCompiler, box: drawn.InvocationBox) -> Code:
    called = compiler.compile(box.called)
    bindings = tuple((name, compiler.compile(each)) for name, each in box.bindings)
    # The call itself is FEEL's own; only its parts come from the boxes.
    slots = {f"argument {at}": code for at, (_, code) in enumerate(bindings)}
    named = tuple((name, tree.Name(f"argument {at}")) for at, (name, _) in enumerate(bindings))
    call = compile_node(tree.Call(tree.Name("called function"), (), named))

    def invoke(frame: Frame) -> FeelValue:
        values = {slot: code(frame) for slot, code in slots.items()}
        return call(frame.inner({**values, "called function": called(frame)}))

    return invoke


def _list(compiler: BoxCompiler, box: drawn.ListBox) -> Code:
    items = tuple(compiler.compile(item) for item in box.items)
    return lambda frame: tuple(item(frame) for item in items)


def _relation(compiler: BoxCompiler, box: drawn.RelationBox) -> Code:
    rows = tuple(tuple(compiler.compile(cell) for cell in row) for row in box.rows)

    def make(frame: Frame) -> FeelValue:
        return tuple(
            {name: cell(frame) for name, cell in zip(box.columns, row, strict=False)}
            for row in rows
        )

    return make


def _function(compiler: BoxCompiler, box: drawn.FunctionBox) -> Code:
    names = [parameter.name for parameter in box.parameters]
    body = compiler.with_names(names).compile(box.body)
    types = parameter_types(box, compiler.types)
    owner = compiler.owner

    def make(frame: Frame) -> FeelValue:
        if not box.is_feel:
            return external_function(owner, types, body, frame)
        return make_function(owner, types, body, frame)

    return make


def parameter_types(box: drawn.FunctionBox, types: Types) -> Mapping[str, FeelType | None]:
    """Give the declared types of a function's parameters."""
    return {each.name: types.resolve(each.type_ref) for each in box.parameters}


def _conditional(compiler: BoxCompiler, box: drawn.ConditionalBox) -> Code:
    condition = compiler.compile(box.condition)
    consequence, alternative = compiler.compile(box.consequence), compiler.compile(box.alternative)

    def choose(frame: Frame) -> FeelValue:
        answer = condition(frame)
        if answer is not None and not isinstance(answer, bool):
            frame.evaluation.null("the condition of a boxed conditional is neither true nor false")
            return None
        return consequence(frame) if answer is True else alternative(frame)

    return choose


def _iteration(compiler: BoxCompiler, box: drawn.IterationBox) -> Code:
    source = compiler.compile(box.source)
    body = compiler.with_names({box.variable, "partial"}).compile(box.body)
    over = (tree.Iteration(box.variable, tree.Boxed(source)),)
    if box.kind is drawn.IterationKind.FOR:
        return compile_node(tree.For(over, tree.Boxed(body)))
    results = compile_node(tree.For(over, tree.Boxed(body)))
    return _quantified(results, decisive=box.kind is drawn.IterationKind.SOME)


def _quantified(results: Code, *, decisive: bool) -> Code:
    def answer(frame: Frame) -> FeelValue:
        answers = results(frame)
        if not isinstance(answers, tuple) or not all(
            each is None or isinstance(each, bool) for each in answers
        ):
            frame.evaluation.null("a boxed some or every has an answer that is no boolean")
            return None
        if decisive in answers:
            return decisive
        return None if None in answers else not decisive

    return answer


def _filter(compiler: BoxCompiler, box: drawn.FilterBox) -> Code:
    source = compiler.compile(box.source)
    condition = compiler.with_names({"item"}).compile(box.condition)
    return compile_node(tree.Filter(tree.Boxed(source), tree.Boxed(condition)))


def _table(compiler: BoxCompiler, box: drawn.TableBox) -> Code:
    inputs = tuple(
        typed(
            compiler.compile(column.expression),
            compiler.types.resolve(column.type_ref),
            compiler.owner,
        )
        for column in box.inputs
    )
    table = CompiledTable(
        owner=compiler.owner,
        table=box,
        inputs=inputs,
        allowed=tuple(
            None if column.allowed is None else compiler.tests(column.allowed, box.line)
            for column in box.inputs
        ),
        rules=tuple(_rule(compiler, rule, index) for index, rule in enumerate(box.rules, 1)),
        priorities=tuple(
            None if listed is None else compiler.text(f"[{listed}]", box.line)
            for listed in (
                each.allowed or compiler.types.listed(each.type_ref) for each in box.outputs
            )
        ),
        defaults=tuple(
            None if column.default is None else compiler.compile(column.default)
            for column in box.outputs
        ),
    )
    return table.run


def _rule(compiler: BoxCompiler, rule: drawn.Rule, index: int) -> CompiledRule:
    return CompiledRule(
        rule=rule,
        index=index,
        tests=tuple(
            (at, compiler.tests(text, rule.line))
            for at, text in enumerate(rule.tests)
            if text not in {"-", ""}
        ),
        outputs=tuple(compiler.compile(each) for each in rule.outputs),
    )


_COMPILERS: dict[type, Callable[..., Code]] = {
    drawn.LiteralBox: _literal,
    drawn.ContextBox: _context,
    drawn.InvocationBox: _invocation,
    drawn.ListBox: _list,
    drawn.RelationBox: _relation,
    drawn.FunctionBox: _function,
    drawn.ConditionalBox: _conditional,
    drawn.IterationBox: _iteration,
    drawn.FilterBox: _filter,
    drawn.TableBox: _table,
}
