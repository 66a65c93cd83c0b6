"""Builds a dataset of zero, one and many targets in the ways of Ref-ZOM (paper section 4)."""
