"""A key that may have been stolen: revoked at once, and what it signed since is named."""
