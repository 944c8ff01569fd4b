"""Break-glass: for a short while somebody may more, as far as the policies say, and is reviewed."""
