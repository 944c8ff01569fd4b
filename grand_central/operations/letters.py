"""Letters on paper: a print house outside prints and posts them, and spends the token itself."""

from typing import Annotated

from pydantic import Field

from grand_central.operations.fields import Id, Parameters

PAGES_MAX = 40


class PostLetter(Parameters):
    """Have a document of the bank printed and posted to a person; its text is bound by a digest."""

    recipient: Annotated[str, Field(pattern=r"^(customer|employee):[0-9a-f-]{36}$")]
    document_id: Id
    document_digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    pages: Annotated[int, Field(gt=0, le=PAGES_MAX)]
