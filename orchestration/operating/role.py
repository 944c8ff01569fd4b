"""Who may look at running work and steer it: operations, and nobody else."""

from sentinel.vocabulary import Principal

OPERATIONS = "operations"


class OperationsOnly(PermissionError):
    """Running work is watched and steered by operations."""

    code = "operations_only"
    is_retryable = False

    def __init__(self, principal_id: str) -> None:
        super().__init__(principal_id)
        self.principal_id = principal_id


def require_operations(principal: Principal) -> None:
    """Let somebody of operations pass.

    Raises:
        OperationsOnly: it is somebody else.
    """
    if principal.kind != "employee" or OPERATIONS not in principal.roles:
        raise OperationsOnly(principal.id)
