"""Lists of sanctioned people and organisations."""

from typing import Annotated

from pydantic import Field

from grand_central.operations.fields import Digest, Parameters, Slug, Text, effect


class LoadScreeningList(Parameters):
    """Put a version of a list in force in place of the one before."""

    name: Slug
    version: Annotated[Text, Field(min_length=1, max_length=60)]
    digest: Digest
    count: Annotated[int, Field(ge=1)]


def load_screening_list_effect(parameters: LoadScreeningList) -> bytes:
    """Return the effect digest of a list: its name, its version and all its entries."""
    return effect("screening/v1", parameters.name, parameters.version, parameters.digest)
