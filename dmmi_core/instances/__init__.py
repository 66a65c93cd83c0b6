"""Grouping of a probability map into instances."""
