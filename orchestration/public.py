"""The one door to Orchestration: what happens next, and who does it."""

__all__: list[str] = []
