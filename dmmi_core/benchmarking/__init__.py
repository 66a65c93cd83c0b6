"""Benchmarks of engines and of training. This package imports nothing, as start-up is measured too."""
