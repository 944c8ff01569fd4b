"""A run over a file is taken from a folder, held, let go on, stopped, and told of item by item."""

import hashlib
from io import BytesIO
from uuid import uuid4

import pytest

from orchestration.durable import sweeping
from orchestration.public import (
    BatchUnknown,
    MoveRefused,
    OperationsOnly,
    ReasonRefused,
    batch_failures,
    batch_items,
    batch_moves,
    batch_refusals,
    batch_run,
    batch_runs,
    run_batches_once,
    take_files_once,
)
from orchestration.triggers import batch_drops, batch_files, batch_rows
from orchestration.triggers import batch_items as item_rows
from orchestration.triggers.batch_reading import batch_id_of
from sentinel.vocabulary import Principal
from tests.layers.orchestration.flows import AT, TIMER
from tests.layers.orchestration.test_batches import (
    BODY,
    EACH,
    carried,
    csv_of,
    instances,
    loaded,
    steered,
)

FOLDER = EACH.model_copy(update={"source": "orders", "pattern": "*.csv"})
ENDS = """
<startEvent id="s"><outgoing>a</outgoing></startEvent>
<exclusiveGateway id="g" default="b"><incoming>a</incoming><outgoing>b</outgoing>
<outgoing>c</outgoing><outgoing>d</outgoing></exclusiveGateway>
<endEvent id="fine"><incoming>b</incoming></endEvent>
<endEvent id="too_much"><incoming>c</incoming></endEvent>
<endEvent id="no_answer"><incoming>d</incoming></endEvent>
<sequenceFlow id="a" sourceRef="s" targetRef="g"/>
<sequenceFlow id="b" sourceRef="g" targetRef="fine"/>
<sequenceFlow id="c" sourceRef="g" targetRef="too_much"><conditionExpression
 xsi:type="tFormalExpression">= amount &gt; 100</conditionExpression></sequenceFlow>
<sequenceFlow id="d" sourceRef="g" targetRef="no_answer"><conditionExpression
 xsi:type="tFormalExpression">= amount = 100</conditionExpression></sequenceFlow>
"""


def dropped(folder, content, name="night.csv", checksum=None):
    incoming = folder / "meridian-nl" / "orders" / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    (incoming / name).write_bytes(content)
    said = checksum or hashlib.sha256(content).hexdigest()
    (incoming / f"{name}.sha256").write_text(said)
    return folder / "meridian-nl" / "orders"


def names_in(folder):
    return sorted(each.name for each in folder.iterdir()) if folder.exists() else []


def states(batch_id, employee):
    found = batch_items(batch_id=batch_id, principal=employee)
    return {each.key: each.state for each in found}


def test_a_file_in_its_folder_is_a_run_and_is_moved_away(flows, employee, tmp_path, settings):
    settings.FILES_DROP = tmp_path
    flows.published(BODY, batches={"orders": FOLDER})
    folder = dropped(tmp_path, csv_of(("a", 1), ("b", "x")))

    assert take_files_once() == 1
    assert take_files_once() == 0

    (view,) = batch_runs(principal=employee)
    assert (view.file_name, view.items, view.made_by) == ("night.csv", 2, "system:triggers")
    assert carried(view.id, employee).done == 1
    assert names_in(folder / "incoming") == []
    assert names_in(folder / "accepted") == ["night.csv", "night.csv.sha256"]
    # The same file once more is the run it was.
    dropped(tmp_path, csv_of(("a", 1), ("b", "x")), name="again.csv")
    assert take_files_once() == 1
    assert len(batch_runs(principal=employee)) == 1
    assert instances() == 1


def test_a_file_that_cannot_be_taken_is_moved_aside_with_the_reason(
    flows, employee, tmp_path, settings, monkeypatch
):
    settings.FILES_DROP = tmp_path
    monkeypatch.setattr(batch_drops, "BATCH_BYTES_MAX", 100)
    flows.published(BODY, batches={"orders": FOLDER})
    folder = dropped(tmp_path, csv_of(("a", 1), ("a", 2)), name="twice.csv")
    dropped(tmp_path, csv_of(("a", 1)), name="wrong.csv", checksum="0" * 64)
    dropped(tmp_path, b"x" * 101, name="long.csv")
    dropped(tmp_path, b"x", name="else.txt")

    assert take_files_once() == 0

    assert batch_runs(principal=employee) == ()
    told = {each.file: (each.code, each.words) for each in batch_refusals(principal=employee)}
    assert told == {
        "twice.csv": ("file_not_understood", "Line 3: id is missing, too long or repeated."),
        "wrong.csv": ("checksum_differs", ""),
        "long.csv": ("too_large", ""),
    }
    assert len(names_in(folder / "refused")) == 6
    assert names_in(folder / "incoming") == ["else.txt", "else.txt.sha256"]


def test_a_link_in_a_folder_of_items_leads_nowhere(flows, employee, tmp_path, settings):
    settings.FILES_DROP = tmp_path
    flows.published(BODY, batches={"orders": FOLDER})
    incoming = dropped(tmp_path, csv_of(("a", 1))) / "incoming"
    (incoming / "night.csv").unlink()
    (incoming / "night.csv").symlink_to("/etc/hosts")

    assert take_files_once() == 0
    assert batch_runs(principal=employee) == ()


def read_in_part(flow, employee, content, kept):
    """Leave a file as a process does that has ended after some of its items."""
    digest = batch_files.digest_of(BytesIO(content))
    batch_id = batch_id_of("p", "orders", digest)
    row = batch_rows.BatchRow(batch_id, "p", "orders", "f", flow.digest, 0, employee.id, AT)
    batch_rows.insert(row, digest)
    (piece,) = batch_files.pieces_of(BytesIO(content), EACH)
    item_rows.insert(batch_id, piece[:kept], are_stopped=False)
    batch_rows.read_so_far(batch_id, kept)
    return batch_id


def test_a_file_read_in_part_begins_nothing_and_is_read_on(flows, employee):
    flow = flows.published(BODY, batches={"orders": EACH})
    content = csv_of(*((f"k{number}", 1) for number in range(7)))

    batch_id = read_in_part(flow, employee, content, 3)

    assert batch_run(batch_id=batch_id, principal=employee).stands == "reading"
    assert run_batches_once() == 0
    assert instances() == 0
    view = loaded(employee, content)
    assert (view.id, view.items, view.waiting, view.stands) == (batch_id, 7, 7, "going")
    assert carried(batch_id, employee).done == 7


def test_a_file_stopped_while_it_is_read_has_a_row_for_each_item_and_begins_none(flows, employee):
    flow = flows.published(BODY, batches={"orders": EACH})
    content = csv_of(*((f"k{number}", 1) for number in range(5)), ("bad", "x"))
    batch_id = read_in_part(flow, employee, content, 2)

    assert steered(batch_id, employee, "stop", "It is the wrong file.") == 2

    loaded(employee, content)
    run_batches_once()
    view = batch_run(batch_id=batch_id, principal=employee)
    assert (view.stopped, view.refused, view.items, view.stands) == (5, 1, 6, "over")
    assert instances() == 0


def test_an_end_that_the_journey_calls_a_refusal_or_a_failure_is_one(flows, employee):
    flows.published(
        ENDS,
        batches={"orders": EACH},
        states={"fine": "done", "too_much": "refused", "no_answer": "failed"},
        notes={"too_much": "{amount} is more than we do.", "no_answer": "Nobody answered."},
    )
    view = loaded(employee, csv_of(("a", 1), ("b", 500), ("c", 100)))

    ended = carried(view.id, employee)

    assert (ended.done, ended.failed, ended.refused) == (1, 1, 1)
    told = {
        each.key: (each.state, each.code, each.reason)
        for each in batch_items(batch_id=view.id, principal=employee)
    }
    assert told == {
        "a": ("done", "completed", ""),
        "b": ("refused", "too_much", "500 is more than we do."),
        "c": ("failed", "no_answer", "Nobody answered."),
    }
    assert steered(view.id, employee, "restart") == 1


def test_what_is_held_begins_nothing_until_it_goes_on(flows, employee):
    flows.published(BODY, batches={"orders": EACH})
    view = loaded(employee, csv_of(("a", 1), ("b", 1)))

    assert steered(view.id, employee, "pause", "The core is closed.") == 2

    assert run_batches_once() == 0
    assert batch_run(batch_id=view.id, principal=employee).stands == "paused"
    assert instances() == 0
    with pytest.raises(MoveRefused):
        steered(view.id, employee, "pause")
    with pytest.raises(MoveRefused):
        steered(view.id, employee, "restart")
    steered(view.id, employee, "resume", "It is open again.")
    assert carried(view.id, employee).done == 2
    moves = batch_moves(batch_id=view.id, principal=employee)
    assert [(each.move, each.made_by, each.reason, each.items) for each in moves] == [
        ("pause", employee.id, "The core is closed.", 2),
        ("resume", employee.id, "It is open again.", 2),
    ]


def test_stopping_lets_run_what_has_begun_and_never_begins_the_rest(flows, employee):
    one = EACH.model_copy(update={"running_max": 1})
    flows.published(TIMER, batches={"orders": one})
    view = loaded(employee, csv_of(("a", 1), ("b", 1), ("c", "x")))
    run_batches_once()
    assert states(view.id, employee) == {"a": "running", "b": "waiting", "c": "refused"}

    assert steered(view.id, employee, "stop", "It is the wrong file.") == 1

    run_batches_once()
    stands = batch_run(batch_id=view.id, principal=employee)
    assert (stands.stands, stands.running, stands.stopped) == ("stopped", 1, 1)
    for move in ("pause", "resume", "stop", "restart"):
        with pytest.raises(MoveRefused):
            steered(view.id, employee, move)
    sweeping.sweep(limit=10)
    assert instances() == 1
    assert "b,stopped" in batch_failures(batch_id=view.id, principal=employee)


def test_no_more_items_run_at_once_than_the_batch_allows(flows, employee):
    two = EACH.model_copy(update={"running_max": 2})
    flows.published(TIMER, batches={"orders": two})
    view = loaded(employee, csv_of(*((f"k{number}", 1) for number in range(5))))

    run_batches_once()
    run_batches_once()

    stands = batch_run(batch_id=view.id, principal=employee)
    assert (stands.running, stands.waiting) == (2, 3)
    assert instances() == 2


def test_a_move_takes_operations_a_reason_and_a_run(flows, employee):
    flows.published(BODY, batches={"orders": EACH})
    view = loaded(employee, csv_of(("a", 1)))
    adviser = Principal("employee:1", "employee", "1", "meridian-nl", ("adviser",))

    with pytest.raises(OperationsOnly):
        steered(view.id, adviser, "stop")
    with pytest.raises(ReasonRefused):
        steered(view.id, employee, "stop", "no")
    with pytest.raises(BatchUnknown):
        steered(uuid4(), employee, "stop")

    assert states(view.id, employee) == {"a": "waiting"}
    assert batch_moves(batch_id=view.id, principal=employee) == ()


def test_nothing_failed_is_nothing_to_begin_anew(flows, employee):
    flows.published(BODY, batches={"orders": EACH})
    view = loaded(employee, csv_of(("a", 1), ("b", "x")))
    carried(view.id, employee)

    with pytest.raises(MoveRefused, match="Nothing of it failed"):
        steered(view.id, employee, "restart")

    assert instances() == 1
    assert batch_run(batch_id=view.id, principal=employee).stands == "over"


def test_items_are_found_by_a_part_of_their_name_page_by_page(flows, employee):
    flows.published(BODY, batches={"orders": EACH})
    view = loaded(employee, csv_of(("Anna_1", 1), ("Bob%2", 1), ("anna3", 1), ("Cas", 1)))

    def found(search, **more):
        listed = batch_items(batch_id=view.id, principal=employee, search=search, **more)
        return [each.key for each in listed]

    assert found("ANNA") == ["Anna_1", "anna3"]
    assert found("%") == ["Bob%2"]
    assert found("_") == ["Anna_1"]
    assert found("", limit=2) == ["Anna_1", "Bob%2"]
    assert found("", limit=2, after_line=3) == ["anna3", "Cas"]
    assert found("anna", state="failed") == []
