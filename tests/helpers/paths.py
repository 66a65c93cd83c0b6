"""Paths in the checkout, for tests at any depth."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
HELPERS = Path(__file__).parent
STUB_NODE = HELPERS / "stub_node.py"
