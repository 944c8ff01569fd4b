"""What the shared templates call."""
