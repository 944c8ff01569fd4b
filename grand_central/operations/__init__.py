"""The canonical operations: what may be asked of any system, with typed parameters."""
