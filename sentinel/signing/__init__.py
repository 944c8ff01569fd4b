"""Canonical bytes and the keys that sign them."""
