"""Whether a single activity or gateway says everything it must to be run."""

import re
from collections.abc import Callable, Iterator

from orchestration.bpmn.durations import is_period, parse_iso_duration
from orchestration.bpmn.elements import number_of
from orchestration.bpmn.errors import Finding
from orchestration.bpmn.expressions import expression_of
from orchestration.bpmn.faults import fault
from orchestration.bpmn.model import ACTIVITIES, Kind, Node, Process

_CALL = re.compile(r"(action|read|model|agent):[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_BINDING = re.compile(r"latest|start|[1-9][0-9]{0,8}")
_ERROR_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,99}")
_ATTEMPTS_MAX = 20
_LOOPS_MAX = 1000
# Of human tasks: as they come, before the others, before everything.
PRIORITIES = ("0", "1", "2")
DEADLINE_WORDS = "within is an ISO 8601 duration of more than nothing, such as PT30S."


def check_node(process: Process, node: Node) -> Iterator[Finding]:
    """List what is wrong with one node."""
    for rule in _RULES:
        words = rule(process, node)
        if words is not None:
            yield fault(rule.__name__.lstrip("_"), node.id, node.line, words)
    if node.kind in ACTIVITIES and not node.name:
        words = "The activity has no name, so nobody can be told what it does."
        yield fault("name_missing", node.id, node.line, words)


def _element_unsupported(process: Process, node: Node) -> str | None:
    del process
    return f"{node.tag} can be drawn but not run." if node.kind is Kind.UNSUPPORTED else None


def _call_missing(process: Process, node: Node) -> str | None:
    del process
    if node.kind is not Kind.SERVICE and not (node.kind is Kind.SEND and node.work.call):
        return None
    if _CALL.fullmatch(node.work.call or ""):
        return None
    return "A service task names what it calls: action:…, read:…, model:… or agent:…"


def _decision_missing(process: Process, node: Node) -> str | None:
    del process
    file, separator, name = (node.work.decision or "").partition("#")
    if node.kind is not Kind.RULE or (file and separator and name):
        return None
    return "A business rule task names its decision as file.dmn#decision."


def _script_missing(process: Process, node: Node) -> str | None:
    del process
    if node.kind is Kind.SCRIPT and not node.work.script:
        return "A script task holds a FEEL expression."
    return None


def _language_unsupported(process: Process, node: Node) -> str | None:
    del process
    return other_language(node.work.language if node.kind is Kind.SCRIPT else None)


def other_language(language: str | None) -> str | None:
    """Say that a language is none that is run; nothing where it is FEEL or not named."""
    if not language or is_feel(language):
        return None
    return f"Only FEEL is run here, and this is written in {language!r}."


def is_feel(language: str) -> bool:
    """Tell whether the name of a language, or its address in DMN, is that of FEEL."""
    return language.strip().lower() == "feel" or language.strip().rstrip("/").endswith("/FEEL")


def _called_process_missing(process: Process, node: Node) -> str | None:
    del process
    if node.kind is Kind.CALL and not node.work.called:
        return "A call activity names the process it calls."
    return None


def _binding_invalid(process: Process, node: Node) -> str | None:
    del process
    binding = node.work.binding
    if binding is None or _BINDING.fullmatch(binding):
        return None
    return "A call is bound to the version latest, start, or a number."


def _retry_invalid(process: Process, node: Node) -> str | None:
    del process
    work = node.work
    if work.attempts is not None and not 1 <= work.attempts <= _ATTEMPTS_MAX:
        return f"attempts is a number from 1 to {_ATTEMPTS_MAX}."
    if work.jitter is not None and not 0 <= work.jitter <= 100:
        return "jitter is a number from 0 to 100."
    for text in (work.backoff, work.limit):
        if text is not None and parse_iso_duration(text) is None:
            return "backoff and limit are ISO 8601 durations such as PT5S."
    return _fallback_invalid(node)


def _fallback_invalid(node: Node) -> str | None:
    fallback = node.work.fallback
    if fallback is None:
        return None
    if node.work.call is None or node.is_for_compensation:
        return "A fallback stands at what calls a service, and not at what undoes something."
    if not _ERROR_CODE.fullmatch(fallback):
        return "fallback is the code of an error, such as not_reached."
    return None


def _service_level_invalid(process: Process, node: Node) -> str | None:
    del process
    for text in (node.work.due, node.work.warn):
        if text is not None and expression_of(text) is None and parse_iso_duration(text) is None:
            return "due and warn are ISO 8601 durations such as PT4H."
    return None


def _schema_misplaced(process: Process, node: Node) -> str | None:
    del process
    if node.work.schema is not None and not node.work.call:
        return "A schema is of what a called step answers, and this calls none."
    return None


def _apart_invalid(process: Process, node: Node) -> str | None:
    del process
    if node.work.apart is None:
        return None
    if node.work.apart not in {"true", "false"}:
        return "apart is true or false."
    if (node.work.call or "").partition(":")[0] not in {"read", "model"}:
        return "Only what reads or asks a model is done apart; what acts is done in its own order."
    return None


def _priority_invalid(process: Process, node: Node) -> str | None:
    del process
    text = node.work.priority
    if text is None or expression_of(text) is not None or text in PRIORITIES:
        return None
    return "priority is 0, 1 or 2, or an expression for it."


def _deadline_invalid(process: Process, node: Node) -> str | None:
    del process
    text = node.work.deadline
    if text is None:
        return None
    if (node.work.call is None and node.kind is not Kind.CALL) or node.is_for_compensation:
        return "A deadline stands at what calls a service or a process, or at the process."
    return None if expression_of(text) or is_period(text) else DEADLINE_WORDS


def _loop_invalid(process: Process, node: Node) -> str | None:
    del process
    if node.loop is not None and node.repeat is not None:
        return "An activity is repeated for items or by a condition, not both."
    if node.loop is not None and not (node.loop.collection or node.loop.cardinality):
        return "A multi-instance activity names a collection or a number."
    if node.repeat is None:
        return None
    maximum = number_of(node.repeat.maximum, otherwise=0)
    if maximum is not None and not 1 <= maximum <= _LOOPS_MAX:
        return f"loopMaximum is a number from 1 to {_LOOPS_MAX}."
    if maximum is None and node.repeat.condition is None:
        return "A loop says how often, or while which condition, it goes on."
    return None


def _activation_missing(process: Process, node: Node) -> str | None:
    del process
    if node.kind is Kind.COMPLEX and len(node.incoming) > 1 and node.activation is None:
        return "A complex gateway says when it opens: its activationCondition."
    return None


_RULES: tuple[Callable[[Process, Node], str | None], ...] = (
    _element_unsupported,
    _call_missing,
    _decision_missing,
    _script_missing,
    _language_unsupported,
    _called_process_missing,
    _binding_invalid,
    _retry_invalid,
    _service_level_invalid,
    _schema_misplaced,
    _apart_invalid,
    _priority_invalid,
    _deadline_invalid,
    _loop_invalid,
    _activation_missing,
)
