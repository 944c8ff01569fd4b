"""Composition root: how the bank is assembled and run. Nobody imports it."""
