"""What people and programs meet: views only."""
