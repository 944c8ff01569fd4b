"""The one door to Intelligence: what is likely, what is meant, and which model says so."""

__all__: list[str] = []
