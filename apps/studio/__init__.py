"""The studio, where a process owner draws flows and rules."""
