"""A model ready to decide: its requirement graph walked on demand, every value computed once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from orchestration.dmn.analysis import analyse
from orchestration.dmn.boxes import BoxCompiler, parameter_types, typed
from orchestration.dmn.errors import Finding, ModelRefused, Severity
from orchestration.dmn.model import Decision, Element, InputData, Knowledge, Model, Service
from orchestration.dmn.reading import read
from orchestration.dmn.result import DecisionResult, DecisionUnknown, MatchedRule
from orchestration.dmn.table_walk import entry_names
from orchestration.dmn.typing import Types
from orchestration.feel import Limits, to_feel
from orchestration.feel.collections_compiler import external_function, make_function
from orchestration.feel.compiler import Code
from orchestration.feel.evaluation import Evaluation, Frame
from orchestration.feel.expression import within_limits
from orchestration.feel.types import FeelType, FunctionOf, coerce
from orchestration.feel.values import FeelValue

_DEFAULT_LIMITS = Limits()


@dataclass(slots=True)
class _Session:
    """One evaluation of a model: what was given, and what was computed so far."""

    evaluation: Evaluation
    inputs: Mapping[str, FeelValue]
    known: dict[str, FeelValue] = field(default_factory=dict)
    read: dict[str, FeelValue] = field(default_factory=dict)
    open_keys: set[str] = field(default_factory=set)


class Definitions:
    """The decisions, knowledge and services of one model, with those it imports.

    Immutable after construction; it may be shared between threads.
    """

    def __init__(self, model: Model, imported: Mapping[str, "Definitions"]) -> None:
        self.model = model
        self._imported = {
            local: imported[namespace]
            for local, namespace in model.imports.items()
            if namespace in imported
        }
        self._types = Types(model, {local: each.types for local, each in self._imported.items()})
        self._by_namespace = {each.model.namespace: each for each in self._imported.values()}
        self._kinds = {element.id: self._given_by(element) for element in model.elements.values()}
        self._entries = entry_names(model).union(*(e.entries for e in self._imported.values()))
        self._findings: list[Finding] = []
        self._codes = {
            element.id: self._compile(element)
            for element in model.elements.values()
            if isinstance(element, Decision | Knowledge)
        }
        self._findings += self._unknown(imported)

    def _unknown(self, imported: Mapping[str, "Definitions"]) -> Iterator[Finding]:
        """List the models that are imported and the elements that are needed, but not here."""
        for local, namespace in self.model.imports.items():
            if namespace not in imported:
                line = self.model.import_lines.get(local, 0)
                words = f"No model here has the namespace {namespace!r}, which this one imports."
                yield Finding("import_unknown", local or namespace, line, words)
        for element in self.model.elements.values():
            for reference in _references_of(element):
                if self._element(reference)[1] is None:
                    words = f"{element.name!r} needs {reference!r}, which no model here has."
                    yield Finding("import_unknown", element.id, element.line, words)

    @property
    def types(self) -> Types:
        """The types the model declares."""
        return self._types

    @property
    def entries(self) -> frozenset[str]:
        """The names of several words that its boxes give to entries."""
        return self._entries

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What in the model cannot be run; empty for a model fit to be published."""
        return tuple(self._findings)

    @property
    def decisions(self) -> tuple[str, ...]:
        """The names of the decisions, in drawing order."""
        return tuple(
            each.name for each in self.model.elements.values() if isinstance(each, Decision)
        )

    def has(self, decision: str) -> bool:
        """Tell whether it has a decision or a decision service of this name or id."""
        return self._named(decision) is not None

    def evaluate(
        self,
        *,
        decision: str,
        inputs: Mapping[str, FeelValue],
        at: datetime | None = None,
        limits: Limits = _DEFAULT_LIMITS,
    ) -> DecisionResult:
        """Make a decision, or run a decision service, by name or id.

        `inputs` are the input data by name. What cannot be computed is null, with its reasons.

        Raises:
            DecisionUnknown: the model has neither of this name.
        """
        element = self._find(decision)
        evaluation = Evaluation(limits, at)
        given = {name: to_feel(value) for name, value in inputs.items()}
        session = _Session(evaluation, given)
        value = within_limits(evaluation, lambda: self._outcome(element, session))
        rules = tuple(each for each in evaluation.trace if isinstance(each, MatchedRule))
        return DecisionResult(
            decision=element.name,
            outputs=value,
            matched_rules=rules,
            inputs=session.read,
            reasons=tuple(evaluation.reasons),
            cost=evaluation.cost,
        )

    def _find(self, wanted: str) -> Decision | Service:
        found = self._named(wanted)
        if found is None:
            raise DecisionUnknown(wanted)
        return found

    def _named(self, wanted: str) -> Decision | Service | None:
        for element in self.model.elements.values():
            if isinstance(element, Decision | Service) and wanted in {element.id, element.name}:
                return element
        return None

    def _outcome(self, element: Decision | Service, session: _Session) -> FeelValue:
        if isinstance(element, Decision):
            return self._value(element, session)
        references = (*element.input_data, *element.input_decisions)
        for reference in references:
            owner, required = self._element(reference)
            if required is not None:
                owner.override(required, session)
        return self._service_value(element, session)

    def override(self, element: Element, session: _Session) -> None:
        """Take the value of an input decision or input data from what was given."""
        value = session.inputs.get(element.variable.name)
        session.known[self._key(element)] = self._converted(element, value, session)

    # Values of the requirement graph.

    def _key(self, element: Element) -> str:
        return f"{self.model.namespace}#{element.id}"

    def _element(self, reference: str) -> tuple["Definitions", Element | None]:
        namespace, _, identity = reference.rpartition("#")
        owner = self if namespace == self.model.namespace else self._by_namespace.get(namespace)
        if owner is None:
            return self, None
        return owner, owner.model.elements.get(identity)

    def _value(self, element: Element, session: _Session) -> FeelValue:
        key = self._key(element)
        if key in session.known:
            return session.known[key]
        if key in session.open_keys:
            session.evaluation.null(f"{element.name} depends on itself")
            return None
        session.open_keys.add(key)
        value = self._computed(element, session)
        session.open_keys.discard(key)
        session.known[key] = value
        return value

    def _computed(self, element: Element, session: _Session) -> FeelValue:
        match element:
            case InputData():
                return self._input(element, session)
            case Decision():
                frame = self._frame((*element.requires, *element.knowledge), session)
                return self._codes[element.id](frame)
            case Knowledge():
                frame = self._frame(element.knowledge, session)
                return self._function(element, frame)
            case Service():
                return self._service_function(element)

    def _input(self, element: InputData, session: _Session) -> FeelValue:
        name = element.variable.name
        if name not in session.inputs:
            session.evaluation.null(f"the input {name!r} is missing")
        value = self._converted(element, session.inputs.get(name), session)
        session.read[name] = value
        return value

    def _converted(self, element: Element, value: FeelValue, session: _Session) -> FeelValue:
        converted, fits = coerce(value, self._kinds[element.id])
        if not fits:
            session.evaluation.null(f"{element.name}: the value is not of its declared type")
        return converted

    def _frame(self, references: tuple[str, ...], session: _Session) -> Frame:
        values: dict[str, FeelValue] = {}
        for reference in references:
            owner, element = self._element(reference)
            if element is None:
                session.evaluation.null(f"the model requires {reference!r}, which it lacks")
                continue
            value = owner._value(element, session)
            self._place(values, owner, element.variable.name, value)
        return Frame(values, session.evaluation)

    def _place(
        self, values: dict[str, FeelValue], owner: "Definitions", name: str, value: FeelValue
    ) -> None:
        local = next((name for name, each in self._imported.items() if each is owner), "")
        if not local:
            # An own element, or one of a model imported without a name.
            values[name] = value
            return
        inner = values.get(local)
        values[local] = {**(inner if isinstance(inner, Mapping) else {}), name: value}

    def _function(self, element: Knowledge, frame: Frame) -> FeelValue:
        function = element.function
        if function is None:
            frame.evaluation.null(f"{element.name} holds no function")
            return None
        if not function.is_feel:
            return external_function(
                element.name,
                parameter_types(function, self._types),
                self._codes[element.id],
                frame,
                self._kinds[element.id],
            )
        # A knowledge model may call itself, so it stands in its own scope.
        values = dict(frame.values)
        types = parameter_types(function, self._types)
        made = make_function(
            element.name,
            types,
            self._codes[element.id],
            Frame(values, frame.evaluation),
            None if element.variable.type_ref is None else self._kinds[element.id],
        )
        values[element.variable.name] = made
        return made

    # Decision services.

    def _service_value(self, service: Service, session: _Session) -> FeelValue:
        results: dict[str, FeelValue] = {}
        for reference in service.outputs:
            owner, element = self._element(reference)
            if element is not None:
                results[element.variable.name] = owner._value(element, session)
        value = next(iter(results.values())) if len(results) == 1 else results
        return self._converted(service, value, session)

    def _service_function(self, service: Service) -> FeelValue:
        parameters = [
            (owner, element)
            for owner, element in map(
                self._element, (*service.input_data, *service.input_decisions)
            )
            if element is not None
        ]
        types = {
            element.variable.name: owner.types.resolve(element.variable.type_ref)
            for owner, element in parameters
        }

        def run(frame: Frame) -> FeelValue:
            session = _Session(frame.evaluation, frame.values)
            for owner, element in parameters:
                owner.override(element, session)
            return self._service_value(service, session)

        return make_function(service.name, types, run, Frame({}, Evaluation(_DEFAULT_LIMITS)))

    # Compiling.

    def _compile(self, element: Decision | Knowledge) -> Code:
        names = {element.variable.name} if isinstance(element, Knowledge) else set()
        references = (
            element.knowledge
            if isinstance(element, Knowledge)
            else (*element.requires, *element.knowledge)
        )
        names |= self._names_of(references) | self._entries
        compiler = BoxCompiler(element.name, frozenset(names), self._types, self._findings)
        if isinstance(element, Decision):
            result = self._types.resolve(element.variable.type_ref)
            return typed(self._decision_code(element, compiler), result, element.name)
        if element.function is None:
            return self._nothing(element)
        parameters = [each.name for each in element.function.parameters]
        body = compiler.with_names(parameters).compile(element.function.body)
        # What an external function holds is not its result but where to find it.
        is_feel = element.function.is_feel
        return typed(body, self._kinds[element.id], element.name) if is_feel else body

    def _given_by(self, element: Element) -> FeelType:
        """Give the type of what an element gives; of what is called, that of its result."""
        declared = self._types.resolve(element.variable.type_ref)
        # What is called declares the type of the function, or simply that of its result.
        is_called = isinstance(element, Knowledge | Service)
        return declared.result if is_called and isinstance(declared, FunctionOf) else declared

    def _decision_code(self, element: Decision, compiler: BoxCompiler) -> Code:
        return self._nothing(element) if element.box is None else compiler.compile(element.box)

    def _nothing(self, element: Decision | Knowledge) -> Code:
        words = "It holds no logic."
        self._findings.append(Finding("logic_missing", element.id, element.line, words))

        def refuse(frame: Frame) -> FeelValue:
            frame.evaluation.null(f"{element.name} holds no logic")
            return None

        return refuse

    def _names_of(self, references: tuple[str, ...]) -> set[str]:
        names: set[str] = set(self._imported)
        for reference in references:
            _, element = self._element(reference)
            if element is not None:
                names.add(element.variable.name)
        return names


def _references_of(element: Element) -> tuple[str, ...]:
    match element:
        case Decision():
            return (*element.requires, *element.knowledge)
        case Knowledge():
            return element.knowledge
        case Service():
            return (*element.outputs, *element.input_decisions, *element.input_data)
        case InputData():
            return ()


def parse(xml: bytes, *, imported: Mapping[str, Definitions] | None = None) -> Definitions:
    """Read a model and make it ready to decide; `imported` maps namespaces to models.

    FEEL that cannot be parsed does not refuse the model: see `Definitions.findings`.

    Raises:
        ModelRefused: the file is too large, is no safe XML, or is no DMN.
    """
    return Definitions(read(xml), imported or {})


def publishable(definitions: Definitions) -> Definitions:
    """Give the model back when everything in it can be run and no table contradicts itself.

    Raises:
        ModelRefused: something cannot, or one does; `findings` lists all of it.
    """
    contradictions = (
        Finding(found.code, found.element, found.line, found.words)
        for found in analyse(definitions.model)
        if found.severity is Severity.ERROR
    )
    findings = (*definitions.findings, *contradictions)
    if findings:
        first = findings[0]
        raise ModelRefused(first.code, first.element, first.line, first.words, findings)
    return definitions
