"""E-mail: a Maildir into which any mail server delivers; each message begins a flow once.

`MAIL_DROP/<entity>` is a Maildir. A message that began a flow is marked as seen; one that did not
lies in the folder `Refused`. What a message says is data: its sender proves nothing.
"""

import hashlib
import json
import mailbox
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage, Message
from email.utils import getaddresses
from pathlib import Path

from django.conf import settings

import sentinel.public
from orchestration.durable.doorbell import database_time
from orchestration.durable.faults import crash_point
from orchestration.triggers import rows
from orchestration.triggers.folders import FileNotRead, read_whole, shown
from orchestration.triggers.receiving import (
    EVENT_ID_LENGTH_MAX,
    DeliveryRefused,
    Trigger,
    receive,
    triggers_in_force,
)

MESSAGE_BYTES_MAX = 10 * 1024 * 1024
TEXT_LENGTH_MAX = 100_000
MESSAGES_AT_ONCE = 50
ATTACHMENTS_MAX = 50
ADDRESS_LENGTH_MAX = 254
# A digest in hexadecimal stands behind it in the id of the event.
ID_LENGTH_MAX = EVENT_ID_LENGTH_MAX - 65
REFUSED = "Refused"
# What the standard library's own parser breaks with on some messages.
_UNREADABLE = (
    RecursionError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    MessageError,
)
NOBODY = "email/nobody"
_TO = ("to", "cc", "delivered-to", "x-original-to")


def take_mail_once() -> int:
    """Take what was delivered to this legal entity; return how many messages began a flow."""
    triggers = triggers_in_force("email")
    folder = Path(settings.MAIL_DROP) / sentinel.public.current_entity()
    if not triggers or not folder.is_dir():
        return 0
    box = mailbox.Maildir(folder, factory=None, create=True)
    # Names only: to ask the mailbox for a message is to parse it.
    fresh = sorted((folder / "new").iterdir())[:MESSAGES_AT_ONCE]
    return sum(_take(box, path, triggers) for path in fresh)


def _take(box: mailbox.Maildir, path: Path, triggers: tuple[Trigger, ...]) -> bool:
    try:
        raw = read_whole(path, MESSAGE_BYTES_MAX)
    except FileNotFoundError:
        # Another process has taken it meanwhile.
        return False
    except FileNotRead as refused:
        is_too_large = refused.reason == "too_large"
        code = "payload_too_large" if is_too_large else "payload_refused"
        rows.keep_refusal(NOBODY, shown(path.name), code)
        is_begun = False
    else:
        is_begun = _begin(raw, triggers, database_time())
    crash_point("mail_begun")
    _put_away(box, path, is_begun=is_begun)
    return is_begun


def _begin(raw: bytes, triggers: tuple[Trigger, ...], at: datetime) -> bool:
    try:
        message = message_from_bytes(raw, policy=policy.default)
        assert isinstance(message, EmailMessage)
        recipients = _recipients(message)
        payload = _payload(message, _message_id(message, raw))
        event_id = _event_id(payload)
    except _UNREADABLE:
        rows.keep_refusal(NOBODY, hashlib.sha256(raw).hexdigest(), "payload_refused")
        return False
    wanted = [each for each in triggers if each.content.source.lower() in recipients]
    if not wanted:
        rows.keep_refusal(NOBODY, event_id, "nobody_waits")
        return False
    is_begun = True
    for each in wanted:
        try:
            receive(trigger=each.name, event_id=event_id, payload=payload, at=at)
        except DeliveryRefused:
            is_begun = False
    return is_begun


def _message_id(message: EmailMessage, raw: bytes) -> str:
    """Return the id a message gives itself, or else what tells its content from others."""
    given = _header(message, "message-id").strip()
    return given if 0 < len(given) <= ID_LENGTH_MAX else hashlib.sha256(raw).hexdigest()


def _event_id(payload: Mapping[str, object]) -> str:
    """Return what tells a message from others: anybody can write its id on another letter."""
    taken = json.dumps(payload, sort_keys=True).encode()
    return f"{payload['message_id']}/{hashlib.sha256(taken).hexdigest()}"


def _recipients(message: EmailMessage) -> set[str]:
    said = [_header(message, name) for name in _TO]
    return {address.lower() for _, address in getaddresses(said) if address}


def _payload(message: EmailMessage, message_id: str) -> dict[str, object]:
    return {
        "message_id": message_id,
        "from": _header(message, "from")[:500],
        "sender": _sender(message),
        "subject": _header(message, "subject")[:500],
        "text": _text(message),
        "attachments": [
            {
                "name": str(part.get_filename() or "")[:200],
                "media_type": part.get_content_type(),
                "sha256": hashlib.sha256(_decoded(part)).hexdigest(),
            }
            for part in list(message.iter_attachments())[:ATTACHMENTS_MAX]
        ],
    }


def _sender(message: EmailMessage) -> str:
    """Return the one address a message says it is from, or nothing; it proves nothing."""
    said = {address.lower() for _, address in getaddresses([_header(message, "from")]) if address}
    address = said.pop() if len(said) == 1 else ""
    return address if address.count("@") == 1 and len(address) <= ADDRESS_LENGTH_MAX else ""


def _header(message: EmailMessage, name: str) -> str:
    """Return a header, or nothing when it cannot be read."""
    try:
        return str(message.get(name, "")).replace("\0", "")
    except (ValueError, IndexError, AttributeError):
        # The standard library's own parser breaks on some malformed headers.
        return ""


def _text(message: EmailMessage) -> str:
    body = message.get_body(preferencelist=("plain",))
    if body is None:
        return ""
    return _decoded(body).decode("utf-8", "replace").replace("\0", "")[:TEXT_LENGTH_MAX]


def _decoded(part: Message) -> bytes:
    raw = part.get_payload(decode=True)
    return raw if isinstance(raw, bytes) else b""


def _put_away(box: mailbox.Maildir, path: Path, *, is_begun: bool) -> None:
    """Mark a message as seen by moving its file, byte for byte."""
    folder = path.parent.parent
    if not is_begun:
        box.add_folder(REFUSED)
        folder /= f".{REFUSED}"
    name = path.name.partition(":")[0]
    # Another process may have moved it already.
    with suppress(FileNotFoundError):
        path.replace(folder / "cur" / f"{name}:2,S")
