"""One module per channel: what comes in becomes a message, what goes out becomes a frame."""
