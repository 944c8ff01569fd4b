"""The customer app."""
