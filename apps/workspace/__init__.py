"""The employee workspace."""
