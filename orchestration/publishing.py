"""Publishing the bank's journeys: each flow by its digest, checked, once."""

from orchestration import journeys
from orchestration.durable.definitions import publish


def publish_journeys() -> tuple[str, ...]:
    """Publish every flow of settings.JOURNEYS for the legal entity in force; return their names.

    Raises:
        DrawingRefused: a drawing cannot be run.
        FormRefused: a form uses words that forms do not have.
    """
    published = (publish(source) for source in journeys.flow_sources())
    return tuple(f"{flow.process} version {flow.version}" for flow in published)
