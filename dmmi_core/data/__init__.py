"""Samples: readers of datasets, expressions made by templates, phrase erasing, order and batching."""
