"""The gate's report, arranged for reading: lines of a difference, counts with bars. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

VERDICTS = {
    "permit": "permitted",
    "deny": "denied",
    "needs_approval": "approval needed",
    "needs_step_up": "second factor needed",
}
BY = (
    ("actor", "By actor"),
    ("action", "By action"),
    ("amount", "By amount"),
    ("segment", "By segment"),
    ("rule", "By the rule that would decide"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a difference."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Count:
    """How often something would come out otherwise; `share` is of the largest, in per cent."""

    name: str
    was: str
    would: str
    count: int
    share: int


def difference_lines(difference: Sequence[str]) -> Iterator[Line]:
    """Yield the lines of a unified difference, without its two file names."""
    for line in difference:
        if line.startswith(("---", "+++")):
            continue
        kind = {"+": "added", "-": "removed", "@": "place"}.get(line[:1], "same")
        yield Line(kind, line if kind == "place" else line[1:])


def shown_report(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return a gate's report as its page shows it."""
    simulation = report.get("simulation")
    return {
        "cases": report["cases"],
        "settings": report["settings"],
        "replaces": report["replaces"],
        "beside": report["beside"].split(),
        "widening": _proved(report["widening"]),
        "invariants": _proved(report["invariants"]),
        "simulation": shown_simulation(simulation) if simulation else None,
    }


def shown_simulation(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return a simulation's counts as tables with bars."""
    flips = [(name, "", count) for name, count in plain["flips"].items()]
    return {
        "replayed": plain["replayed"],
        "untouched": plain.get("untouched", 0),
        "flipped": sum(plain["flips"].values()),
        "already": plain["already"],
        "since": plain["since"],
        "until": plain["until"],
        "decisions_max": plain.get("decisions_max"),
        "left_out": plain["left_out"],
        "flips": _counts([(name.partition(": ")[0], name, n) for name, _, n in flips], whole=True),
        "by": [
            (words, _counts([(name, name, n) for name, n in plain["by"][key].items()]))
            for key, words in BY
            if plain["by"].get(key)
        ],
        "money": [_money(name, minor) for name, minor in plain["money"].items()],
        "load": [(name, *both) for name, both in plain["load"].items()],
        "examples": [
            {**each, "was": VERDICTS[each["was"]], "would": VERDICTS[each["would"]]}
            for each in plain["examples"][:20]
        ],
    }


def _counts(found: Sequence[tuple[str, str, int]], *, whole: bool = False) -> list[Count]:
    largest = max((count for _, _, count in found), default=1)
    rows = []
    for _, full, count in found:
        name, _, flip = ("", "", full) if whole else full.rpartition(": ")
        was, _, would = flip.partition(" > ")
        share = max(1, round(count / largest * 100))
        rows.append(Count(name, VERDICTS.get(was, was), VERDICTS.get(would, would), count, share))
    return sorted(rows, key=lambda each: -each.count)


def _money(name: str, minor_units: int) -> dict[str, object]:
    words, _, currency = name.rpartition(", ")
    return {"words": words, "amount": {"minor_units": minor_units, "currency": currency}}


def _proved(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was proved; a context's ordinary values are left out of a counterexample."""
    return {
        **answer,
        "found": [
            {
                **each,
                "given": [
                    (name, ", ".join(value) if isinstance(value, list) else value)
                    for name, value in sorted(each["context"].items())
                    if value not in ("", 0, []) and not (value is False or value == "system")
                ],
            }
            for each in answer["found"]
        ],
    }
