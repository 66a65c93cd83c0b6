"""Subscriptions and publishers of the node."""
