"""Overlays, web pages and curves for people."""
