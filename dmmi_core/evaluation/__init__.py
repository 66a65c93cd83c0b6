"""Metrics, calibration, and the evaluation of a model on samples."""
