"""Models that run in this process from artefacts on disk, loaded once, by digest."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from intelligence import artefact_files
from intelligence.artefact_files import Artefact, ArtefactRefused
from intelligence.capabilities.fraud import model as fraud_model
from intelligence.capabilities.intent import model as intent_model
from intelligence.capabilities.letters import reader as letter_reader
from intelligence.capabilities.letters import writer as letter_writer

NAME: Final = "local"
_MODELS_KEPT: Final = 16
# A format is served by the code that reads it; anything else is refused.
_BUILDERS: Final[Mapping[str, Callable[[Artefact], Any]]] = {
    intent_model.FORMAT: lambda a: intent_model.IntentModel.from_artefact(a.card, a.arrays),
    fraud_model.FORMAT: lambda a: fraud_model.AdditiveModel.from_artefact(a.card, a.arrays),
    letter_reader.FORMAT: lambda a: letter_reader.LetterReader.from_artefact(a.card),
    letter_writer.FORMAT: lambda a: letter_writer.LetterWriter.from_artefact(a.card),
}


@lru_cache(maxsize=_MODELS_KEPT)
def load(*, artefact: str, digest: str, folder: Path = artefact_files.SHIPPED) -> Any:  # noqa: ANN401 - each format has its own model
    """Return the model of an artefact whose digest is the registered one, loaded once per process.

    Raises:
        ArtefactRefused: the artefact is missing, altered, broken, or of an unknown format.
    """
    read = artefact_files.load(name=artefact, digest=digest, folder=folder)
    builder = _BUILDERS.get(str(read.card.get("format")))
    if builder is None:
        raise ArtefactRefused(artefact, "unknown_format")
    try:
        return builder(read)
    except (ValueError, KeyError, TypeError) as error:
        raise ArtefactRefused(artefact, "parts_disagree") from error
