"""What is likely, what is meant, and which model says so at what cost."""
