"""Backups of a whole bank: taken while it runs, put back elsewhere, and proved afterwards."""
