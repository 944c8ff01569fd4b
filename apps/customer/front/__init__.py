"""What anybody may see before signing in, and the pages around it."""
