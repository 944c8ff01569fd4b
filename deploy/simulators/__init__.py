"""Simulators of systems outside the bank: programs of their own, with books of their own."""
