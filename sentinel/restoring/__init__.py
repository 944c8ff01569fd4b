"""After a restore: the gate is shut until the epoch has risen and the log goes on."""
