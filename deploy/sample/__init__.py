"""The sample bank: invented people and their lives, the same for the same seed."""
