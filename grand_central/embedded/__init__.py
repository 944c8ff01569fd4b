"""The embedded core: a double-entry ledger and its registers, in the bank's own PostgreSQL."""
