"""What starts flows from outside: each delivery starts exactly one instance, whatever happens."""
