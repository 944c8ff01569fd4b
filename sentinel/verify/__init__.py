"""The offline verifier, which shares no code with the log it checks."""
