"""How the bank writes its log: one structured line per event, personal data masked."""

from typing import Any


def logging_settings(level: str) -> dict[str, Any]:
    """Return the standard library's logging settings, rendered by structlog."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structured": {"()": "deploy.logs.formatter"}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "structured"},
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # One line per request is the proxy's work; warnings stay.
            "uvicorn.access": {"level": "WARNING"},
            "fido2": {"level": "WARNING"},
            "kombu": {"level": "WARNING"},
            "pgmq": {"level": "WARNING"},
        },
    }
