"""The one door to Grand Central: how it is done in the system of record, exactly once."""

__all__: list[str] = []
