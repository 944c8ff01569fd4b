"""The signer that runs apart from whoever asks it, at a socket of its own."""
