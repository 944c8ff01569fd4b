"""Every system the bank reaches, and which of them serves which operation. Nothing else is."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol, TypeVar

from grand_central.connectors.card_processor import CardProcessor
from grand_central.connectors.contract import (
    Connector,
    ConnectorRefused,
    Manifest,
    OutsideConnector,
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
CARDS = CardProcessor()

_EFFECTIVE: tuple[Connector, ...] = (CORE, MAILBOX, LISTS)
_ELSEWHERE: tuple[OutsideConnector, ...] = (CARDS,)
MANIFESTS: tuple[Manifest, ...] = tuple(
    check_manifest(manifest)
    for manifest in (
        CORE.manifest,
        MAILBOX.manifest,
        SCHEME.manifest,
        LISTS.manifest,
        CARDS.manifest,
    )
)


class _Served(Protocol):
    manifest: Manifest


_S = TypeVar("_S", bound=_Served)


def routes_of(connectors: tuple[_S, ...]) -> Mapping[str, _S]:
    """Return which connector serves which operation.

    Raises:
        ConnectorRefused: two serve one operation, one serves an operation that is not catalogued
            for it, or a catalogued operation is served by nobody.
    """
    routes: dict[str, _S] = {}
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


_SERVED: Mapping[str, _Served] = routes_of((*_EFFECTIVE, *_ELSEWHERE))
# Effects that commit with ours, and effects that another system keeps.
ROUTES: Mapping[str, Connector] = MappingProxyType(
    {kind: each for each in _EFFECTIVE for kind in each.manifest.operations}
)
OUTSIDE: Mapping[str, OutsideConnector] = MappingProxyType(
    {kind: each for each in _ELSEWHERE for kind in each.manifest.operations}
)
