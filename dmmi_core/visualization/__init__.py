"""Overlays, web pages and curves."""
