"""Flows of several branches at once, and a step that takes its time in each of them."""

import threading
from collections import Counter
from dataclasses import dataclass, field

from django.db import connection

from orchestration.core.events import TaskCompleted, TaskFailed
from orchestration.durable import engine, store
from orchestration.step_results import Answered

SECONDS_MAX = 20


CALL = """<serviceTask id="{name}"><extensionElements>
<frontline:task call="{call}"{more}/><frontline:input name="branch" value="{name}"/>
<frontline:output name="{name}" value="= result.said"/>
<frontline:retry attempts="{attempts}" backoff="PT1S" jitter="0"/>{extra}
</extensionElements>{loop}</serviceTask>"""


JOIN = '<parallelGateway id="join"/>'


AFTER = '<sequenceFlow id="j" sourceRef="join" targetRef="e"/><endEvent id="e"/>'


ANY = '<endEvent id="join"><terminateEventDefinition/></endEvent>'


BY_ANY = (
    '<startEvent id="in"/><sequenceFlow id="i" sourceRef="in" targetRef="work"/>'
    '<subProcess id="work">{inside}</subProcess>'
    '<sequenceFlow id="o" sourceRef="work" targetRef="after"/>'
    '<userTask id="after"><extensionElements><frontline:assignment roles="operations"/>'
    "</extensionElements></userTask>"
)


def call(name, what="model:slow", *, attempts=3, extra="", more="", loop=""):
    return CALL.format(name=name, call=what, attempts=attempts, extra=extra, more=more, loop=loop)


def forked(*branches, join=JOIN + AFTER, **options):
    ways = "".join(
        f'{call(each, **options)}<sequenceFlow id="f{each}" sourceRef="fork" targetRef="{each}"/>'
        f'<sequenceFlow id="m{each}" sourceRef="{each}" targetRef="join"/>'
        for each in branches
    )
    return (
        '<startEvent id="s"/><sequenceFlow id="a" sourceRef="s" targetRef="fork"/>'
        f'<parallelGateway id="fork"/>{ways}{join}'
    )


def repeated(what="model:slow"):
    loop = (
        "<multiInstanceLoopCharacteristics><extensionElements>"
        '<frontline:loop collection="= many" item="one" into="all" result="= result.said"/>'
        "</extensionElements></multiInstanceLoopCharacteristics>"
    )
    return (
        '<startEvent id="s"/><sequenceFlow id="a" sourceRef="s" targetRef="each"/>'
        f"{call('each', what, loop=loop)}"
        '<sequenceFlow id="b" sourceRef="each" targetRef="e"/><endEvent id="e"/>'
    )


@dataclass
class Slow:
    """A step that answers once so many others are under way with it, and says who asked."""

    at_once: int = 1
    fails: int = 0
    made: Counter = field(default_factory=Counter)
    threads: set = field(default_factory=set)
    transactions: list = field(default_factory=list)
    results: dict = field(default_factory=dict)

    def __post_init__(self):
        self.barrier = threading.Barrier(self.at_once)

    def __call__(self, context, inputs):
        branch = str(inputs["branch"])
        self.made[branch] += 1
        self.threads.add(threading.get_ident())
        self.transactions.append(connection.in_atomic_block)
        if self.at_once > 1:
            self.barrier.wait(SECONDS_MAX)
        if self.fails:
            self.fails -= 1
            msg = "not now"
            raise RuntimeError(msg)
        return self.results.get(branch, Answered({"said": f"{branch} {context.visit}"}))


def answers_of(instance_id):
    return [
        line.event
        for line in store.history_of(instance_id)
        if isinstance(line.event, TaskCompleted | TaskFailed)
    ]


def is_sound(instance_id):
    row = store.read_instance(instance_id)
    assert row.rev == len(store.history_of(instance_id))
    assert engine.rebuilt_state(instance_id) == row.state
    return row.status


def calls_of(instance_id):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT node, state, attempt FROM orch_call WHERE instance_id = %s"
            " ORDER BY node, visit",
            [instance_id],
        )
        return cursor.fetchall()


def visits_of(instance_id):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT node, visit, state FROM orch_call WHERE instance_id = %s ORDER BY visit",
            [instance_id],
        )
        return cursor.fetchall()


def let_leases_run_out():
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_call SET lease_until = clock_timestamp() - interval '1 second'"
            " WHERE lease_until IS NOT NULL"
        )
