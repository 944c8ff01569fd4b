"""What a bench says, for programs as JSON and for people with a bar against the goal."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import connection

BAR_WIDTH = 30


@dataclass(frozen=True, slots=True)
class Goal:
    """What a ratio should reach; `is_ceiling` when smaller is better."""

    value: float
    is_ceiling: bool = False

    def is_met(self, measured: float) -> bool:
        """Return whether a measured ratio is as good as the goal."""
        return measured <= self.value if self.is_ceiling else measured >= self.value


@dataclass(frozen=True, slots=True)
class Report:
    """One bench's result: ratios first, then figures, then the limits they are held against."""

    bench: str
    ratios: Mapping[str, float]
    figures: Mapping[str, float]
    limits: Mapping[str, float]
    seconds: float
    goals: Mapping[str, Goal] = field(default_factory=dict)

    def as_json(self) -> str:
        """Return the one JSON object that other programs read."""
        return json.dumps(
            {
                "bench": self.bench,
                "ratios": _rounded(self.ratios),
                "figures": _rounded(self.figures),
                "limits": _rounded(self.limits),
                "machine": machine(),
                "seconds": round(self.seconds, 1),
            }
        )

    def as_text(self) -> str:
        """Return the lines people read."""
        lines = [f"{self.bench}  ({self.seconds:.1f} s, {machine()['postgres']})", ""]
        for name, value in self.ratios.items():
            lines.append(f"  {name:<28} {value:>9.3f}  {_bar(value, self.goals.get(name))}")
        for title, numbers in (("figures", self.figures), ("limits", self.limits)):
            lines += ["", f"  {title}"]
            lines += [f"    {name:<26} {value:>12,.2f}" for name, value in numbers.items()]
        return "\n".join(lines)


def machine() -> dict[str, object]:
    """Return what the figures were measured on."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (version,) = cursor.fetchone()
    kind = "server" if os.environ.get("DATABASE_URL") else "embedded"
    return {"cores": os.cpu_count() or 1, "postgres": f"{version.split()[0]} {kind}"}


def _bar(value: float, goal: Goal | None) -> str:
    if goal is None:
        return ""
    share = min(1.0, goal.value / value if goal.is_ceiling and value else value / goal.value)
    filled = round(share * BAR_WIDTH)
    sign = "<=" if goal.is_ceiling else ">="
    word = "met" if goal.is_met(value) else "not met"
    return f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] goal {sign} {goal.value} {word}"


def _rounded(numbers: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in numbers.items()}
