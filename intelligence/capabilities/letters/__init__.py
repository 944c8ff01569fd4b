"""Letters: what they name, and drafts of what to answer."""
