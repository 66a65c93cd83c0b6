"""Data: readers of datasets, generated samples, phrase erasing, the order of samples, and batches."""
