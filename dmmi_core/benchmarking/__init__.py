"""Measures engines against each other. Imports nothing by itself, since start-up is measured too."""
