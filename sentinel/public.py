"""The one door to Sentinel: whether this may be done, by whom, under which rule, and its proof."""

__all__: list[str] = []
