"""Commands that run the bank."""
