"""Which purpose may see which class of data, on what ground, and what customers say to it."""
