"""The part of Sentinel's door that is about uses of data; `public.py` offers all of it."""

from sentinel.consents.uses import (
    ConsentView,
    DataUse,
    consents_of,
    data_refusals,
    data_uses,
    shipped_purposes,
)

__all__ = [
    "ConsentView",
    "DataUse",
    "consents_of",
    "data_refusals",
    "data_uses",
    "shipped_purposes",
]
