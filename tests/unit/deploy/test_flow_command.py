"""`manage.py flow`: scenarios run from a terminal, and walks through a drawing."""

import io
import re
import shutil

import pytest
from django.core.management import CommandError, call_command

from tests.rings import SOURCE

JOURNEY = SOURCE / "apps/journeys/cards"
FILE = "block_card.scenario.json"


@pytest.fixture
def folder(tmp_path):
    for name in (FILE, "block_card.bpmn"):
        shutil.copy(JOURNEY / name, tmp_path / name)
    return tmp_path


def said(*words):
    out = io.StringIO()
    call_command("flow", *words, stdout=out, no_color=True)
    return out.getvalue()


def changed(folder, old, new, name=FILE):
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")


def test_all_scenarios_are_run_with_what_they_saw():
    told = said("test", "--missed")

    assert "cards/block_card" in told
    assert "ok   A card is blocked here and at the processor" in told
    assert "block_card 7/7 13/13 9/9" in " ".join(told.split())
    assert "not seen" not in told
    assert re.search(r"(\d+) of \1 scenarios passed", told)


def test_a_failing_scenario_ends_with_1_and_names_file_and_line(folder, capsys):
    changed(folder, '"receipt.reference": "B-1"', '"receipt.reference": "B-2"')
    out = io.StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("flow", "test", str(folder), "--trace", stdout=out, no_color=True)

    told = out.getvalue()
    assert ended.value.code == 1
    assert "FAIL A card is blocked here and at the processor" in told
    assert 'expected receipt.reference to be "B-2", but it is "B-1"' in " ".join(told.split())
    assert f"{FILE}:" in told
    assert "09:00:00  Block the card: done" in told
    assert "6 of 7 scenarios passed" in told


def test_a_drawing_beside_the_file_is_what_is_tried_out(folder):
    changed(folder, 'call="action:cards.stop"', 'call="action:cards.melt"', "block_card.bpmn")
    out = io.StringIO()

    with pytest.raises(SystemExit):
        call_command("flow", "test", str(folder / "block_card.bpmn"), stdout=out, no_color=True)

    assert "there is no step action:cards.melt" in " ".join(out.getvalue().split())


def test_a_file_that_cannot_be_run_ends_with_1(folder):
    changed(folder, '"end_blocked"', '"nowhere"')
    out = io.StringIO()

    with pytest.raises(SystemExit):
        call_command("flow", "test", str(folder), stdout=out, no_color=True)

    assert "the drawing has no element 'nowhere'" in out.getvalue()
    assert "1 files cannot be run" in out.getvalue()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing", "no such file"),
        ("nothing.bpmn", "no such file"),
        (".", "there are no scenarios here"),
    ],
)
def test_a_path_without_scenarios_is_refused(tmp_path, name, words):
    with pytest.raises(CommandError, match=words):
        said("test", str(tmp_path / name))


@pytest.mark.parametrize("name", [FILE, "block_card.bpmn"])
def test_what_is_tried_is_written_in_utf_8(folder, name):
    path = folder / name
    path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16"))

    with pytest.raises(CommandError, match="not written in UTF-8"):
        said("test", str(folder))


def test_shipped_journeys_are_without_fault():
    assert re.search(r"^0 errors, \d+ warnings\.$", said("check"), re.MULTILINE)


def test_faults_are_told_with_file_line_element_and_code(folder):
    changed(folder, "action:cards.stop", "action:cards.melt", "block_card.bpmn")
    out = io.StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("flow", "check", str(folder), stdout=out, no_color=True)

    assert ended.value.code == 1
    told = out.getvalue()
    assert re.search(
        r"block_card\.bpmn:\d+: stop: This bank has no step 'action:cards.melt'\. "
        r"\(step_unknown\)",
        told,
    )
    assert "1 errors" in told


def test_a_drawing_of_no_journey_and_rules_are_looked_through(tmp_path):
    (tmp_path / "own.bpmn").write_text("<nothing/>", encoding="utf-8")
    (tmp_path / "own.dmn").write_text("<nothing/>", encoding="utf-8")
    out = io.StringIO()

    with pytest.raises(SystemExit):
        call_command("flow", "check", str(tmp_path), stdout=out, no_color=True)

    assert "own.bpmn:1: The file is not a BPMN 2.0 drawing. (not_bpmn)" in out.getvalue()
    assert "own.dmn:1: The file is not a DMN 1.1 to 1.5 model. (not_dmn)" in out.getvalue()


def test_a_file_that_is_not_there_cannot_be_looked_through(tmp_path):
    with pytest.raises(CommandError, match="no such file"):
        said("check", str(tmp_path / "nothing.bpmn"))


def test_a_faulty_drawing_is_tried_out_with_its_faults(folder):
    changed(folder, "</process>", '<task id="lost" name="Lost"/></process>', "block_card.bpmn")
    out = io.StringIO()

    with pytest.raises(SystemExit):
        call_command("flow", "test", str(folder), stdout=out, no_color=True)

    assert re.search(r"line \d+: lost: No path leads here\. \(unreachable\)", out.getvalue())


def walked(lines, monkeypatch, *words):
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    return said("step", str(JOURNEY / FILE), *words)


def test_a_drawing_is_walked_through_from_a_pipe(monkeypatch):
    told = walked("wait\nvariables receipt\npath\nback\nasked\nend\nexpect\nquit\n", monkeypatch)

    assert "At block: Block the card waits for a step to answer." in told
    assert "* receipt = {" in told
    assert "block asks: action:cards.block with {" in told
    assert "It is over: completed." in told
    assert "Everything came as expected." in told


def test_what_is_asked_is_answered_from_a_pipe(monkeypatch):
    told = walked("refuse block denied\nhistory\n", monkeypatch)

    assert "It is over: completed." in told
    assert "Block the card: refused, denied" in told


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("dance", "There is no command 'dance'"),
        ("answer stop {}", "Nothing is asked at 'stop' now."),
        ("answer block {", "line 1: this is no JSON"),
        ("clock", "No clock runs here."),
    ],
)
def test_a_command_that_cannot_be_done_ends_with_1(monkeypatch, line, words):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{line}\n"))
    out = io.StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("flow", "step", str(JOURNEY / FILE), stdout=out, no_color=True)

    assert ended.value.code == 1
    assert words in out.getvalue()


def test_an_unknown_scenario_names_those_there_are(monkeypatch):
    with pytest.raises(CommandError, match="A card of somebody else is not blocked"):
        walked("", monkeypatch, "--scenario", "x")


CALLS = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d">'
    '<process id="{id}" isExecutable="true">\n<startEvent id="s" name="s"/>\n'
    '<callActivity id="call" name="call" calledElement="{called}"/><endEvent id="e" name="e"/>'
    '<sequenceFlow id="f" sourceRef="s" targetRef="call"/>'
    '<sequenceFlow id="g" sourceRef="call" targetRef="e"/></process></definitions>'
)


def refused_by_check(capsys, *paths):
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("flow", "check", *map(str, paths), stdout=out, no_color=True)
    assert ended.value.code == 1
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "line"), [("block_card.bpmn", 1), ("latin.bpmn", 3), ("wide.dmn", 1)]
)
def test_a_file_that_is_not_utf_8_is_refused_at_its_line(folder, capsys, name, line):
    drawing = (folder / "block_card.bpmn").read_text(encoding="utf-8")
    written = (
        "one\ntwo\n\u00e9".encode("latin-1") if name == "latin.bpmn" else drawing.encode("utf-16")
    )
    (folder / name).write_bytes(written)

    told = refused_by_check(capsys, folder / name)

    assert f"{folder / name}:{line}: The file is not written in UTF-8." in told
    assert "(not_utf8)" in told
    assert "1 errors, 0 warnings." in told


@pytest.mark.parametrize(
    "calls",
    [(("loop", "loop"),), (("one", "two"), ("two", "one")), (("one", "two"), ("two", "two"))],
)
def test_calls_that_come_back_to_themselves_are_refused_as_by_publishing(tmp_path, capsys, calls):
    for name, called in calls:
        (tmp_path / f"{name}.bpmn").write_text(CALLS.format(id=name, called=called), "utf-8")

    told = refused_by_check(capsys, tmp_path)

    first = calls[-1][1]
    assert f"{first}.bpmn:3: call: The process '{first}' calls itself without end: " in told
    assert "(cyclic_call)" in told


def test_calls_that_come_to_an_end_are_no_circle(tmp_path):
    for name, called in (("one", "two"), ("two", "block_card")):
        (tmp_path / f"{name}.bpmn").write_text(CALLS.format(id=name, called=called), "utf-8")

    assert "cyclic_call" not in said("check", str(tmp_path))
