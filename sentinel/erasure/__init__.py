"""Forgetting a person: legal holds, the destruction of a key, and what is left to show of both."""
