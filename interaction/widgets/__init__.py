"""View models: what a screen shows, made from the doors' values by pure functions."""
