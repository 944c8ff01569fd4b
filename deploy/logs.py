"""Structured logging that never shows who a line is about."""

import logging
import logging.config
import os
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from deploy.tracing import with_trace

MASK = "***"
_PERSONAL_KEYS = frozenset(
    {
        "address",
        "authorization",
        "body",
        "cookie",
        "email",
        "first_name",
        "iban",
        "last_name",
        "message_text",
        "password",
        "payee_name",
        "phone",
        "remittance",
        "secret",
        "text",
        "token",
        "username",
    }
)
_PERSONAL_WORDS = re.compile(
    r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?\b"  # an IBAN
    r"|[\w.+-]+@[\w-]+\.[\w.]+"  # an e-mail address
    r"|\b\d(?:[ -]?\d){11,18}\b"  # a card number
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]*"  # a signed token
    r"|(?<=DETAIL:)[^\n]*"  # the row that PostgreSQL quotes when it refuses one
    r"|(?<=input_value=).*?(?=, input_type=)"  # the value that pydantic quotes
)


def masked(value: Any) -> Any:  # noqa: ANN401 - a log value may be anything
    """Return the value with whatever names a person replaced by a mask."""
    if isinstance(value, str):
        return _PERSONAL_WORDS.sub(MASK, value)
    if isinstance(value, Mapping):
        return {
            key: MASK if str(key).lower() in _PERSONAL_KEYS else masked(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [masked(inner) for inner in value]
    return value


def mask_personal_data(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> Mapping[str, Any]:
    """Mask one log event; the last processor before it is written."""
    record = {key: event.pop(key) for key in list(event) if key.startswith("_")}
    return {**masked(event), **record}


def _shared_processors() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        with_trace,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]


def formatter() -> logging.Formatter:
    """Return the formatter of every handler: readable at a terminal, JSON elsewhere."""
    readable = os.environ.get("LOG_FORMAT", "text" if sys.stderr.isatty() else "json") == "text"
    renderer = (
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        )
        if readable
        else structlog.processors.JSONRenderer(default=str)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared_processors(),
        processors=[
            mask_personal_data,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            renderer,
        ],
    )


def configure(settings: dict[str, Any]) -> None:
    """Apply the logging settings; Django calls this once at start-up."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared_processors(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    logging.config.dictConfig(settings)
