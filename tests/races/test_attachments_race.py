"""Twenty files put into one case at once: no more than a case takes."""

from collections import Counter
from uuid import uuid4

import pytest

from orchestration.public import Attachment, AttachmentRefused, TaskFilters, attach, tasks
from orchestration.worklist.discussing import FILES_OF_A_CASE_MAX
from tests.authority import count, employee, found_bank
from tests.layers.orchestration.flows import AT, SCRIPTS, Flows
from tests.races.test_token_once import at_once

FILES, PLACES = 20, 3

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_many_files_at_once_only_so_many_are_kept(entity):
    found_bank()
    colleague = employee("operations")
    flows = Flows(colleague)
    flows.started(flows.published(SCRIPTS), amount=21)
    (task,) = tasks(principal=colleague, filters=TaskFilters())

    def put(_number):
        letter = Attachment(uuid4(), "letter.pdf", "application/pdf", b"%PDF-1.7 letter")
        try:
            attach(case_id=task.case_id, principal=colleague, file=letter, at=AT)
        except AttachmentRefused as refused:
            return refused.reason
        return "kept"

    for number in range(FILES_OF_A_CASE_MAX - PLACES):
        assert put(number) == "kept"

    found = Counter(at_once(put, FILES, FILES))

    assert found == {"kept": PLACES, "too_many": FILES - PLACES}
    assert count("orch_document") == FILES_OF_A_CASE_MAX
