"""Running work as operations sees and steers it."""
