"""Engines run a network: PyTorch, the reference, or a faster runtime with the same answers."""
