"""The sample bank for this ring."""

from tests.sample_bank import _empty_afterwards, bank, seeded_template

__all__ = ["_empty_afterwards", "bank", "seeded_template"]
