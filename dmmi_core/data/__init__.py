"""Samples, the readers that make them, expressions, phrase erasing and batching."""
