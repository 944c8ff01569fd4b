"""Rotating keys: the next one is made, told of in the log, and signs once checkers know of it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from sentinel.entities import current_entity
from sentinel.key_views import verification_key
from sentinel.log.reading import recorded_keys
from sentinel.log.records import append
from sentinel.signing.custody import custody
from sentinel.signing.keys import KeyFile, Purpose, key_files, rotate
from sentinel.signing.token_keys import OVERLAP_SECONDS

# The sequencer and the witness write down their own keys themselves, with what they sign.
ROTATED = (Purpose.TOKEN, Purpose.POLICY, Purpose.LOG, Purpose.WITNESS)
_RECORDS_ITSELF = frozenset({Purpose.LOG, Purpose.WITNESS})


@dataclass(frozen=True, slots=True)
class RotatedKey:
    """A key that was made; `signs_from` lies ahead while others still have to learn of it."""

    purpose: str
    kid: str
    signs_from: datetime


def rotate_key(*, purpose: Purpose, is_at_once: bool = False) -> RotatedKey:
    """Make the next key of the current legal entity and record it, and the ones before, in the log.

    A key of decision tokens signs six minutes later, so that checkers outside have it by then;
    `is_at_once` is for a key that may have been stolen: throw the kill switch of its `kid:` too.

    Raises:
        KeyRefused: another rotation is under way.
        SignerUnavailable: whoever keeps the keys of decision tokens does not answer.
        EntityNotSet: no legal entity is being worked for.
    """
    entity, folder = current_entity(), Path(settings.KEYS_DIR)
    overlap = OVERLAP_SECONDS if purpose is Purpose.TOKEN and not is_at_once else 0
    if purpose is Purpose.TOKEN:
        made = custody().rotate(entity, overlap)
        files = custody().keys(entity)
    else:
        made = rotate(folder=folder, entity=entity, purpose=purpose).kid
        files = key_files(folder=folder, entity=entity, purpose=purpose)
    if purpose not in _RECORDS_ITSELF:
        with transaction.atomic():
            _record_missing(entity, purpose, files)
    newest = next(each for each in files if each.signer.kid == made)
    return RotatedKey(purpose.value, made, _moment(newest))


def _record_missing(entity: str, purpose: Purpose, files: tuple[KeyFile, ...]) -> None:
    known = {key.encoded() for key in recorded_keys()}
    for each in files:
        encoded = verification_key(entity, purpose, each.signer.public_bytes).encoded()
        if encoded in known:
            continue
        body = {
            "entity": entity,
            "kid": each.signer.kid,
            "purpose": purpose.value,
            "signs_from": _moment(each).isoformat(),
            "vkey": encoded,
        }
        with connection.cursor() as cursor:
            append(cursor, kind="key", body=body)


def _moment(file: KeyFile) -> datetime:
    return datetime.fromtimestamp(int(file.signs_from), UTC)
