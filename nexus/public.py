"""The one door to Nexus: what the bank knows about a customer, since when, and from where."""

__all__: list[str] = []
