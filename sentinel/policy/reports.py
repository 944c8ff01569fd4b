"""What the publish gate found out about a bundle, as one report that people agree to. Pure.

Its digest is signed for by whoever publishes the bundle and stands in the log: nobody can say
later that they were shown something else.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sentinel.policy.bundles import Bundle
from sentinel.policy.proving import WIDENED, Answer, Counterexample
from sentinel.policy.trials import Trial
from sentinel.signing.canonical import canonical_json, digest

_PLAIN = frozenset({"approved_roles", "entity", "human_only", "purpose", "risk"})


@dataclass(frozen=True, slots=True)
class GateReport:
    """The report in its canonical text, and the digest that names it."""

    text: str
    digest: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What was tried, proved and simulated about a bundle."""

    trial: Trial
    widened: Answer
    kept: Answer
    simulated: Mapping[str, object] | None


def gate_report(
    bundle: Bundle, replaced: Bundle | None, *, beside: str, findings: Findings
) -> GateReport:
    """Return the report on a bundle that would replace another, `beside` the rest of the rules."""
    plain = {
        "area": bundle.content.area,
        "beside": beside,
        "bundle": bundle.digest,
        "cases": {
            "failures": list(findings.trial.failures),
            "forbids_untried": list(findings.trial.forbids_untried),
            "permits_untried": list(findings.trial.permits_untried),
            "tried": len(findings.trial.results),
        },
        "difference": list(_difference(replaced, bundle)),
        "replaces": replaced.digest if replaced else "",
        "settings": list(_settings(replaced, bundle)),
        "simulation": dict(findings.simulated) if findings.simulated else None,
        **answers_plain(findings.widened, findings.kept),
    }
    return GateReport(canonical_json(plain).decode(), digest("gate-report", plain).hex())


def answers_plain(widened: Answer, kept: Answer) -> dict[str, object]:
    """Return what was proved as a report says it."""
    return {"invariants": _answer(kept), "widening": _answer(widened)}


def in_words(example: Counterexample) -> str:
    """Return a counterexample as a sentence: who could do what, on which conditions."""
    roles = ", ".join(role for role in example.roles if role != example.principal_kind)
    who = f"the system mandate {example.mandate}" if example.mandate else example.principal_kind
    whom = f"{who} with {roles}" if roles else who
    given = "; ".join(f"{name} is {_word(value)}" for name, value in _telling(example))
    before = ", ".join(example.before) or "no rule permitted it"
    now = f"could do {example.action} on a {example.resource.partition(':')[0]}"
    because = f"permitted by {', '.join(example.after)}"
    so_far = f"so far: {before}" if example.question == WIDENED else f"against {example.question}"
    return f"{whom} {now}{' when ' + given if given else ''} ({because}; {so_far})"


def _telling(example: Counterexample) -> Iterator[tuple[str, object]]:
    """Yield what a request has that is out of the ordinary."""
    for name, value in example.context.items():
        is_source = name.startswith("source_") and value == "system"
        if value in (False, 0, "", []) and value is not False:
            continue
        if not is_source and name not in _PLAIN and value is not False:
            yield name, value
    roles = example.context.get("approved_roles")
    if roles:
        yield "approved_roles", roles


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _answer(answer: Answer) -> dict[str, object]:
    return {
        "asked": answer.asked,
        "found": [
            {
                "action": each.action,
                "after": list(each.after),
                "before": list(each.before),
                "context": dict(each.context),
                "mandate": each.mandate,
                "principal": each.principal_kind,
                "question": each.question,
                "resource": each.resource,
                "roles": list(each.roles),
                "words": in_words(each),
            }
            for each in answer.found
        ],
        "unanswered": [
            {"action": each.action, "because": each.because, "question": each.question}
            for each in answer.unanswered
        ],
        "verdict": answer.verdict,
    }


def _difference(old: Bundle | None, new: Bundle) -> Iterator[str]:
    before = old.content.cedar.splitlines() if old else []
    yield from difflib.unified_diff(
        before, new.content.cedar.splitlines(), "in force", "proposed", lineterm=""
    )


def _settings(old: Bundle | None, new: Bundle) -> Iterator[str]:
    """Yield what changes beside the policies; the symbolic answer does not speak of all of it."""
    if old is None:
        return
    before, after = _said(old), _said(new)
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield f"{name}: {before.get(name, 'absent')} > {after.get(name, 'absent')}"


def _said(bundle: Bundle) -> dict[str, str]:
    content = bundle.content
    registry = content.registry
    said = {
        "actions": _names(content.actions),
        "invariants": _names([policy.id for policy in bundle.invariants]),
        "mandates": _names(registry.mandates),
        "purposes": _names(registry.purposes),
        "roles": _names(registry.roles),
        "shadow": f"{content.gate.shadow_hours} h, {content.gate.shadow_decisions} decisions",
        "cases": str(len(content.tests.cases)),
    }
    facts = {
        f"fact {name}": f"{kind.type}, {kind.max_age_seconds} s"
        for name, kind in content.facts.items()
    }
    required = {f"{kind} requires": _names(names) for kind, names in content.required.items()}
    marks = {
        f"{policy.id} @{name}": policy.annotations[name]
        for policy in bundle.policies
        for name in ("needs", "role", "remedy", "obliges")
        if name in policy.annotations
    }
    return said | facts | required | marks


def _names(names: Sequence[str] | frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "none"
