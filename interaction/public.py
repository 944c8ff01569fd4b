"""The one door to Interaction: what a person sees, and what they mean."""

__all__: list[str] = []
