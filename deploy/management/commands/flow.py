"""`manage.py flow`: drawings looked through and tried out, by scenarios or from a run on."""

import argparse
import sys
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from typing_extensions import override

from deploy.management import signing_in
from deploy.stepping import Stepper
from orchestration.public import (
    DrawingRefused,
    FlowReadersOnly,
    Fork,
    ForkOrigin,
    InstanceUnknown,
    ModelRefused,
    NotForYourRole,
    OperationsOnly,
    ScenarioRefused,
    ScenarioReport,
    ScenarioResult,
    ScenarioSource,
    TryRefused,
    TryScript,
    TryView,
    flow_findings,
    fork_run,
    run_scenarios,
    scenario_sources,
    stories_of,
    try_scenario,
)
from sentinel.public import legal_entity

_TEST = """\
Run the scenarios of drawings: what is given, what the world answers, and what must come of it. The
engine and the rules are those that run the bank; nothing is started, written or sent, and no
database is needed.

  manage.py flow test                                   every journey
  manage.py flow test apps/journeys/payments            those of a folder
  manage.py flow test my.scenario.json --trace          one file, told step by step

Drawing and rules beside a scenario file are tried out in place of the journey's own.
Exit code 1: a scenario did not come out as expected, or a file cannot be run.
"""
_CHECK = """\
Look drawings and rules through as publishing does; nothing is published, and no database is needed.

  manage.py flow check                                   every journey
  manage.py flow check apps/journeys/payments            those of a folder
  manage.py flow check my.bpmn rules.dmn                 single files

Each fault is told as file:line: element: words (code), doubts with the word "warning" in front.
Exit code 1: publishing would refuse one of them.
"""
_STEP = """\
Walk through a drawing by hand, from the data of a scenario.

  manage.py flow step apps/journeys/cards/block_card.scenario.json
  printf 'wait\\nvariables receipt\\nend\\n' | manage.py flow step FILE

Type `help` there for what can be done. With commands from a pipe the exit code is 1 when one of
them cannot be done.
"""
_FORK = """\
Walk on by hand from a run of this bank as it stood after one of its events, in a sandbox: the run
is only read, no effect happens, and services, people and called processes are answered here.

  manage.py flow fork RUN --entity ENTITY --as NAME             from where it stands now
  manage.py flow fork RUN --at 7 --entity ENTITY --as NAME      as it stood after event 7

Only for those who may try flows out and may read its case; that they looked is on record. With
--scenario the answers of that scenario stand in for everybody who is asked.
"""


class Command(BaseCommand):
    help = "Look flows through, run their scenarios, or walk through one step by step."
    requires_system_checks = ()
    requires_migrations_checks = False

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        raw = argparse.RawDescriptionHelpFormatter
        test = actions.add_parser(
            "test", help="run scenarios", description=_TEST, formatter_class=raw
        )
        test.add_argument(
            "paths", nargs="*", type=Path, help="scenario files, drawings or folders; all if none"
        )
        test.add_argument("--trace", action="store_true", help="tell what happened, step by step")
        test.add_argument(
            "--missed", action="store_true", help="name the elements and flows no scenario saw"
        )
        check = actions.add_parser(
            "check", help="look for faults", description=_CHECK, formatter_class=raw
        )
        check.add_argument(
            "paths", nargs="*", type=Path, help="drawings, rule files or folders; all if none"
        )
        step = actions.add_parser(
            "step", help="walk through by hand", description=_STEP, formatter_class=raw
        )
        step.add_argument("file", type=Path, help="a scenario file, or a drawing with one beside")
        step.add_argument("--scenario", default="", help="its name; the first one if left out")
        fork = actions.add_parser(
            "fork", help="walk on from a run", description=_FORK, formatter_class=raw
        )
        fork.add_argument("run", type=UUID, help="the id of the run")
        fork.add_argument("--at", type=int, help="the number of an event; the last if left out")
        fork.add_argument("--scenario", default="", help="one that answers; nobody if left out")
        signing_in.add_person(fork)

    @override
    def handle(self, *, action: str, **options: object) -> None:
        if action == "fork":
            self._fork(options)
            return
        paths = options.get("paths") or [options["file"]] if action == "step" else options["paths"]
        assert isinstance(paths, list)
        if action == "check":
            self._check(paths)
            return
        try:
            sources = scenario_sources(paths=paths)
        except ScenarioRefused as refused:
            raise CommandError(_faults(refused)) from refused
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}.") from error
        if action == "step":
            self._step(sources[0], str(options["scenario"]))
        else:
            self._test(sources, is_traced=bool(options["trace"]), names=bool(options["missed"]))

    def _check(self, paths: Sequence[Path]) -> None:
        try:
            found = flow_findings(paths=paths)
        except FileNotFoundError as error:
            raise CommandError(f"{error}: no such file") from error
        for each in found:
            doubt = "" if each.severity == "error" else f"{each.severity}: "
            place = f"{each.element}: " if each.element else ""
            self.stdout.write(f"{each.file}:{each.line}: {doubt}{place}{each.words} ({each.code})")
        errors = sum(each.severity == "error" for each in found)
        words = f"{errors} errors, {len(found) - errors} warnings."
        if errors:
            self.stdout.write(self.style.ERROR(words))
            sys.exit(1)
        self.stdout.write(self.style.SUCCESS(words))

    def _step(self, source: ScenarioSource, name: str) -> None:
        try:
            stories = [each.name for each in stories_of(source=source)]
            if name and name not in stories:
                known = "\n".join(f"  {each}" for each in stories)
                raise CommandError(f"There is no scenario {name!r}. There are:\n{known}")
            name = name or stories[0]
            self._walk(
                f"{source.process}: {name}",
                TryScript(scenario=name),
                lambda script: try_scenario(source=source, script=script),
            )
        except (DrawingRefused, ModelRefused, ScenarioRefused) as refused:
            raise CommandError(_faults(refused)) from refused

    def _walk(self, title: str, script: TryScript, look: Callable[[TryScript], TryView]) -> None:
        stepper = Stepper(title, script, look, self.stdout.write)
        if not stepper.run(sys.stdin, is_asked=sys.stdin.isatty()):
            sys.exit(1)

    def _fork(self, options: Mapping[str, object]) -> None:
        (entity,) = signing_in.entities(str(options["entity"]))
        person = signing_in.person(entity, str(options["username"]), str(options["code"]))
        run, at = options["run"], options["at"]
        assert isinstance(run, UUID)
        script = TryScript(scenario=str(options["scenario"]))

        def forked(seq: int | None, wanted: TryScript) -> Fork:
            now = datetime.now(UTC)
            return fork_run(instance_id=run, seq=seq, script=wanted, principal=person, at=now)

        with legal_entity(entity=entity):
            try:
                origin = forked(at if isinstance(at, int) else None, script).origin
            except TryRefused as refused:
                raise CommandError(refused.words) from refused
            except (InstanceUnknown, NotForYourRole) as refused:
                raise CommandError(f"There is no run {run} that you may read.") from refused
            except (FlowReadersOnly, OperationsOnly) as refused:
                raise CommandError("Trying flows out is not for your role.") from refused
            except ScenarioRefused as refused:
                raise CommandError(_faults(refused)) from refused
            self._walk(_title(origin), script, lambda wanted: forked(origin.seq, wanted).view)

    def _test(self, sources: Sequence[ScenarioSource], *, is_traced: bool, names: bool) -> None:
        began, reports, broken = time.monotonic(), [], 0
        for number, source in enumerate(sources, 1):
            self.stdout.write(f"[{number}/{len(sources)}] {source.name}")
            try:
                report = run_scenarios(source=source)
            except (DrawingRefused, ModelRefused, ScenarioRefused) as refused:
                self.stdout.write(self.style.ERROR(textwrap.indent(_faults(refused), "    ")))
                broken += 1
                continue
            self._tell(report, is_traced=is_traced)
            reports.append(report)
        self._table(reports, names=names)
        failed = sum(not each.has_passed for report in reports for each in report.results)
        total = sum(len(report.results) for report in reports)
        words = f"{total - failed} of {total} scenarios passed in {time.monotonic() - began:.1f} s"
        if failed or broken:
            unread = f", {broken} files cannot be run" if broken else ""
            self.stdout.write(self.style.ERROR(f"{words}{unread}."))
            sys.exit(1)
        self.stdout.write(self.style.SUCCESS(f"{words}."))

    def _tell(self, report: ScenarioReport, *, is_traced: bool) -> None:
        for result in report.results:
            mark = self.style.SUCCESS("ok  ") if result.has_passed else self.style.ERROR("FAIL")
            self.stdout.write(f"    {mark} {result.name}")
            for fault in result.broken:
                words = f"{report.name}:{fault.line}: {fault.words}"
                self.stdout.write(textwrap.indent(textwrap.fill(words, 96), " " * 9))
            if is_traced:
                self._trace(result)

    def _trace(self, result: ScenarioResult) -> None:
        for line in result.lines:
            by = f" ({line.by})" if line.by else ""
            self.stdout.write(f"         {line.at:%d %b %H:%M:%S}  {line.words}{by}")

    def _table(self, reports: Sequence[ScenarioReport], *, names: bool) -> None:
        if not reports:
            return
        width = max(4, *(len(each.process) for each in reports))
        self.stdout.write(f"\n{'flow':<{width}}  passed   elements     flows")
        for report in reports:
            passed = sum(each.has_passed for each in report.results)
            seen = report.coverage
            elements = f"{seen.elements_seen}/{seen.elements}"
            flows = f"{seen.flows_seen}/{seen.flows}"
            self.stdout.write(
                f"{report.process:<{width}}  {f'{passed}/{len(report.results)}':>6}"
                f"   {elements:>8}  {flows:>8}"
            )
            if names and (seen.missed_elements or seen.missed_flows):
                missed = ", ".join((*seen.missed_elements, *seen.missed_flows))
                self.stdout.write(textwrap.fill(f"not seen: {missed}", 96, initial_indent="    "))
        self.stdout.write("")


def _title(origin: ForkOrigin) -> str:
    case = f", case {origin.case_number}" if origin.case_number else ""
    return (
        f"A fork of the run {origin.run_id} ({origin.process}{case}), as it stood after event"
        f" {origin.seq} of 0 to {origin.last_seq}, in version {origin.version}. The run itself"
        " stays as it is."
    )


def _faults(refused: DrawingRefused | ModelRefused | ScenarioRefused) -> str:
    if isinstance(refused, ScenarioRefused):
        lines = (
            f"{refused.name}:{each.line}: {f'{each.place}: ' if each.place else ''}{each.words}"
            for each in refused.faults
        )
    else:
        lines = (
            f"line {each.line}: {f'{each.element}: ' if each.element else ''}{each.words}"
            f" ({each.code})"
            for each in refused.findings
        )
    return "\n".join(lines)
