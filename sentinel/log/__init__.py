"""The evidence log: records, the Merkle tree over them, signed checkpoints, and their proofs."""
