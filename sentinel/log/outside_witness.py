"""Witnesses elsewhere: each newest checkpoint is sent to them, and what they cosign is kept.

They speak C2SP tlog-witness, have keys and memories of their own, and are asked to be run by
somebody who cannot change this database. What one of them remembers and this log does not
contain is an alarm that nobody here can silence.
"""

import base64
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from sentinel.entities import current_entity
from sentinel.log.note import (
    COSIGNATURE_V1,
    CheckpointRefused,
    VerificationKey,
    cosigning,
    parse_vkey,
)
from sentinel.log.note import verify_note as verified
from sentinel.log.proofs import SignedCheckpoint, consistency_proof, latest_checkpoint
from sentinel.log.reading import recorded_keys
from sentinel.log.sequencer import record_key
from sentinel.log.witness import WitnessRefused
from sentinel.refusals import SentinelError
from sentinel.signing.keys import Purpose

DEADLINE_SECONDS = 5.0
ANSWER_BYTES_MAX = 64 * 1024
_SIZE_MEDIA = "text/x.tlog.size"
_SIZE_DIGITS_MAX = 15


class WitnessUnreachable(SentinelError):
    """A witness outside did not answer, or not as it should; the log goes on without it."""

    code = "witness_unreachable"
    is_retryable = True

    def __init__(self, witness: str, reason: str) -> None:
        super().__init__(witness, reason)
        self.witness, self.reason = witness, reason


@dataclass(frozen=True, slots=True)
class OutsideWitness:
    """Where a witness is asked, and by which key its cosignature is known."""

    url: str
    key: VerificationKey


class _Answer(NamedTuple):
    status: int
    media: str
    text: str


def outside_witnesses() -> tuple[OutsideWitness, ...]:
    """Return the witnesses the settings name, as `URL VKEY` parted by semicolons.

    Raises:
        CheckpointRefused: what is given as a key is none of a witness.
    """
    return tuple(_witness(each) for each in settings.FRONTLINE_WITNESSES.split(";") if each.strip())


def ask_witnesses_once() -> int:
    """Have each witness outside cosign this legal entity's newest checkpoint; return how many did.

    Raises:
        WitnessRefused: a witness remembers what this log does not contain.
        WitnessUnreachable: a witness did not answer; the others were asked.
    """
    latest, cosigned, failed = latest_checkpoint(), 0, list[SentinelError | WitnessRefused]()
    for witness in outside_witnesses() if latest else ():
        assert latest is not None
        try:
            cosigned += _ask(witness, latest)
        except (WitnessUnreachable, WitnessRefused) as error:
            failed.append(error)
    if failed:
        # That a log was rewritten matters more than that somebody is away.
        raise min(failed, key=lambda each: isinstance(each, WitnessUnreachable))
    return cosigned


def _ask(witness: OutsideWitness, latest: SignedCheckpoint) -> bool:
    known = _last_size(witness)
    if known == latest.size:
        return False
    answer = _submitted(witness, latest, known)
    if answer.status == 409:
        remembered = _size_of(witness, answer)
        _require_growth(remembered, known, latest)
        answer = _submitted(witness, latest, remembered)
    if answer.status in (409, 422):
        raise WitnessRefused(current_entity(), "a witness outside remembers another history")
    if answer.status != 200:
        raise WitnessUnreachable(witness.key.name, f"status {answer.status}")
    _keep(witness, latest, answer.text)
    return True


def _require_growth(remembered: int, known: int, latest: SignedCheckpoint) -> None:
    if remembered > latest.size:
        raise WitnessRefused(current_entity(), "the log is shorter than what was witnessed outside")
    if remembered == known:
        raise WitnessRefused(current_entity(), "a witness outside remembers another history")


def _submitted(witness: OutsideWitness, latest: SignedCheckpoint, old: int) -> _Answer:
    hashes = consistency_proof(first=old, second=latest.size).hashes if old else ()
    lines = [f"old {old}", *(base64.b64encode(each).decode() for each in hashes), "", latest.note]
    return _exchange(witness, "\n".join(lines).encode())


def _keep(witness: OutsideWitness, latest: SignedCheckpoint, text: str) -> None:
    """Keep the one line of this witness that cosigns this checkpoint."""
    for line in text.splitlines(keepends=True):
        try:
            verified(latest.checkpoint.body().decode() + "\n" + line, (witness.key,))
        except CheckpointRefused:
            continue
        if witness.key not in recorded_keys():
            record_key(entity=current_entity(), purpose=Purpose.WITNESS, key=witness.key)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT sentinel_cosign(%s, %s, %s)", [latest.size, witness.key.name, line]
            )
        return
    raise WitnessUnreachable(witness.key.name, "the cosignature is not by its key")


def _last_size(witness: OutsideWitness) -> int:
    """Return the size of the newest checkpoint that this witness did cosign, as far as kept."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.size, c.note, s.line FROM sentinel_cosignature s"
            " JOIN sentinel_checkpoint c ON c.entity = s.entity AND c.size = s.size"
            " WHERE s.witness = %s ORDER BY s.size DESC",
            [witness.key.name],
        )
        for size, note, line in cursor:
            if cosigning((line,), note, (witness.key,)):
                return int(size)
    return 0


def _size_of(witness: OutsideWitness, answer: _Answer) -> int:
    said = answer.text.removesuffix("\n")
    is_size = said.isascii() and said.isdigit() and len(said) <= _SIZE_DIGITS_MAX
    if answer.media != _SIZE_MEDIA or not is_size:
        raise WitnessUnreachable(witness.key.name, "a conflict without a size")
    return int(said)


def _exchange(witness: OutsideWitness, body: bytes) -> _Answer:
    address = urlsplit(witness.url)
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    there = kind(address.hostname or "", address.port, timeout=DEADLINE_SECONDS)
    try:
        there.request("POST", f"{address.path.rstrip('/')}/add-checkpoint", body=body)
        response = there.getresponse()
        text = response.read(ANSWER_BYTES_MAX).decode()
        return _Answer(response.status, response.headers.get("Content-Type", ""), text)
    except (OSError, HTTPException, UnicodeDecodeError) as error:
        raise WitnessUnreachable(witness.key.name, type(error).__name__) from error
    finally:
        there.close()


def _witness(text: str) -> OutsideWitness:
    url, _, vkey = text.strip().partition(" ")
    key = parse_vkey(vkey.strip())
    if key.algorithm != COSIGNATURE_V1:
        raise CheckpointRefused("the key is not one of a witness")
    return OutsideWitness(url, key)
