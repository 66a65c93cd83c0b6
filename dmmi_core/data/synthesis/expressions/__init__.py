"""Referring expressions that are true, or surely false, of an annotated image."""
