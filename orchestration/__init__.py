"""What happens next, and who does it."""
