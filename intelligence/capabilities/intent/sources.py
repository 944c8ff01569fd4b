"""Read training sentences: our own seeds, and public data sets from a path the operator gives."""

import csv
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from intelligence.capabilities.intent.labels import OWN_PREFIX, LabelMapping

SEEDS_PATH: Final = Path(__file__).with_name("seed_utterances")
OUT_OF_SCOPE: Final = "clinc150.out_of_scope"
FILLINGS_PER_SENTENCE: Final = 6
_SLOT: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One training sentence, its fine label, and the seed it was made from (never split apart)."""

    text: str
    label: str
    group: str


def _misspell(text: str, chance: random.Random) -> str:
    """Return the text with one letter of one longer word swapped, dropped, doubled or replaced."""
    words = text.split(" ")
    long_words = [i for i, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    if not long_words:
        return text
    index = chance.choice(long_words)
    word = words[index]
    at = chance.randrange(1, len(word) - 1)
    words[index] = chance.choice(
        (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + chance.choice("aeiorstn") + word[at + 1 :],
        )
    )
    return " ".join(words)


def _fill(pattern: str, fillers: dict[str, list[str]], chance: random.Random) -> str:
    return _SLOT.sub(lambda match: chance.choice(fillers[match[1]]), pattern)


def _seed_lines(path: Path) -> list[str]:
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def own_sentences(*, seed: int, folder: Path = SEEDS_PATH) -> list[Sentence]:
    """Return our seed sentences, slots filled and spelling mistakes added, the same for a seed."""
    chance = random.Random(seed)  # noqa: S311 - sentences, not secrets
    fillers: dict[str, list[str]] = json.loads((folder / "fillers.json").read_text("utf-8"))
    made: list[Sentence] = []
    for path in sorted(folder.glob("*.txt")):
        label = f"{OWN_PREFIX}{path.stem}"
        for number, pattern in enumerate(_seed_lines(path)):
            group = f"{label}:{number}"
            variants = {_fill(pattern, fillers, chance) for _ in range(FILLINGS_PER_SENTENCE)}
            variants |= {_misspell(text, chance) for text in sorted(variants)}
            made += [Sentence(text, label, group) for text in sorted(variants)]
    return made


def _banking77(folder: Path) -> Iterator[Sentence]:
    with (folder / "train.csv").open(encoding="utf-8", newline="") as stream:
        for number, row in enumerate(csv.DictReader(stream)):
            yield Sentence(row["text"], f"banking77.{row['category']}", f"banking77:{number}")


def _clinc150(path: Path) -> Iterator[Sentence]:
    parts: dict[str, list[list[str]]] = json.loads(path.read_text(encoding="utf-8"))
    for part in ("train", "val", "oos_train", "oos_val"):
        for number, (text, label) in enumerate(parts.get(part, [])):
            fine = OUT_OF_SCOPE if label == "oos" else f"clinc150.{label}"
            yield Sentence(text, fine, f"clinc150:{part}:{number}")


def public_sentences(*, data: Path, mapping: LabelMapping) -> list[Sentence]:
    """Return the sentences of BANKING77 and CLINC150 found under a folder.

    Raises:
        FileNotFoundError: neither data set is there.
    """
    found: list[Sentence] = []
    if (data / "banking77" / "train.csv").exists():
        found += _banking77(data / "banking77")
    clinc = sorted((data / "clinc150").glob("data_*.json"))
    if clinc:
        found += _clinc150(clinc[0])
    if not found:
        raise FileNotFoundError(str(data))
    return [sentence for sentence in found if sentence.label not in mapping.left_out]


def texts_and_labels(sentences: Sequence[Sentence]) -> tuple[list[str], list[str]]:
    """Return the texts and the fine labels of sentences, in the same order."""
    return [s.text for s in sentences], [s.label for s in sentences]
