"""Every system the bank reaches, and which of them serves which operation. Nothing else is."""

from collections.abc import Mapping
from types import MappingProxyType

from grand_central.connectors.contract import (
    Connector,
    ConnectorRefused,
    Manifest,
    check_manifest,
)
from grand_central.connectors.embedded import EmbeddedCore
from grand_central.connectors.messages import MailboxSimulator
from grand_central.connectors.scheme import SchemeSimulator
from grand_central.connectors.screening import ScreeningLists
from grand_central.operations.catalogue import OPERATIONS

CORE = EmbeddedCore()
MAILBOX = MailboxSimulator()
SCHEME = SchemeSimulator()
LISTS = ScreeningLists()

_EFFECTIVE: tuple[Connector, ...] = (CORE, MAILBOX, LISTS)
MANIFESTS: tuple[Manifest, ...] = tuple(
    check_manifest(manifest)
    for manifest in (CORE.manifest, MAILBOX.manifest, SCHEME.manifest, LISTS.manifest)
)


def routes_of(connectors: tuple[Connector, ...]) -> Mapping[str, Connector]:
    """Return which connector serves which operation.

    Raises:
        ConnectorRefused: two serve one operation, one serves an operation that is not catalogued
            for it, or a catalogued operation is served by nobody.
    """
    routes: dict[str, Connector] = {}
    audiences = {entry.kind: entry.audience for entry in OPERATIONS}
    for connector in connectors:
        manifest = connector.manifest
        for capability in manifest.capabilities:
            if audiences.get(capability.operation) != manifest.audience:
                raise ConnectorRefused(manifest.name, f"{capability.operation} is not its own")
            if capability.operation in routes:
                raise ConnectorRefused(manifest.name, f"{capability.operation} has a route")
            routes[capability.operation] = connector
    unserved = sorted(audiences.keys() - routes.keys())
    if unserved:
        raise ConnectorRefused(unserved[0], "no connector serves it")
    return MappingProxyType(routes)


ROUTES = routes_of(_EFFECTIVE)
