"""A version on trial gets its share of all new work, however the work begins, and no more."""

from collections import Counter
from uuid import uuid4

import pytest
from django.db import connection

from orchestration.durable import store, sweeping
from orchestration.durable.definitions import flow_of
from orchestration.durable.mass import NewRun, begin_flows
from orchestration.durable.messages import Message, send
from orchestration.public import batch_items, load_batch, run_batches_once
from orchestration.triggers.content import BatchContent
from orchestration.versions.rollouts import bucket, write_rollout
from tests.authority import found_bank
from tests.layers.orchestration.flows import AT, SCRIPTS

BATCH = {"b": BatchContent(key="id", variables={"amount": "= number(string(event.id))"})}
CALLER = """
<startEvent id="s"/>
<callActivity id="work" calledElement="p"><extensionElements>
<frontline:binding version="{binding}"/><frontline:input name="amount" value="= amount"/>
</extensionElements></callActivity>
<endEvent id="e"/>
<sequenceFlow id="a" sourceRef="s" targetRef="work"/>
<sequenceFlow id="b" sourceRef="work" targetRef="e"/>
"""
BY_MESSAGE = SCRIPTS.replace(
    '<startEvent id="s"><outgoing>a</outgoing></startEvent>',
    '<startEvent id="s"><outgoing>a</outgoing>'
    '<messageEventDefinition messageRef="order"/></startEvent>',
)
ORDER = '<message id="order" name="order"/>'


@pytest.fixture(autouse=True)
def rules(db):
    found_bank()


def roll_out(digest, share=100, team=None):
    write_rollout(process="p", digest=digest, share=share, team=team, decision_id=uuid4(), at=AT)


@pytest.fixture
def versions(flows):
    """Publish two versions of a flow, of which the first is the rule."""
    first = flows.published(SCRIPTS, batches=BATCH)
    roll_out(first.digest)
    second = flows.published(SCRIPTS.replace("amount * 2", "amount * 3"), batches=BATCH)
    return first, second


def version_of(instance_id):
    return flow_of(store.read_instance(instance_id).definition).version


def expected(second, ids, share):
    return {each: 2 if bucket(second.digest, each) < share else 1 for each in ids}


def loaded(employee, count):
    content = "\n".join(["id", *map(str, range(count))]).encode()
    return load_batch(
        process="p", name="b", file_name="b", content=content, principal=employee, at=AT
    )


def items_of(batch_id, employee):
    return [each.instance_id for each in batch_items(batch_id=batch_id, principal=employee)]


def child_of(parent_id):
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM orch_instance WHERE parent_id = %s", [parent_id])
        ((child,),) = cursor.fetchall()
    return child


def test_a_share_of_the_items_of_a_batch_begins_in_the_version_on_trial(versions, employee):
    _, second = versions
    roll_out(second.digest, share=30)

    batch = loaded(employee, 60)
    run_batches_once()

    begun = items_of(batch.id, employee)
    assert {each: version_of(each) for each in begun} == expected(second, begun, 30)
    assert Counter(map(version_of, begun)).keys() == {1, 2}


def test_a_batch_handed_in_by_a_team_on_trial_begins_in_its_version(versions, employee):
    roll_out(versions[1].digest, team="operations")

    batch = loaded(employee, 3)
    run_batches_once()

    assert {version_of(each) for each in items_of(batch.id, employee)} == {2}


def test_a_batch_of_another_team_begins_in_the_rule(versions, employee):
    roll_out(versions[1].digest, team="adviser")

    batch = loaded(employee, 3)
    run_batches_once()

    assert {version_of(each) for each in items_of(batch.id, employee)} == {1}


def test_what_is_left_of_a_batch_follows_a_version_taken_back(versions, employee):
    first, second = versions
    roll_out(second.digest)
    batch = loaded(employee, 3)

    roll_out(first.digest)
    run_batches_once()

    assert {version_of(each) for each in items_of(batch.id, employee)} == {1}


def test_a_version_that_takes_no_such_files_gets_none_of_their_items(flows, versions, employee):
    third = flows.published(SCRIPTS.replace("amount * 2", "amount * 4"))
    roll_out(third.digest, share=100, team="operations")

    batch = loaded(employee, 3)
    run_batches_once()

    assert {version_of(each) for each in items_of(batch.id, employee)} == {1}


@pytest.mark.parametrize("share", [0, 30])
def test_a_mass_start_gives_a_version_on_trial_its_share(versions, employee, share):
    _, second = versions
    roll_out(second.digest, share=share)
    runs = [NewRun(uuid4(), {"amount": 1}) for _ in range(40)]

    begin_flows(process="p", runs=runs, principal=employee, at=AT)

    begun = {each.id: version_of(each.id) for each in runs}
    assert begun == expected(second, begun, share)


def test_a_mass_start_by_a_team_on_trial_begins_in_its_version(versions, employee):
    roll_out(versions[1].digest, team="operations")
    runs = [NewRun(uuid4(), {"amount": 1}) for _ in range(3)]

    begin_flows(process="p", runs=runs, principal=employee, at=AT)

    assert {version_of(each.id) for each in runs} == {2}


@pytest.mark.parametrize(("team", "version"), [("operations", 2), ("adviser", 1)])
def test_a_flow_begun_by_a_message_of_a_team_begins_in_its_version(flows, employee, team, version):
    first = flows.published(BY_MESSAGE, declared=ORDER)
    roll_out(first.digest)
    second = flows.published(BY_MESSAGE.replace("amount * 2", "amount * 3"), declared=ORDER)
    roll_out(second.digest, team=team)

    receipt = send(Message(uuid4(), "order", None, {"amount": 1}, AT, principal=employee))

    assert version_of(receipt.instance_id) == version


@pytest.mark.parametrize(
    ("binding", "share", "version"),
    [("latest", 0, 1), ("latest", 100, 2), ("start", 0, 1), ("start", 100, 2), ("1", 100, 1)],
)
def test_a_called_flow_is_in_the_version_its_binding_and_the_trial_say(
    flows, versions, binding, share, version
):
    # A trial of everything for one team is still a trial: the rule is the first version.
    roll_out(versions[1].digest, share=share, team="operations")
    caller = flows.started(
        flows.published(CALLER.format(binding=binding), process="caller"), amount=1
    )

    assert version_of(child_of(caller)) == version


@pytest.mark.parametrize(("binding", "version"), [("latest", 2), ("start", 1)])
def test_a_binding_says_whether_a_version_of_a_later_day_is_called(
    flows, versions, binding, version
):
    waits = """<intermediateCatchEvent id="wait"><timerEventDefinition><timeDuration>PT1H
</timeDuration></timerEventDefinition></intermediateCatchEvent>
<sequenceFlow id="w" sourceRef="s" targetRef="wait"/>"""
    body = waits + CALLER.format(binding=binding).replace('sourceRef="s"', 'sourceRef="wait"')
    caller = flows.started(flows.published(body, process="caller"), amount=1)

    roll_out(versions[1].digest)
    sweeping.sweep(limit=10)

    assert version_of(child_of(caller)) == version


def test_a_call_gives_a_version_on_trial_its_share_of_calls(flows, versions):
    _, second = versions
    roll_out(second.digest, share=30)
    caller = flows.published(CALLER.format(binding="latest"), process="caller")

    children = [child_of(flows.started(caller, amount=1)) for _ in range(20)]

    begun = {each: version_of(each) for each in children}
    assert begun == expected(second, begun, 30)


def test_what_is_bound_at_the_start_is_the_same_for_every_call_of_one_caller(flows, versions):
    _, second = versions
    roll_out(second.digest, share=50)
    caller = flows.published(CALLER.format(binding="start"), process="caller")

    begun = [flows.started(caller, amount=1) for _ in range(20)]

    called = {each: version_of(child_of(each)) for each in begun}
    assert called == expected(second, begun, 50)
