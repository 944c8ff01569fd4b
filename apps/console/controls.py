"""The control matrix: which control is carried out where, tested by what, and what is missing."""

import tomllib
from collections import Counter
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from pydantic import BaseModel, ConfigDict

from apps.console.guard import compliance_only

FILE = Path(__file__).with_name("controls.toml")


class Control(BaseModel):
    """One control: what is done, by which code and tests; `uncovered` stays the bank's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    framework: str
    article: str
    control: str
    code: tuple[str, ...]
    tests: tuple[str, ...]
    uncovered: str

    @property
    def is_covered(self) -> bool:
        """Whether anything of it is done here at all."""
        return bool(self.code)

    @property
    def test_names(self) -> tuple[str, ...]:
        """The tests as sentences."""
        names = (each.partition("::")[2] for each in self.tests)
        return tuple(name.removeprefix("test_").replace("_", " ") for name in names)


def controls() -> tuple[Control, ...]:
    """Return every control, in the order of the file."""
    rows = tomllib.loads(FILE.read_text(encoding="utf-8"))["control"]
    return tuple(Control.model_validate(row) for row in rows)


@require_GET
@compliance_only
def index(request: HttpRequest) -> HttpResponse:
    """Show the matrix, of one framework or of all."""
    everything = controls()
    counted = dict(Counter(each.framework for each in everything))
    framework = request.GET.get("framework", "")
    context = {
        "frameworks": counted,
        "framework": framework if framework in counted else "",
        "rows": [
            each for each in everything if framework not in counted or each.framework == framework
        ],
    }
    return render(request, "console/controls.html", context)
