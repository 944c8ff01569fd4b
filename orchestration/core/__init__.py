"""The pure engine: no Django, no clock, no chance, no database. See README.md beside this file."""

from orchestration.core.advance import advance, rebuild, replay
from orchestration.core.codec import (
    EncodingRefused,
    decode,
    decode_state,
    encode,
    encode_state,
)
from orchestration.core.definition import Definition, deploy
from orchestration.core.migration import Judgement, MigrationRefused, Verdict, judge, migrate
from orchestration.core.openings import Opening, awaits_others, begins_plainly, openings, opens
from orchestration.core.state import InstanceState, new_state
from orchestration.core.step import Ignored, Step

__all__ = [
    "Definition",
    "EncodingRefused",
    "Ignored",
    "InstanceState",
    "Judgement",
    "MigrationRefused",
    "Opening",
    "Step",
    "Verdict",
    "advance",
    "awaits_others",
    "begins_plainly",
    "decode",
    "decode_state",
    "deploy",
    "encode",
    "encode_state",
    "judge",
    "migrate",
    "new_state",
    "openings",
    "opens",
    "rebuild",
    "replay",
]
