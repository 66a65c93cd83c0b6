"""Expressions made of annotated objects by templates and captions, and pictures made to fit them."""
