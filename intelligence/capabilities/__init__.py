"""What the platform can do with a model, one package per capability."""
