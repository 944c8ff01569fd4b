"""How it is done in the system of record, exactly once."""
