"""Trying a drawing out: the same pure engine, with mocked answers and a clock of its own.

Nothing is started, written or sent.
"""
