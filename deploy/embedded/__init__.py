"""PostgreSQL from the binaries in a wheel, for a machine that has no server."""
