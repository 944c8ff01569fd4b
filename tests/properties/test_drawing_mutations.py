"""Drawings with parts torn out or swapped are judged and refused, or run; nothing ever breaks."""

from random import Random

import pytest
from lxml import etree

from orchestration.bpmn import DrawingRefused, check, parse, write
from orchestration.core import advance, deploy, new_state
from orchestration.core import events as e
from tests.properties.blocks import DECLARED, Blocks
from tests.unit.orchestration.core.stage import NOON, xml

BATCHES, BATCH = 6, 100


def mutated(source: bytes, random: Random) -> bytes:
    """Tear out, double, rename, or empty a few parts of a drawing."""
    root = etree.fromstring(source)
    for _ in range(random.randint(1, 4)):
        elements = [each for each in root.iter("{*}*") if each.getparent() is not None]
        one, other = random.choice(elements), random.choice(elements)
        match random.randint(0, 5):
            case 0:
                one.getparent().remove(one)
            case 1 if one.attrib:
                del one.attrib[random.choice(sorted(one.attrib))]
            case 2 if one.attrib and other.attrib:
                name = random.choice(sorted(other.attrib))
                one.set(name, other.get(name))
            case 3:
                one.tag = other.tag
            case 4 if one not in other.iterancestors() and one is not other:
                other.append(one)
            case _:
                one.text = random.choice(["", "= (", "x9", "²", "R/PT0S", "-1", "nobody"])
    return etree.tostring(root)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_torn_drawing_is_refused_or_runs(batch):
    refused = ran = 0
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        random = Random(seed)
        source = mutated(xml(*Blocks(seed).parts(), declared=DECLARED), random)
        try:
            drawing = parse(source)
            assert all(each.words and each.code for each in check(drawing)), seed
            assert len(parse(write(drawing)).processes) == len(drawing.processes), seed
            definition = deploy(drawing)
        except DrawingRefused:
            refused += 1
            continue
        started = e.Started({f"x{n}": random.random() < 0.5 for n in range(1, 5)})
        step = advance(definition, new_state(process="p"), started, at=NOON, moves_max=500)
        assert step.ignored is None, seed
        ran += 1

    assert refused
    assert ran
