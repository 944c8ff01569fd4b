"""Who may look at the bank's flows: those who propose changes, and those who agree to them."""

from sentinel.vocabulary import Principal

PROPOSING_ROLES = frozenset({"operations", "process_owner"})
READING_ROLES = PROPOSING_ROLES | {"compliance_officer"}


class FlowReadersOnly(PermissionError):
    """The flows of the bank are for those who answer for them."""

    code = "flow_readers_only"
    is_retryable = False

    def __init__(self, principal_id: str) -> None:
        super().__init__(principal_id)
        self.principal_id = principal_id


def require_flow_reader(principal: Principal) -> None:
    """Let somebody who answers for flows pass.

    Raises:
        FlowReadersOnly: it is somebody else.
    """
    if principal.kind != "employee" or not READING_ROLES & set(principal.roles):
        raise FlowReadersOnly(principal.id)
