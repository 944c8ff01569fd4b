"""Settings for each way of running the bank."""
