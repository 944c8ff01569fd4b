"""What the bank knows about a customer, since when, and from where."""
